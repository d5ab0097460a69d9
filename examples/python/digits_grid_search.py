"""Digits in a pipeline: scikit-learn searches for settings of a sparse network.

    python examples/python/digits_grid_search.py [--quick]
"""

import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from tanner import TannerClassifier


def main(quick):
    X, y = load_digits(return_X_y=True)
    if quick:
        X, y = X[:500], y[:500]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    # Two random sparse layers; the other settings are those of the preset for tables.
    network = TannerClassifier(arch="rsp", hidden=[256, 128], epochs=5 if quick else None, n_jobs=1)
    pipeline = make_pipeline(MinMaxScaler(), network)
    space = {"tannerclassifier__degree": [8, 32], "tannerclassifier__dropout": [0.1, 0.3]}
    search = GridSearchCV(pipeline, space, cv=3, n_jobs=2).fit(X_train, y_train)
    best = search.best_estimator_[-1]
    print(search.best_params_)
    print(best.model_)
    print(f"test accuracy {100 * search.score(X_test, y_test):.2f} %")
    return search.score(X_test, y_test)


if __name__ == "__main__":
    main("--quick" in sys.argv)
