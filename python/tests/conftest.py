"""What the tests share: the program, and small data."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

import tanner

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def program():
    """The command line of the same version. TANNER_PROGRAM names it; tests/python/run always does."""
    path = os.environ.get("TANNER_PROGRAM") or shutil.which("tanner")
    if not path:
        pytest.skip("no tanner program: TANNER_PROGRAM names it")
    return path


@pytest.fixture
def run_program(program, tmp_path):
    """Trains with the command line, and returns the model."""

    def run(*arguments, backend="cpu"):
        out = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        command = [program, *map(str, arguments), "--backend", backend, "--out", str(out), "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return tanner.load(out)

    return run


@pytest.fixture(scope="session")
def flowers():
    """150 samples of 4 features in 3 classes."""
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


def same_bits(one, other):
    """Asserts that two models have the same graphs, weights and biases, to the bit."""
    assert one.widths == other.widths
    for a, b in zip(one.weights(), other.weights()):
        np.testing.assert_array_equal(a.indptr, b.indptr)
        np.testing.assert_array_equal(a.indices, b.indices)
        np.testing.assert_array_equal(a.data.view(np.uint32), b.data.view(np.uint32))
    for a, b in zip(one.biases(), other.biases()):
        np.testing.assert_array_equal(a.view(np.uint32), b.view(np.uint32))
