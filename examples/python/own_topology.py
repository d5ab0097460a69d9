"""Your own graphs: layers whose weights exist where a scipy matrix or a list of edges says so.

    python examples/python/own_topology.py
"""

import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tanner import TannerClassifier, Topology


def neighbours(side, reach):
    """Each output of a picture sees the pixels around its place."""
    places = [(row, column) for row in range(side) for column in range(side)]
    edges = [
        (source, target)
        for target, (row, column) in enumerate(places)
        for source, (other_row, other_column) in enumerate(places)
        if max(abs(row - other_row), abs(column - other_column)) <= reach
    ]
    return Topology.from_edges(side * side, side * side, edges)


def main():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    local = neighbours(8, 1)
    # Of the second layer, a matrix [outputs, inputs] of any program: a quarter of the weights, drawn at random.
    mixing = Topology.from_scipy(sparse.random_array((128, 64), density=0.25, rng=np.random.default_rng(0)))
    network = TannerClassifier(topologies=[local, mixing], epochs=30).fit(X_train, y_train)
    for layer in network.topology_:
        print(layer)
    assert network.topology_[0] == local
    weights = network.model_.weights(0)  # a scipy matrix with the edges of the graph
    print(f"{weights.nnz} weights in the first layer, test accuracy {100 * network.score(X_test, y_test):.2f} %")
    return network.score(X_test, y_test)


if __name__ == "__main__":
    main()
