"""The checks of scikit-learn, all of them: no failure is expected."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tanner import TannerClassifier, TannerRegressor


@parametrize_with_checks([TannerClassifier(), TannerRegressor()])
def test_estimator(estimator, check):
    check(estimator)


@parametrize_with_checks([TannerClassifier(arch="rsp", degree=3, hidden=[16, 16], epochs=40, optimizer="adam", lr=0.02, activation="tanh", preset="none", standardize=True, importance="none")])
def test_sparse_network(estimator, check):
    check(estimator)
