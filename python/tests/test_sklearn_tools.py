"""The estimators inside the tools of scikit-learn."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tanner
from tanner import TannerClassifier, TannerRegressor


def test_pipeline(flowers):
    X, y = flowers
    pipeline = make_pipeline(StandardScaler(), TannerClassifier(epochs=20)).fit(X, y)
    assert pipeline.score(X, y) > 0.93
    assert pipeline[-1].n_iter_ == 20


def test_grid_search_in_processes(flowers):
    X, y = flowers
    search = GridSearchCV(TannerClassifier(epochs=10, n_jobs=1), {"hidden": [[8], [32]], "lr": [0.01]}, cv=3, n_jobs=2)
    search.fit(X, y)
    assert set(search.best_params_) == {"hidden", "lr"}
    assert search.best_score_ > 0.8
    assert len(search.best_estimator_.topology_) == 2


def test_cross_val_score(flowers):
    X, y = flowers
    scores = cross_val_score(TannerClassifier(epochs=20), X, y, cv=5)
    assert scores.shape == (5,) and scores.mean() > 0.9


def test_calibrated(flowers):
    X, y = flowers
    calibrated = CalibratedClassifierCV(TannerClassifier(epochs=10), cv=3).fit(X, y)
    assert calibrated.score(X, y) > 0.9
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1, rtol=1e-6)


def test_select_from_model(flowers):
    X, y = flowers
    selected = SelectFromModel(TannerClassifier(epochs=30), max_features=2, threshold=-np.inf).fit(X, y)
    # The petals tell the flowers apart.
    assert list(selected.get_support()) == [False, False, True, True]


def test_pickle_and_joblib_keep_the_bytes(flowers, tmp_path):
    X, y = flowers
    fitted = TannerClassifier(epochs=3).fit(X, y)
    joblib.dump(fitted, tmp_path / "model.joblib")
    for other in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "model.joblib")):
        assert other.model_.to_bytes() == fitted.model_.to_bytes()
        np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))
        assert other.history_ == fitted.history_
    # The samples of its training are not in it.
    assert len(pickle.dumps(fitted)) < len(fitted.model_.to_bytes()) + 20_000


def test_clone_and_parameters():
    network = TannerClassifier(hidden=[8], class_weight={0: 2.0}, random_state=3)
    copy = clone(network)
    assert copy.get_params() == network.get_params()
    assert copy.set_params(hidden=[9]).hidden == [9]
    with pytest.raises(ValueError, match="Invalid parameter"):
        copy.set_params(widths=3)
    with pytest.raises(TypeError, match="unexpected keyword"):
        TannerClassifier(widths=3)
    with pytest.raises(NotFittedError):
        network.predict([[1.0]])
    assert not hasattr(network, "feature_importances_")


def test_warm_start_continues(flowers):
    X, y = flowers
    network = TannerClassifier(epochs=2, warm_start=True).fit(X, y)
    first = network.model_
    network.fit(X, y)
    assert (first.epochs, network.model_.epochs) == (2, 4)
    assert network.history_[0]["train_loss"] < 1.0
    with pytest.raises(ValueError, match="not a class of the training data"):
        network.fit(X, y + 1)


def test_callbacks_stop(flowers):
    X, y = flowers
    seen = []

    def stop(epoch):
        seen.append(epoch["epoch"])
        return epoch["epoch"] == 3

    network = TannerClassifier().fit(X, y, eval_set=[(X, y)], callbacks=[stop, lambda epoch: None])
    assert seen == [1, 2, 3]
    assert network.n_iter_ == network.model_.epochs == len(network.history_) == 3
    assert 0 <= network.history_[-1]["score"] <= 1

    def broken(epoch):
        raise LookupError("of the callback")

    with pytest.raises(LookupError, match="of the callback"):
        TannerClassifier().fit(X, y, callbacks=broken)


def test_an_eval_set_changes_no_bit(flowers):
    X, y = flowers
    alone, scored = TannerClassifier(epochs=3).fit(X, y), TannerClassifier(epochs=3).fit(X, y, eval_set=(X[:9], y[:9]))
    assert alone.model_.to_bytes() == scored.model_.to_bytes()
    assert "score" not in alone.history_[0] and "score" in scored.history_[0]


def test_validation_and_patience(flowers):
    X, y = flowers
    network = TannerClassifier(validation=0.3, patience=2, random_state=1).fit(X, y)
    assert network.n_iter_ < 90
    assert network.history_[0]["scored_on"] == "validation"


def test_labels_of_any_type(flowers):
    X, y = flowers
    numbers = TannerClassifier(epochs=5).fit(X, y).predict_proba(X)
    for labels in (np.array(["b", "c", "ä"])[y], y.astype(float) - 1.0, y.astype(np.uint8) + 200):
        fitted = TannerClassifier(epochs=5).fit(X, labels)
        np.testing.assert_array_equal(fitted.classes_, np.unique(labels))
        np.testing.assert_array_equal(fitted.predict_proba(X), numbers)
        assert set(fitted.predict(X)) <= set(labels)
    flags = TannerClassifier(epochs=5).fit(X, y == 1)
    assert flags.predict(X).dtype == bool
    # A model has classes that are numbers in the order of their values.
    texts = np.array(["10", "9", "2"])[y]
    fitted = TannerClassifier(epochs=20).fit(X, texts)
    assert fitted.model_.class_names == ["2", "9", "10"]
    assert list(fitted.classes_) == ["10", "2", "9"]
    assert (fitted.predict(X) == fitted.classes_[fitted.predict_proba(X).argmax(axis=1)]).all()
    assert fitted.score(X, texts) > 0.9


def test_several_labels_and_several_numbers(flowers):
    X, y = flowers
    both = np.column_stack([y > 0, X[:, 0] > 5.8]).astype(int)
    fitted = TannerClassifier().fit(X, both)
    assert fitted.predict(X).shape == both.shape == fitted.predict_proba(X).shape
    assert fitted.score(X, both) > 0.8
    regressor = TannerRegressor().fit(X[:, :2], X[:, 2:])
    assert regressor.predict(X[:, :2]).shape == (150, 2)
    assert regressor.score(X[:, :2], X[:, 2:]) > 0.7


def test_regressor_in_units():
    X, y = load_diabetes(return_X_y=True)
    fitted = TannerRegressor(epochs=10).fit(X, y)
    shifted = TannerRegressor(epochs=10).fit(X, 1000 * y + 5e4)
    assert fitted.predict(X).dtype == np.float64
    assert fitted.score(X, y) > 0.4
    np.testing.assert_allclose(shifted.predict(X), 1000 * fitted.predict(X) + 5e4, rtol=1e-3)


def test_random_state(flowers):
    X, y = flowers
    model = lambda seed: TannerClassifier(epochs=1, random_state=seed).fit(X, y).model_.to_bytes()  # noqa: E731
    assert model(None) == model(0) != model(1)
    assert model(np.random.RandomState(5)) == model(np.random.RandomState(5)) != model(np.random.RandomState(6))


def test_threads_change_no_bit(flowers):
    X, y = flowers
    one, two, all_but_one = (TannerClassifier(epochs=2, n_jobs=jobs).fit(X, y).model_.to_bytes() for jobs in (1, 2, -2))
    assert one == two == all_but_one


def test_class_weights(flowers):
    X, y = flowers
    X, y = np.r_[X, X + 0.8], np.r_[y, y]  # noisy
    heavy = TannerClassifier(epochs=10, class_weight={1: 50.0}).fit(X, y)
    plain = TannerClassifier(epochs=10).fit(X, y)
    assert (heavy.predict(X) == 1).sum() > (plain.predict(X) == 1).sum()
    TannerClassifier(epochs=1, class_weight="balanced").fit(X, y)
    with pytest.raises(ValueError, match="class_weight: no class is called"):
        TannerClassifier(class_weight={7: 2.0}).fit(X, y)


def test_sample_weight_of_two_is_a_sample_twice(flowers):
    X, y = flowers
    X, y = X[::4], y[::4]
    weights = np.arange(len(y)) % 3
    weighted = TannerClassifier(epochs=5).fit(X, y, sample_weight=weights)
    repeated = TannerClassifier(epochs=5).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert weighted.model_.to_bytes() == repeated.model_.to_bytes()


def test_columns_of_a_transformer(flowers):
    pandas = pytest.importorskip("pandas")
    X, y = flowers
    frame = pandas.DataFrame(X, columns=list("abcd"))
    scaled = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough")
    scaled.set_output(transform="pandas")
    pipeline = make_pipeline(scaled, TannerClassifier(epochs=10)).fit(frame, y)
    assert pipeline[-1].model_.column_names == list(pipeline[-1].feature_names_in_)
    assert pipeline.score(frame, y) > 0.8


def noisy(seed=0):
    """Samples on which a network is soon at its best: few, and labels that are wrong half of the time."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 20))
    return X, ((X[:, 0] + 2 * rng.normal(size=300)) > 0).astype(int)


@pytest.mark.parametrize("held_out", ["eval_set", "validation"])
def test_patience_ends_a_run_and_the_best_network_may_be_kept(held_out, tmp_path):
    X, y = noisy()
    other_X, other_y = noisy(1)
    own = {"validation": 0.3} if held_out == "validation" else {}
    given = {} if own else {"eval_set": (other_X, other_y)}
    settings = dict(epochs=80, lr=0.01, patience=8, **own)
    last = TannerClassifier(**settings).fit(X, y, **given)
    scores = [(epoch["score"], -epoch["score_loss"]) for epoch in last.history_]
    assert last.best_epoch_ == 1 + scores.index(max(scores)) < last.n_iter_ < 80
    assert {epoch["scored_on"] for epoch in last.history_} == {"validation"}
    assert last.model_.epochs == last.n_iter_ == last.best_epoch_ + 8
    best = TannerClassifier(restore_best=True, **settings).fit(X, y, **given)
    assert best.model_.epochs == best.best_epoch_ == last.best_epoch_ and best.history_[-1]["epoch"] == last.n_iter_
    if given:
        assert best.score(other_X, other_y) == best.history_[best.best_epoch_ - 1]["score"]
    # Fewer epochs at the same learning rates end there.
    constant = dict(settings, schedule="constant")
    best = TannerClassifier(restore_best=True, **constant).fit(X, y, **given)
    short = TannerClassifier(**dict(constant, epochs=best.best_epoch_)).fit(X, y, **given)
    assert best.best_epoch_ < best.n_iter_
    np.testing.assert_array_equal(best.predict_proba(X), short.predict_proba(X))
    # With a folder, the best network is in its file.
    kept = TannerClassifier(restore_best=True, out=tmp_path / "run", **constant).fit(X, y, **given)
    assert kept.model_.to_bytes() == (tmp_path / "run" / "best.safetensors").read_bytes()
    np.testing.assert_array_equal(kept.predict_proba(X), best.predict_proba(X))


def test_the_best_network_needs_samples_to_compare_by():
    X, y = noisy()
    with pytest.raises(ValueError, match="restore_best: needs eval_set or validation"):
        TannerClassifier(restore_best=True).fit(X, y)
    with pytest.raises(ValueError, match="patience: needs eval_set or validation"):
        TannerClassifier(patience=3).fit(X, y)
    with pytest.raises(ValueError, match="validation: holds out training samples, but there are others"):
        TannerClassifier(validation=0.2).fit(X, y, eval_set=(X, y))
    assert TannerClassifier(epochs=2).fit(X, y).best_epoch_ is None


def test_the_best_of_a_regression_has_the_lowest_error():
    X, y = load_diabetes(return_X_y=True)
    fitted = TannerRegressor(epochs=40, lr=0.01, restore_best=True).fit(X[:200], y[:200], eval_set=(X[200:], y[200:]))
    errors = [epoch["score"] for epoch in fitted.history_]
    assert fitted.best_epoch_ == 1 + int(np.argmin(errors)) == fitted.model_.epochs
    error = np.sqrt(np.mean((fitted.predict(X[200:]) - y[200:]) ** 2))
    np.testing.assert_allclose(error, min(errors), rtol=1e-5)


@pytest.mark.parametrize("labels", [[3, 1, 10], [False, True, True], ["setosa", "versicolor", "virginica"], ["01", "1", "2"]])
def test_an_estimator_of_a_model_predicts_as_the_one_that_trained_it(flowers, labels):
    X, y = flowers
    y = np.array(labels)[y]
    fitted = TannerClassifier(epochs=5).fit(X, y)
    model = tanner.Model.from_bytes(fitted.model_.to_bytes())
    made = TannerClassifier.from_model(model, epochs=2)
    assert made.classes_.dtype.kind == fitted.classes_.dtype.kind
    np.testing.assert_array_equal(made.classes_, fitted.classes_)
    np.testing.assert_array_equal(made.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(made.predict_proba(X), fitted.predict_proba(X))
    assert made.score(X, y) == fitted.score(X, y) and made.n_features_in_ == 4 and len(made.topology_) == 3
    assert permutation_importance(made, X, y, n_repeats=2).importances_mean.shape == (4,)
    with pytest.raises(AttributeError, match="made of a model"):
        made.feature_importances_
    with pytest.raises(ValueError, match="which TannerRegressor is not for"):
        TannerRegressor.from_model(model)
    assert clone(made).fit(X, y).n_iter_ == 2


def test_an_estimator_of_other_models(flowers):
    X, y = flowers
    both = np.column_stack([y > 0, y > 1]).astype(int)
    several = TannerClassifier(epochs=5).fit(X, both)
    np.testing.assert_array_equal(TannerClassifier.from_model(several.model_).predict(X), several.predict(X))
    numbers = TannerRegressor(epochs=5).fit(X[:, :2], X[:, 2:])
    np.testing.assert_array_equal(TannerRegressor.from_model(numbers.model_).predict(X[:, :2]), numbers.predict(X[:, :2]))
    number = TannerRegressor(epochs=5).fit(X[:, :2], X[:, 2])
    assert TannerRegressor.from_model(number.model_).predict(X[:, :2]).shape == (150,)


def test_a_failed_fit_leaves_the_fitted_estimator_as_it_was(flowers):
    X, y = flowers
    fitted = TannerClassifier(epochs=3).fit(X, np.array(["a", "b", "c"])[y])
    expected = fitted.predict(X)

    def fails(epoch):
        raise KeyError("mine")

    for call in (
        lambda: fitted.set_params(epochs=-1).fit(X, np.array(["q", "r", "s"])[y]),
        lambda: fitted.set_params(epochs=2).fit(X[:, :2], np.array(["q", "r", "s"])[y], callbacks=fails),
    ):
        with pytest.raises((ValueError, KeyError)):
            call()
        np.testing.assert_array_equal(fitted.predict(X), expected)
        assert fitted.n_features_in_ == 4 and list(fitted.classes_) == ["a", "b", "c"]


def test_equal_weights_are_repeated_samples(flowers):
    X, y = flowers
    X, y = X[::3][:30], y[::3][:30]
    once = TannerClassifier(epochs=4, dropout=0.2).fit(X, y, sample_weight=np.full(len(X), 2.0))
    twice = TannerClassifier(epochs=4, dropout=0.2).fit(np.repeat(X, 2, axis=0), np.repeat(y, 2))
    np.testing.assert_array_equal(once.predict_proba(X), twice.predict_proba(X))
    plain = TannerClassifier(epochs=4).fit(X, y)
    ones = TannerClassifier(epochs=4).fit(X, y, sample_weight=np.ones(len(X)))
    np.testing.assert_array_equal(plain.predict_proba(X), ones.predict_proba(X))


def test_own_graphs_may_be_rewired(flowers):
    X, y = flowers
    graph = tanner.Topology.random_sparse(4, 32, 12)
    fitted = TannerClassifier(topologies=[graph], rewire="set", epochs=4).fit(X, y)
    assert fitted.topology_[0] != graph and fitted.topology_[0].edges == graph.edges
    assert sum(epoch.get("edges_moved", 0) for epoch in fitted.history_) > 0
