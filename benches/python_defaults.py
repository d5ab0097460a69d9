#!/usr/bin/env python3
"""Compares `TannerClassifier()` with `MLPClassifier()` of scikit-learn in a scaled pipeline, both with their defaults, on four
tables of scikit-learn: the mean accuracy on 10 random splits (a quarter of the rows tested), and the seconds of all fits.

    pip install "./python[sklearn]" && benches/python_defaults.py
"""

import time
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tanner import TannerClassifier

SPLITS = 10


def measure(estimator, X, y):
    """Accuracy of each split in per cent, and the seconds of all fits."""
    scores, seconds = [], 0.0
    for number, (train, test) in enumerate(StratifiedShuffleSplit(SPLITS, test_size=0.25, random_state=0).split(X, y)):
        fitted = clone(estimator)
        fitted.set_params(**{name: number for name in fitted.get_params() if name.endswith("random_state")})
        start = time.perf_counter()
        fitted.fit(X[train], y[train])
        seconds += time.perf_counter() - start
        scores.append(100 * fitted.score(X[test], y[test]))
    return np.array(scores), seconds


def main():
    # MLPClassifier stops after 200 epochs whether it has converged or not; that is its default.
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("table, rows, features, tanner %, deviation, mlp %, deviation, difference of the means, tanner s, mlp s")
    for load in (load_digits, load_breast_cancer, load_wine, load_iris):
        X, y = load(return_X_y=True)
        own, own_seconds = measure(TannerClassifier(), X, y)
        other, other_seconds = measure(make_pipeline(StandardScaler(), MLPClassifier()), X, y)
        name = load.__name__.removeprefix("load_")
        print(
            f"{name}, {len(y)}, {X.shape[1]}, {own.mean():.2f}, {own.std(ddof=1):.2f}, {other.mean():.2f}, {other.std(ddof=1):.2f}, "
            f"{own.mean() - other.mean():+.2f}, {own_seconds:.1f}, {other_seconds:.1f}",
            flush=True,
        )


main()
