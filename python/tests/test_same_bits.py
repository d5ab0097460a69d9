"""The same settings on the same data train the same model as on the command line."""

import os

import numpy as np
import pandas
import pytest
from conftest import same_bits

import tanner
from tanner import TannerClassifier, TannerRegressor


@pytest.fixture
def people():
    """A table with numbers, texts, booleans, categories, times that float32 cannot hold, and missing values."""
    rng = np.random.default_rng(0)
    rows = 300
    frame = pandas.DataFrame(
        {
            "age": rng.normal(40, 12, rows).round(1),
            "colour": rng.choice(["red", "green", "blue, dark"], rows),
            "smoker": rng.choice([True, False], rows),
            "size": pandas.Categorical(rng.choice(["small", "large"], rows)),
            "time": 1.7e9 + rng.integers(0, 1000, rows) * 0.25,
            "score": rng.normal(0, 1, rows).astype(np.float32),
        }
    )
    frame["label"] = np.where((frame.age > 40) ^ (frame.colour == "red"), "yes", "no")
    frame.loc[[3, 250], "age"] = np.nan
    frame.loc[5, "colour"] = None
    return frame[:220], frame[220:]


def files(tmp_path, people):
    for name, rows in zip(("train.csv", "test.csv"), people):
        rows.to_csv(tmp_path / name, index=False)
    return tmp_path / "train.csv", "--test", tmp_path / "test.csv"


def test_a_frame_is_a_csv_file(run_program, tmp_path, people):
    train, test = people
    of_program = run_program(*files(tmp_path, people), "--impute", "median")
    X, y = train.drop(columns="label"), train.label
    fitted = TannerClassifier(impute="median").fit(X, y, eval_set=(test.drop(columns="label"), test.label))
    same_bits(fitted.model_, of_program)
    assert fitted.model_.column_names == of_program.column_names
    categories = [
        [column.get("categories") for column in model.info["data"]["encoding"]["columns"]]
        for model in (fitted.model_, of_program)
    ]
    assert categories[0] == categories[1] and categories[0][1] == ["blue, dark", "green", "red"]
    # The program's model reads frames with the columns in any order; further columns are ignored.
    np.testing.assert_array_equal(of_program.predict(test[test.columns[::-1]]), fitted.predict(test.drop(columns="label")))


def test_polars_is_pandas(people):
    polars = pytest.importorskip("polars")
    train, test = people
    X, y = train.drop(columns="label"), train.label
    data = {name: [None if value != value else value for value in X[name].tolist()] for name in X.columns}
    fitted = TannerClassifier(impute="mean", epochs=3).fit(polars.DataFrame(data), polars.Series(y.tolist()))
    same_bits(fitted.model_, TannerClassifier(impute="mean", epochs=3).fit(X, y).model_)
    assert list(fitted.feature_names_in_) == list(X.columns)


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "none", "epochs": 3, "hidden": [24, 16], "arch": "sc", "density": 0.5, "blocks": 2},
        {"preset": "small", "epochs": 3},
        {"preset": "none", "arch": "rsp", "degree": 4, "epochs": 2, "hidden": [16], "importance": "none", "seed": 7},
        {"epochs": 4, "lr": 0.05, "dropout": 0.1, "optimizer": "adamw", "class_weight": "balanced"},
        {"epochs": 6, "rewire": "set", "arch": "rsp", "degree": 4, "hidden": [16, 16], "l1": 1e-4, "schedule": "step:2:0.5"},
        {"epochs": 5, "validation": 0.25, "label_smoothing": 0.2, "batch_size": 17},
    ],
    ids=lambda settings: "-".join(f"{name}={value}" for name, value in settings.items())[:60],
)
def test_settings_mean_the_same(run_program, tmp_path, flowers, settings):
    X, y = flowers
    table = np.column_stack([X, y]).astype(np.float32)
    np.save(tmp_path / "train.npy", table[::2])
    np.save(tmp_path / "test.npy", table[1::2])
    text = lambda value: ",".join(map(str, value)) if isinstance(value, list) else str(value)  # noqa: E731
    flags = [f"--{name.replace('_', '-')}={text(value)}" for name, value in settings.items()]
    of_program = run_program(tmp_path / "train.npy", "--test", tmp_path / "test.npy", *flags)
    X, y = table[::2, :4].copy(), y[::2]
    own = dict(settings)
    fitted = TannerClassifier(random_state=own.pop("seed", None), **own).fit(X, y)
    same_bits(fitted.model_, of_program)
    same_bits(tanner.train(settings, (X, y)).model, of_program)
    np.testing.assert_array_equal(fitted.predict_proba(X), of_program.predict_proba(X))


def test_files_mean_the_same(run_program, tmp_path, people):
    arguments = files(tmp_path, people)
    of_program = run_program(*arguments, "--impute", "zero", "--epochs", "3")
    run = tanner.train({"test": arguments[2], "impute": "zero", "epochs": 3, "backend": "cpu"}, arguments[0])
    assert run.model.to_bytes() == of_program.to_bytes()
    assert run.folder is None


def test_weights_and_numbers_to_predict(run_program, tmp_path):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 5)).astype(np.float32)
    y = (100 + 7 * X[:, 0] - 3 * X[:, 1] ** 2).astype(np.float32)
    weights = rng.integers(0, 4, 200).astype(np.float32)
    frame = pandas.DataFrame(X, columns=list("abcde")).assign(y=y, w=weights)
    frame.to_csv(tmp_path / "train.csv", index=False)
    frame[:40].to_csv(tmp_path / "test.csv", index=False)
    of_program = run_program(
        tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--label", "y", "--weights", "w", "--epochs", "5", "--loss", "huber"
    )
    fitted = TannerRegressor(epochs=5, loss="huber").fit(frame[list("abcde")], y, sample_weight=weights)
    same_bits(fitted.model_, of_program)
    np.testing.assert_array_equal(fitted.predict(frame[list("abcde")]), of_program.predict(frame))


def test_pictures(run_program, tmp_path):
    rng = np.random.default_rng(2)
    X = rng.integers(0, 256, (120, 8, 8)).astype(np.uint8)
    y = (X[:, :4].mean(axis=(1, 2)) > X[:, 4:].mean(axis=(1, 2))).astype(int)
    np.savez(tmp_path / "train.npz", x_train=X, y_train=y, x_test=X, y_test=y)
    of_program = run_program(tmp_path / "train.npz", "--epochs", "3")
    fitted = TannerClassifier(picture=(8, 8), epochs=3).fit(X.reshape(120, 64), y)
    assert fitted.model_.arch == "sc2d" and fitted.model_.image_shape == (8, 8)
    same_bits(fitted.model_, of_program)
    # Pixels from 0 to 1 are the same pictures.
    scaled = (X.reshape(120, 64) / np.float32(255)).astype(np.float32)
    np.testing.assert_array_equal(fitted.predict_proba(scaled), fitted.predict_proba(X.reshape(120, 64)))


def test_the_program_reads_what_python_writes(program, tmp_path, flowers):
    import subprocess

    X, y = flowers
    names = ["a", "b", "c", "d"]
    frame = pandas.DataFrame(X, columns=names)
    fitted = TannerClassifier(epochs=20).fit(frame, np.array(["setosa", "versicolor", "virginica"])[y])
    fitted.model_.save(tmp_path / "model.safetensors")
    frame.to_csv(tmp_path / "new.csv", index=False)
    command = [program, "predict", "--model", str(tmp_path / "model.safetensors"), str(tmp_path / "new.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    predicted = pandas.read_csv(__import__("io").StringIO(done.stdout))
    column = next(name for name in predicted.columns if predicted[name].dtype.kind not in "iuf")
    assert list(predicted[column]) == list(fitted.predict(frame))


def test_a_gpu_agrees(flowers):
    """On any adapter, of software, too; TANNER_REQUIRE_GPU makes a machine without one fail."""
    if not any(device["usable"] for device in tanner.devices()):
        assert not os.environ.get("TANNER_REQUIRE_GPU"), "no usable GPU"
        pytest.skip("no usable GPU")
    X, y = flowers
    X = X.astype(np.float32)
    settings = dict(preset="none", hidden=[32, 32], density=0.5, epochs=5, standardize=True, importance="none", lr=0.01)
    on_gpu = TannerClassifier(backend="gpu", **settings).fit(X, y)
    on_cpu = TannerClassifier(backend="cpu", **settings).fit(X, y)
    np.testing.assert_allclose(on_gpu.predict_proba(X), on_cpu.predict_proba(X), atol=2e-4)
    assert on_gpu.model_.to_bytes() != TannerClassifier(backend="gpu", random_state=1, **settings).fit(X, y).model_.to_bytes()
    again = TannerClassifier(backend="gpu", **settings).fit(X, y)
    assert again.model_.to_bytes() == on_gpu.model_.to_bytes()
