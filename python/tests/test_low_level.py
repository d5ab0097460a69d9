"""Graphs, networks, runs and models."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import tanner
from tanner import Model, Network, Topology


def test_graphs_of_edges_and_matrices():
    edges = [(0, 0), (2, 1), (1, 0)]
    graph = Topology.from_edges(3, 2, edges)
    assert (graph.inputs, graph.outputs, graph.edges) == (3, 2, 3) and graph.density == 0.5
    assert sorted(map(tuple, graph.to_edges().tolist())) == sorted(edges)
    matrix = graph.to_scipy()
    np.testing.assert_array_equal(matrix.toarray(), [[1, 1, 0], [0, 0, 1]])
    assert Topology.from_scipy(matrix) == graph == pickle.loads(pickle.dumps(graph))
    # A stored 0 is an edge, and the order of columns does not matter.
    stored = sparse.csr_matrix((np.array([0.0, 5.0, 1.0]), [1, 0, 2], [0, 2, 3]), shape=(2, 3))
    assert Topology.from_scipy(stored) == graph
    assert Topology.from_scipy(sparse.coo_array(matrix)) == graph
    assert graph != Topology.fully_connected(3, 2)


def test_usual_slips_are_refused_with_what_is_expected():
    X, y = np.eye(8, dtype=np.float32), [0, 1] * 4
    for call, error, reason in [
        (lambda: tanner.train(X, y), TypeError, "give a path or samples as data="),
        (lambda: tanner.train("t.csv"), TypeError, "settings are a dict, got str"),
        (lambda: tanner.train({}, X), TypeError, "a pair \\(X, y\\), got ndarray"),
        (lambda: tanner.train({}, (X, y), topologies=sparse.eye(8).tocsr()), TypeError, "a list of graphs"),
        (lambda: tanner.train({}, (X, y), topologies=[X]), TypeError, "sparse matrix \\[outputs, inputs\\], got ndarray"),
        (lambda: tanner.train({}, (pd.DataFrame([["a", 1]] * 8, columns=["c", "c"]), y)), ValueError, "are called 'c'"),
    ]:
        with pytest.raises(error, match=reason):
            call()


def test_whole_numbers_of_many_kinds_are_predicted_as_numbers():
    X = np.arange(120, dtype=np.float32).reshape(-1, 1)
    y = np.arange(120) // 2
    assert tanner.train({"epochs": 1}, (X, y)).model.task == "regression"
    assert tanner.train({"epochs": 1}, (X, y // 2)).model.task == "classification"
    assert tanner.train({"epochs": 1, "task": "classification"}, (X, y)).model.task == "classification"


def test_impossible_graphs_are_refused():
    for call, reason in [
        (lambda: Topology.from_edges(3, 2, [(3, 0)]), "input 3"),
        (lambda: Topology.from_edges(3, 2, [(0, 2)]), "output 2"),
        (lambda: Topology.from_edges(3, 2, [(0, 0), (0, 0)]), "topology"),
        (lambda: Topology.from_edges(3, 2, [(-1, 0)]), "below 0"),
        (lambda: Topology.from_edges(3, 2, []), "pairs"),
        (lambda: Topology.random_sparse(4, 3, 9), "degree"),
        (lambda: Topology.random_sparse(4, 3, "gauss:3"), "degree distribution"),
        (lambda: Topology.spatially_coupled(8, 8, 2, blocks=0), "block"),
        (lambda: Topology.coupled_2d((4, 4), (4, 4), 3, 0.0), "reach"),
        (lambda: Topology.coupled_2d((4, 4), (4, 4), 3, 1.0, falloff="round"), "gauss"),
        (lambda: Topology.from_edges(10**9, 10**9, [(1, 2)]), "inputs: 1000000000 is invalid, it must be 1 to 16777216"),
        (lambda: Topology.coupled_2d((10_000, 10_000), (4, 4), 3, 1.0), "inputs: 100000000 is invalid"),
        (lambda: Topology.coupled_2d(8, (4, 4), 3, 1.0), "inputs: expected \\(rows, columns\\)"),
    ]:
        with pytest.raises(ValueError, match=reason):
            call()
    with pytest.raises(TypeError, match="degree: expected a whole number, got 2.7"):
        Topology.random_sparse(64, 64, 2.7)
    with pytest.raises(TypeError, match="from_edges"):
        Topology()


def test_drawn_graphs_are_those_of_a_run(flowers):
    X, y = flowers
    settings = dict(preset="none", importance="none", arch="rsp", degree=5, hidden=[20, 12], epochs=1, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = tanner.train(settings, (X, y)).model
    drawn = [Topology.random_sparse(4, 20, 5, seed=3, layer=0), Topology.random_sparse(20, 12, 5, seed=3, layer=1)]
    assert model.network.layers[:2] == drawn
    network = Network(4, 3, arch="rsp", degree=5, hidden=[20, 12], seed=3)
    assert network.layers == model.network.layers and network.widths == model.widths == [4, 20, 12, 3]
    assert network.parameters == model.parameters == 4 * 5 + 20 * 5 + 12 * 3 + 35


def test_own_graphs_keep_their_edges(flowers):
    X, y = flowers
    graphs = [Topology.random_sparse(4, 30, 12, seed=1), sparse.random(20, 30, 0.3, random_state=0, format="csr")]
    model = tanner.train({"epochs": 40}, (X, y), topologies=graphs).model
    assert model.network.layers[0] == graphs[0]
    assert model.network.layers[1] == Topology.from_scipy(graphs[1])
    assert model.arch == "custom" and (model.predict(X) == y.astype(str)).mean() > 0.8
    estimator = tanner.TannerClassifier(epochs=40, topologies=graphs).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="topologies: the first graph has 7 inputs, but the samples have 4 features"):
        tanner.train({}, (X, y), topologies=[Topology.fully_connected(7, 5)])
    with pytest.raises(ValueError, match="topologies: graph 1 has 5 outputs, but graph 2 has 7 inputs"):
        tanner.train({}, (X, y), topologies=[Topology.fully_connected(4, 5), Topology.fully_connected(7, 5)])


def test_weights_are_the_network(flowers):
    """The forward pass in numpy with the weights of the model gives its probabilities."""
    X, y = flowers
    settings = dict(preset="none", numbers="plain", importance="none", standardize=False, activation="tanh")
    model = tanner.train(settings, (X, y), epochs=3, hidden=[16, 16], arch="rsp", degree=8).model
    values = X.astype(np.float32)
    for weights, biases, activation in zip(model.weights(), model.biases(), model.activations):
        assert sparse.issparse(weights) and weights.dtype == np.float32
        values = values @ weights.T.toarray() + biases
        values = np.tanh(values) if activation == "tanh" else values
    scores = np.exp(values - values.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict_proba(X), scores / scores.sum(axis=1, keepdims=True), atol=1e-5)
    assert model.weights(-1).shape == (3, 16) and model.biases(0).shape == (16,)
    with pytest.raises(IndexError):
        model.weights(3)


def test_models_are_files(flowers, tmp_path):
    X, y = flowers
    run = tanner.train({"epochs": 2}, (X, y))
    path = tmp_path / "model.safetensors"
    run.model.save(path)
    assert path.read_bytes() == run.model.to_bytes()
    for other in (tanner.load(path), tanner.load(str(path)), Model.from_bytes(path.read_bytes())):
        np.testing.assert_array_equal(other.predict_proba(X), run.model.predict_proba(X))
    run.model.to_onnx(tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == run.model.to_onnx() != run.model.to_onnx(weights="gather")[:-1]
    with pytest.raises(ValueError, match="not one of auto, dense"):
        run.model.to_onnx(weights="small")
    assert run.model.info["epochs_trained"] == run.model.epochs == 2


def test_a_run_folder(flowers, tmp_path):
    X, y = flowers
    run = tanner.train({"epochs": 2, "out": tmp_path / "run"}, (X, y), eval_set=(X, y))
    assert run.folder == str(tmp_path / "run")
    assert {"model.safetensors", "metrics.jsonl", "summary.json"} <= {path.name for path in (tmp_path / "run").iterdir()}
    assert tanner.load(run.folder).to_bytes() == run.model.to_bytes()
    with pytest.raises(ValueError, match="out"):
        tanner.train({"epochs": 2, "out": tmp_path / "run"}, (X, y))


def test_runs_go_on_from_a_model(flowers):
    X, y = flowers
    first = tanner.train({"epochs": 3}, (X, y)).model
    run = tanner.train({"epochs": 1}, (X, y), start=first)
    assert run.model.epochs == 4 and run.model.network.layers == first.network.layers
    assert run.history[0]["train_loss"] < 1


def test_a_callback_stops_after_its_epoch(flowers):
    X, y = flowers
    run = tanner.train({}, (X, y), on_epoch=lambda epoch: epoch["epoch"] == 2)
    assert run.ending == "stopped" and len(run.history) == run.model.epochs == 2 and run.epochs_planned == 90


def test_no_hidden_layer(flowers):
    X, y = flowers
    for hidden in ([], (), "none"):
        model = tanner.train({"epochs": 2, "hidden": hidden, "numbers": "plain"}, (X, y)).model
        assert model.widths == [4, 3]


def test_regression_is_recognised(flowers):
    X, _ = flowers
    run = tanner.train({"epochs": 5}, (X[:, :3], X[:, 3]), eval_set=(X[:9, :3], X[:9, 3]))
    assert run.model.task == "regression" and "train_rmse" in run.history[0] and run.history[0]["score"] > 0
    assert run.model.predict(X[:, :3]).shape == (150,)
    with pytest.raises(ValueError, match="no probabilities"):
        run.model.predict_proba(X[:, :3])
    assert tanner.train({"epochs": 1, "task": "regression"}, (X, np.arange(150))).model.task == "regression"


def test_pruning(flowers):
    X, y = flowers
    model = tanner.train({"epochs": 30}, (X, y)).model
    small, curve = model.prune(X, y, sparsity=0.8, fine_tune=3)
    assert small.parameters < 0.3 * model.parameters and len(curve) >= 2
    assert curve[0]["edges"] > curve[-1]["edges"]
    assert not any(name.startswith("test_") for point in curve for name in point)
    _, curve = model.prune(X, y, sparsity=0.5, test=(X, y))
    assert all("test_accuracy" in point for point in curve)
    assert (small.predict(X) == y.astype(str)).mean() > 0.85
    # Of a network without blocks, layers are cut into 8.
    usual, _ = model.prune(X, y, max_drop=5)
    assert usual.parameters < model.parameters
    blocks, _ = model.prune(X, y, target=0.7, blocks=4)
    assert blocks.parameters <= 0.7 * model.parameters
    with pytest.raises(ValueError, match="sparsity"):
        model.prune(X, y, sparsity=1.5)
    with pytest.raises(ValueError, match="not a class"):
        model.prune(X, y + 5, sparsity=0.5)
    for options, error, reason in [
        ({"sparsity": "0.5"}, TypeError, "sparsity: expected a number, got '0.5'"),
        ({"sparsity": True}, TypeError, "sparsity"),
        ({"rounds": 2.5}, TypeError, "rounds: expected a whole number"),
        ({"rounds": 0}, ValueError, "rounds: 0 is invalid"),
        ({"fine_tune": -1}, ValueError, "fine_tune"),
        ({"target": 2.0}, ValueError, "target: 2.0 is invalid, it must be 0 to 1"),
        ({"sparsity": 0.5, "threshold": 0.1}, ValueError, "sparsity and threshold cannot be used together"),
        ({"test": (X, y, y)}, ValueError, "test: expected a pair"),
    ]:
        with pytest.raises(error, match=reason):
            model.prune(X, y, **options)


def test_importance_names_columns(flowers):
    pandas = pytest.importorskip("pandas")
    X, y = flowers
    model = tanner.train({"epochs": 30}, (pandas.DataFrame(X, columns=list("abcd")), y)).model
    drops = model.permutation_importance(pandas.DataFrame(X, columns=list("abcd")), y)
    assert set(list(drops)[:2]) == {"c", "d"} and set(drops) == set("abcd")


def test_devices():
    for device in tanner.devices():
        assert {"number", "name", "is_hardware", "usable", "memory"} <= set(device)
