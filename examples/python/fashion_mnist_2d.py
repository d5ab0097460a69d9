"""Fashion-MNIST with layers that are coupled in two dimensions, as pictures in arrays.

    python examples/python/fashion_mnist_2d.py [--quick]

The four IDX files are in data/fashion-mnist.
"""

import gzip
import pathlib
import sys

import numpy as np

from tanner import TannerClassifier

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "fashion-mnist"


def read(name):
    """An array of an IDX file."""
    data = gzip.decompress((DATA / f"{name}.gz").read_bytes())
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def main(quick):
    X_train, y_train = read("train-images-idx3-ubyte").reshape(-1, 784), read("train-labels-idx1-ubyte")
    X_test, y_test = read("t10k-images-idx3-ubyte").reshape(-1, 784), read("t10k-labels-idx1-ubyte")
    if quick:
        X_train, y_train = X_train[:4000], y_train[:4000]
    # Pixels of bytes are divided by 255. `epochs=120` is the preset's own number.
    network = TannerClassifier(preset="tanner", picture=(28, 28), epochs=2 if quick else 10, verbose=1)
    network.fit(X_train, y_train, eval_set=(X_test, y_test))
    print(network.model_)
    for epoch in network.history_:
        print(f"epoch {epoch['epoch']}: test accuracy {100 * epoch['score']:.2f} %, {epoch['seconds']:.1f} s")
    return network.score(X_test, y_test)


if __name__ == "__main__":
    main("--quick" in sys.argv)
