"""Errors, signals, threads, memory, texts and pictures."""

import inspect
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import tanner
from tanner import TannerClassifier, TannerRegressor, _native


def python(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"epochs": 0}, "epochs: 0 is invalid"),
        ({"hidden": [8, 0]}, "hidden: "),
        ({"lr": -1.0}, "lr: "),
        ({"lr": float("nan")}, "lr: "),
        ({"activation": "step"}, "activation: .*sigmoid"),
        ({"batch_size": 2.5}, "batch_size: "),
        ({"patience": 3}, "patience: .*validation"),
        ({"degree": 4, "arch": "sc"}, "degree: .*arch"),
        ({"backend": "tpu"}, "backend: "),
        ({"picture": (3, 3)}, "picture: .*9 pixels"),
        ({"random_state": -1}, "random_state: "),
        ({"n_jobs": 100_000}, "n_jobs: "),
        ({"adapter": "no such card"}, "adapter: "),
        ({"patience": 2}, "patience: needs eval_set or validation, samples by which the last epoch is chosen"),
        ({"class_weight": "balance"}, "class_weight: expected 'balanced' or a dict"),
        ({"class_weight": {0: 0, 1: 1}}, "class_weight: the weight of 0 is 0"),
        ({"tensorboard": "tb"}, "tensorboard: needs out"),
        ({"out": ""}, "out: an empty text"),
    ],
)
def test_settings_that_do_not_fit_are_value_errors(flowers, settings, reason):
    X, y = flowers
    with pytest.raises((ValueError, RuntimeError), match=reason) as caught:
        TannerClassifier(**settings).fit(X, y)
    assert "`" not in str(caught.value) and "--" not in str(caught.value)


def test_settings_say_what_they_are():
    meanings = tanner.settings()
    assert meanings["epochs"].startswith("Passes over the training set")
    assert all(meaning and "`" not in meaning and "--" not in meaning for meaning in meanings.values()), meanings


def test_unknown_settings_are_type_errors(flowers):
    with pytest.raises(TypeError, match="did you mean 'epochs'"):
        tanner.train({"epoch": 3}, flowers)
    with pytest.raises(TypeError, match="unexpected"):
        tanner.train({}, flowers, dropot=0.5)
    for call, reason in [
        (lambda: tanner.Network(4, 3, epoch=3), "Network\\(\\) got an unexpected setting 'epoch'; did you mean 'epochs'"),
        (lambda: tanner.train({"batch-size": 16, "batch_size": 32}, flowers), "the setting 'batch_size' twice"),
        (lambda: tanner.train(), "needs data"),
        (lambda: tanner.train({}, flowers, start="model.safetensors"), "tanner.load reads one"),
        (lambda: TannerClassifier.from_model("model.safetensors"), "tanner.load reads one"),
        (lambda: TannerClassifier(n_jobs="3").fit(*flowers), "n_jobs: expected a whole number"),
        (lambda: TannerClassifier().fit(*flowers, callbacks=3), "callbacks: expected a function"),
    ]:
        with pytest.raises(TypeError, match=reason):
            call()


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        tanner.load(tmp_path / "nowhere")
    (tmp_path / "text").write_text("no model")
    with pytest.raises(ValueError, match="not a usable model file"):
        tanner.load(tmp_path / "text")
    with pytest.raises(ValueError, match="not a usable model file"):
        tanner.Model.from_bytes(b"\x00" * 100)
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        tanner.train({}, tmp_path / "nowhere.csv")


def test_a_panic_is_a_runtime_error():
    with pytest.raises(RuntimeError, match="on purpose"):
        _native.panic()


def test_every_setting_has_a_place():
    """A setting that the library gains must be a parameter, or be excluded here with a reason."""
    elsewhere = {
        "seed": "random_state",
        "threads": "n_jobs",
        "from": "warm_start",
        "edges": "topologies",
        "train_limit": "X[:n]",
        "pca": "importance",
        "rf": "importance",
    }
    of_files = {"data", "label", "labels", "task", "weights", "header", "delimiter", "decimal", "missing", "drop", "test"}
    others = {"topologies", "random_state", "n_jobs", "warm_start", "restore_best", "verbose"}
    known = set(tanner.settings()) - of_files - set(elsewhere)
    classifier = set(inspect.signature(TannerClassifier).parameters) - others
    regressor = set(inspect.signature(TannerRegressor).parameters) - others
    assert classifier == known - {"loss"}
    assert regressor == known - {"class_weight", "label_smoothing"}
    for estimator in (TannerClassifier, TannerRegressor):
        for name in inspect.signature(estimator).parameters:
            assert f"\n    {name} : " in inspect.getdoc(estimator).replace("\n", "\n    ") or f"{name} : " in estimator.__doc__


def test_the_version_is_that_of_the_program():
    import pathlib
    import re

    manifest = (pathlib.Path(__file__).resolve().parents[2] / "Cargo.toml").read_text()
    assert tanner.__version__ == re.search(r'^version = "(.*)"$', manifest, re.M).group(1)


def test_everything_public_is_documented():
    for name in tanner.__all__:
        value = getattr(tanner, name)
        if inspect.isclass(value) or callable(value):
            assert inspect.getdoc(value), name
        if inspect.isclass(value) and value.__module__.startswith("tanner"):
            for member, method in vars(value).items():
                if not member.startswith("_") and (callable(method) or isinstance(method, (property, classmethod))):
                    assert inspect.getdoc(getattr(value, member)) or member in (value.__doc__ or ""), f"{name}.{member}"


def test_importing_is_fast_and_needs_no_scikit_learn():
    code = "import sys, time; start = time.perf_counter(); import tanner; print(time.perf_counter() - start)"
    times = [float(python(code).stdout) for _ in range(3)]
    assert min(times) <= 0.2
    # As if it were not installed.
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'sklearn' else find(name)\n"
        "sys.modules['sklearn'] = None; import numpy, tanner, pydoc\n"
        "assert 'permutation_importance' in pydoc.render_doc(tanner, renderer=pydoc.plaintext)\n"
        "X = numpy.arange(40.0).reshape(20, 2); y = numpy.arange(20) // 10\n"
        "run = tanner.train({'epochs': 2}, (X, y)); print(run.model.predict(X).shape)"
    )
    done = python(code)
    assert done.stdout.strip() == "(20,)", done.stderr
    assert "TannerClassifier needs scikit-learn" in python(code + "\ntanner.TannerClassifier").stderr


def test_other_threads_run_while_training(flowers):
    X, y = flowers
    counted = []
    done = threading.Event()

    def count():
        while not done.is_set():
            counted.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    TannerClassifier(epochs=60, n_jobs=1).fit(X, y)
    seconds = time.perf_counter() - start
    done.set()
    thread.join()
    longest = max(np.diff(counted))
    assert longest < 0.5 * seconds, f"a pause of {longest:.3f} s in {seconds:.3f} s"


def test_runs_in_several_threads(flowers):
    X, y = flowers
    results = {}

    def fit(seed):
        results[seed] = TannerClassifier(epochs=5, random_state=seed, n_jobs=1).fit(X, y).model_.to_bytes()

    threads = [threading.Thread(target=fit, args=(seed % 2,)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert results[0] == TannerClassifier(epochs=5, random_state=0).fit(X, y).model_.to_bytes() != results[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_process_trains_and_predicts():
    code = """
import multiprocessing, numpy
from tanner import TannerClassifier
X = numpy.arange(80.0).reshape(40, 2); y = numpy.arange(40) // 20
fitted = TannerClassifier(epochs=3).fit(X, y)
expected = fitted.predict_proba(X)
def child(number):
    assert (fitted.predict_proba(X) == expected).all()
    return TannerClassifier(epochs=3).fit(X, y).model_.to_bytes() == fitted.model_.to_bytes()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(child, range(4)))
assert (fitted.predict_proba(X) == expected).all()
"""
    done = python(code)
    assert done.stdout.strip() == str([True] * 4), done.stderr


INTERRUPTED = """
import numpy, sys, warnings
from tanner import TannerClassifier
rng = numpy.random.default_rng(0)
X = rng.normal(size=(4000, 50)).astype("float32"); y = (X[:, 0] > 0).astype(int)
def tell(epoch):
    print(epoch["epoch"], flush=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    network = TannerClassifier(epochs=100_000, hidden=[64], preset="none").fit(X, y, callbacks=EPOCHS)
print("fitted", network.n_iter_, network.model_.epochs, network.predict(X[:5]).shape, caught[-1].message)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_keeps_the_last_epoch():
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.replace("EPOCHS", "tell")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while child.stdout.readline().strip() != "2":
        assert child.poll() is None, child.stderr.read()
    child.send_signal(signal.SIGINT)
    start = time.perf_counter()
    output, errors = child.communicate(timeout=60)
    assert time.perf_counter() - start < 10
    last = output.strip().splitlines()[-1]
    assert child.returncode == 0 and last.startswith("fitted"), errors
    _, epochs, of_model, *_ = last.split()
    assert int(epochs) == int(of_model) >= 2 and "interrupted: the model is that of epoch" in last


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_before_the_first_epoch_is_a_keyboard_interrupt():
    code = INTERRUPTED.replace("EPOCHS", "None").replace("(4000, 50)", "(100_000, 100)").replace("[64]", "[3000, 3000]")
    code = code.replace("with warnings", "print('go', flush=True)\nwith warnings")
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "go"
    time.sleep(2)
    child.send_signal(signal.SIGINT)
    start = time.perf_counter()
    _, errors = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors and child.returncode != 0
    assert time.perf_counter() - start < 15


@pytest.mark.skipif(os.name == "nt", reason="needs getrusage")
def test_two_hundred_fits_leak_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 200)).astype(np.float32)  # 320 kB
    y = (X[:, 0] > 0).astype(int)

    def fits(count):
        for _ in range(count):
            TannerClassifier(epochs=1, hidden=[16], preset="none", importance="none", n_jobs=1).fit(X, y).predict(X)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    before = fits(20)
    grown = fits(200) - before
    # One leaked copy of the samples for each fit would be 64 MB.
    assert grown < 16e6, f"{grown / 1e6:.1f} MB"


def test_representations(flowers):
    X, y = flowers
    network = TannerClassifier(epochs=3, arch="rsp", degree=3, hidden=[16, 16])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(X, y)
        run = tanner.train({"epochs": 3}, (X, y))
    assert repr(network) == "TannerClassifier(arch='rsp', degree=3, epochs=3, hidden=[16, 16])"
    assert "parameters" in repr(network.model_) and "3 classes" in repr(network.model_)
    assert repr(run).startswith("Run(completed after 3 of 3 epochs")
    for value in (network.model_, network.topology_[0], network.model_.network, run):
        assert "data:image/png;base64," in value._repr_html_()
    assert "<polyline" in run._repr_html_()
    assert "<polyline" in network._repr_mimebundle_()["text/html"]
    assert "<polyline" not in TannerClassifier()._repr_mimebundle_()["text/html"]


def test_pictures_show_the_edges():
    from tanner._pictures import density, png

    graph = tanner.Topology.from_edges(3, 2, [(0, 0), (2, 1)])
    np.testing.assert_array_equal(density(graph), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(density(tanner.Topology.from_edges(4, 2, [(0, 0), (1, 0), (3, 1)]), 2), [[1, 0], [0, 0.5]])
    assert png(np.zeros((2, 3))).startswith(b"\x89PNG")


def test_plots(flowers):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    X, y = flowers
    network = TannerClassifier(epochs=3).fit(X, y, eval_set=(X, y))
    assert len(network.plot_topology().axes) == 3
    figure = network.plot_history()
    assert [len(axis.lines) for axis in figure.axes] == [2, 2]
    assert len(TannerRegressor(epochs=2).fit(X[:, :2], X[:, 2]).plot_history().axes[1].lines) == 1


def test_progress(flowers, capsys, monkeypatch):
    X, y = flowers
    TannerClassifier(epochs=3, verbose=2).fit(X, y)
    shown = capsys.readouterr().err
    assert "train_loss" in shown and "network: fc" in shown and "150 training" in shown and "test samples" not in shown
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    TannerClassifier(epochs=3, verbose=1).fit(X, y)
    assert capsys.readouterr().err.count("epoch ") == 3
    TannerClassifier(epochs=3).fit(X, y)
    assert capsys.readouterr() == ("", "")
