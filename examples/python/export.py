"""A model as a file for other programs: for Tanner's command line, for ONNX runtimes, for scipy, and pruned.

    python examples/python/export.py [FOLDER]
"""

import pathlib
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_breast_cancer

import tanner
from tanner import TannerClassifier


def main(folder):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    network = TannerClassifier(epochs=20).fit(X, y)
    model = network.model_
    model.save(folder / "model.safetensors")  # tanner predict --model model.safetensors new.csv
    model.to_onnx(folder / "model.onnx")
    again = tanner.load(folder / "model.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), network.predict_proba(X))

    # A fifth of the weights, trained for a few more epochs.
    small, curve = model.prune(X, y, sparsity=0.8, fine_tune=5)
    small.save(folder / "small.safetensors")
    print(f"{curve[0]['parameters']:,} parameters before, {small.parameters:,} after pruning")
    print(f"accuracy {np.mean(small.predict(X) == y.astype(str)):.3f}")
    print([matrix.shape for matrix in small.weights()])
    for path in sorted(folder.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else temporary))
