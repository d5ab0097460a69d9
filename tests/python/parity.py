"""Compares the outputs of models in numpy, scipy and ONNX Runtime with those in tanner.

parity.py FOLDER, the one with the program `tanner`. Prints the largest difference
of probabilities for each model and program; ends with 1 where one is above LIMIT, NaN, or a file is not valid.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import scipy.sparse

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))
from predict_numpy import ACTIVATIONS, of_outputs, predict, predict_averaged  # noqa: E402

LIMIT = 1e-5
SAMPLES = 200
DATA = ROOT / "data/fashion-mnist"
SHORT = f"--data {DATA} --train-limit 500 --epochs 1 --backend cpu --threads 2"
SMALL = "--hidden 160,96 --blocks 4 --degrees 20,24,12,6"

# Every kind of layer, preprocessing and activation at least once.
MODELS = {
    "sc-pca": f"{SMALL} --pca",
    "sc-pca-standardized": f"{SMALL} --pca --standardize on --activation relu --optimizer sgd --lr 0.01",
    "sc-random-tanh": f"{SMALL} --importance random --activation tanh",
    "sc-none": f"{SMALL} --importance none --standardize on --activation identity --optimizer sgd --lr 0.01",
    "rsp-forest": "--arch rsp --hidden 160,96 --rf --trees 20",
    "band-variance": f"--arch band {SMALL} --importance variance --order asc",
    "fc-none": "--arch fc --hidden 64,32 --importance none",
    "narrow-pca": "--arch narrow --pca",
    "numbers": "--arch fc --hidden 64,32 --importance none --numbers piecewise --bins 4",
    "numbers-forest": "--arch rsp --hidden 160,96 --rf --trees 20 --numbers piecewise --bins 4",
    "numbers-pca": f"{SMALL} --pca --numbers scaled --activation relu --optimizer sgd --lr 0.01",
    "no-hidden": "--arch fc --hidden none --pca",
    "sc2d": "--arch sc2d --activation relu",
    # After so few steps with a batch of 128, logits are about 60, where float32 sums have errors of 1e-5.
    "paper": "--pca --batch-size 16",
    "paper-fc": "--arch fc --pca --batch-size 16",
}
PRUNED = {
    "pruned-blocks": ("sc-pca", "--max-drop 40"),
    "pruned-magnitude": ("fc-none", "--method magnitude --sparsity 0.95"),
}


def tanner(program, folder, line):
    """Runs one command line in `folder`."""
    ended = subprocess.run([program, *line.split()], cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"tanner {line}\n{ended.stderr}")


def pictures():
    """Raw features as tanner reads them: pixels by 255, [sample][feature]."""
    with gzip.open(next(DATA.glob("t10k-images*")), "rb") as file:
        pixels = np.frombuffer(file.read(16 + SAMPLES * 784), np.uint8, offset=16)
    return (pixels.reshape(SAMPLES, 784) / np.float32(255)).astype(np.float32)


def by_program(program, folder, model, features, flags=""):
    """Probabilities of the program itself."""
    np.save(folder / "features.npy", features)
    tanner(program, folder, f"predict --model {model} features.npy --out probabilities.npy{flags}")
    return np.load(folder / "probabilities.npy")


def by_onnx(path, features):
    """Probabilities of ONNX Runtime; also checks the file, and that labels have the greatest probability."""
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(str(path))
    assert model.opset_import[0].version == 13 and model.ir_version == 7
    names = json.loads({entry.key: entry.value for entry in model.metadata_props}["class_names"])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [(value.name, value.type) for value in session.get_inputs()] == [("features", "tensor(float)")]
    outputs = [(value.name, value.type) for value in session.get_outputs()]
    assert outputs == [("label", "tensor(int64)"), ("probabilities", "tensor(float)")], outputs
    label, probabilities = session.run(None, {"features": features})
    assert label.shape == (len(features),) and probabilities.shape == (len(features), len(names))
    chosen = np.take_along_axis(probabilities, label[:, None], axis=1)[:, 0]
    assert (chosen == probabilities.max(axis=1)).all()
    alone = session.run(["probabilities"], {"features": features[:1]})[0]
    assert np.abs(alone - probabilities[:1]).max() <= LIMIT
    return probabilities


def by_scipy(folder, x):
    """Probabilities from the exported matrices."""
    header = json.loads((folder / "model.json").read_text())
    biases, preprocessing = np.load(folder / "biases.npz"), np.load(folder / "preprocessing.npz")
    if "number_source" in preprocessing:
        offset, width, low, high = (preprocessing[f"number_{part}"] for part in ("offset", "width", "low", "high"))
        x = np.clip((x[:, preprocessing["number_source"]] - offset) / width, low, high)
    if header["standardized"]:
        x = (x - preprocessing["feature_mean"]) / preprocessing["feature_divisor"]
    if header["importance"] == "pca":
        x = (x - preprocessing["mean"]) @ preprocessing["rotation"].T
    elif "order" in preprocessing:
        x = x[:, preprocessing["order"]]
    for index, layer in enumerate(header["layers"]):
        weights = scipy.sparse.load_npz(folder / f"layer{index + 1}.npz")
        assert weights.format == "csr" and weights.has_canonical_format and weights.dtype == np.float32
        assert weights.shape == (len(biases[f"layer{index + 1}"]), x.shape[1])
        x = ACTIVATIONS[layer["activation"]]((weights @ x.T).T + biases[f"layer{index + 1}"])
    return of_outputs(header.get("data", {}), x)


def compare(programs, name, model, folder, features):
    """The largest differences of one model, by program, and the sizes of its files."""
    expected = by_program(programs / "tanner", folder, model, features)
    found = {"numpy": predict(model, features)}
    sizes = {"safetensors": model.stat().st_size}
    for form in ("dense", "scatter", "gather", "auto"):
        path = folder / f"{name}-{form}.onnx"
        tanner(programs / "tanner", folder, f"export --model {model} --onnx {path} --form {form}")
        found[form] = by_onnx(path, features)
        sizes[form] = path.stat().st_size
    assert sizes["auto"] <= sizes["dense"] and sizes["auto"] <= sizes["scatter"] + 512, sizes
    tanner(programs / "tanner", folder, f"export --model {model} --csr {name}-csr")
    found["scipy"] = by_scipy(folder / f"{name}-csr", features)
    sizes["csr"] = sum(path.stat().st_size for path in (folder / f"{name}-csr").iterdir())
    differences = {program: float(np.abs(value - expected).max()) for program, value in found.items()}
    averaged = by_program(programs / "tanner", folder, model, features, " --average shift=8,flip")
    differences["averaged"] = float(np.abs(predict_averaged(model, features, 8) - averaged).max())
    return differences, sizes


def by_runtime(path, features):
    """Probabilities of ONNX Runtime alone."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"features": features.astype(np.float32)})[0]


def compare_inputs(program, folder, features):
    """The largest differences for what comes before raw features: bytes as pixels, and missing values."""
    differences = {}
    expected = by_program(program, folder, folder / "fc-none/model.safetensors", features)
    bytes_ = np.round(features * 255).astype(np.uint8)
    model = folder / "fc-none/model.safetensors"
    differences["bytes, program"] = by_program(program, folder, model, bytes_) - expected
    differences["bytes, numpy"] = predict(model, bytes_) - expected
    differences["bytes, onnx"] = by_runtime(folder / "fc-none-dense.onnx", bytes_) - expected
    rng = np.random.default_rng(0)
    numbers, colours = rng.normal(size=(90, 2)) + 3, rng.choice(["red", "blue"], 90)
    text = [f"{a},{b},{c},{'uv'[int(a > b)]}" for (a, b), c in zip(numbers, colours, strict=True)]
    text[4] = f"{numbers[4, 0]},,{colours[4]},u"
    text[5] = f",{numbers[5, 1]},,v"
    (folder / "gaps.csv").write_text("a,b,colour,label\n" + "\n".join(text))
    flags = "--preset small --epochs 5 --backend cpu --threads 2 --impute median"
    tanner(program, folder, f"--data gaps.csv {flags} --out gaps")
    tanner(program, folder, "predict --model gaps gaps.csv --out gaps-probabilities.npy")
    tanner(program, folder, "export --model gaps --onnx gaps.onnx")
    rows = np.column_stack([numbers, colours == "blue", colours == "red"]).astype(np.float32)
    rows[4, 1] = rows[5, 0] = rows[5, 2] = rows[5, 3] = np.nan
    expected = np.load(folder / "gaps-probabilities.npy")
    differences["gaps, numpy"] = predict(folder / "gaps/model.safetensors", rows) - expected
    differences["gaps, onnx"] = by_runtime(folder / "gaps.onnx", rows) - expected
    return {name: float(np.abs(value).max()) for name, value in differences.items()}


# Label columns and flags of models that predict no classes.
TASKS = {
    "number": ("price", ""),
    "numbers-huber": ("price,size", "--loss huber:0.5 --preset small"),
    "labels": ("red,big", ""),
    "one-label": ("red", "--task multilabel --arch rsp --hidden 24 --degree 6"),
}


def compare_tasks(program, folder):
    """The largest differences of models that predict numbers, in deviations, or several labels."""
    rng, differences = np.random.default_rng(1), {}
    numbers, places = rng.normal(size=(150, 3)) * [1, 10, 0.1] + [0, 50, 1], rng.choice(["sea", "town"], 150)
    price = 1000 + 80 * numbers[:, 0] + numbers[:, 1] + 30 * (places == "sea") + rng.normal(size=150)
    columns = {"a": numbers[:, 0], "b": numbers[:, 1], "c": numbers[:, 2], "place": places, "price": price,
               "size": 0.001 * numbers[:, 2] * price, "red": (numbers[:, 0] > 0) * 1, "big": (price > 1060) * 1}
    rows = ["{},{},{},{},{},{},{},{}".format(*row) for row in zip(*columns.values(), strict=True)]
    (folder / "houses.csv").write_text("\n".join([",".join(columns), *rows]))
    features = np.column_stack([numbers, places == "sea", places == "town"]).astype(np.float32)
    for name, (labels, flags) in TASKS.items():
        dropped = ",".join({"price", "size", "red", "big"} - set(labels.split(",")))
        line = f"--data houses.csv --label {labels} --drop {dropped} --epochs 5 --backend cpu --threads 2 {flags} --out {name}"
        tanner(program, folder, line)
        tanner(program, folder, f"export --model {name} --csr {name}-csr")
        tanner(program, folder, f"export --model {name} --onnx {name}.onnx")
        tanner(program, folder, f"predict --model {name} houses.csv --out {name}.npy")
        expected, model = np.load(folder / f"{name}.npy"), folder / name / "model.safetensors"
        output = "predictions" if labels.startswith("price") else "probabilities"
        assert expected.shape == (150, labels.count(",") + 1)
        onnx.checker.check_model(str(folder / f"{name}.onnx"), full_check=True)
        session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        assert [value.name for value in session.get_outputs()] == [output]
        found = {"numpy": predict(model, features), "scipy": by_scipy(folder / f"{name}-csr", features),
                 "onnx": session.run(None, {"features": features})[0]}
        size = expected.std(axis=0) if output == "predictions" else 1
        for other, values in found.items():
            differences[f"{name}, {other}"] = float((np.abs(values - expected) / size).max())
    return differences


def main():
    """Makes the models, compares each, prints a table."""
    programs = Path(sys.argv[1]).resolve()
    features, failures, sizes = pictures(), [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for run, flags in MODELS.items():
            tanner(programs / "tanner", folder, f"{SHORT} {flags} --out {run}")
        for run, (of, flags) in PRUNED.items():
            model, data = f"{of}/model.safetensors", f"--data {DATA} --train-limit 500 --validation 0.2"
            tanner(programs / "tanner", folder, f"prune --model {model} {data} --backend cpu {flags} --out {run}")
        for run in [*MODELS, *PRUNED]:
            differences, sizes[run] = compare(programs, run, folder / run / "model.safetensors", folder, features)
            print(f"{run:<20}", *(f"{program} {value:.1e}" for program, value in differences.items()))
            # Not `value > LIMIT`, which NaN would pass.
            failures += [f"{run}: {program} {value}" for program, value in differences.items() if not value <= LIMIT]
        inputs = compare_inputs(programs / "tanner", folder, features) | compare_tasks(programs / "tanner", folder)
        print(*(f"{name} {value:.1e}" for name, value in inputs.items()))
        failures += [f"{name} {value}" for name, value in inputs.items() if not value <= LIMIT]
    print("bytes of the files")
    for run, of in sizes.items():
        print(f"{run:<20}", *(f"{kind} {size}" for kind, size in of.items()))
    if failures:
        sys.exit(f"probabilities differ by more than {LIMIT}: " + ", ".join(failures))
    print(f"{len(sizes)} models: all probabilities within {LIMIT}")


if __name__ == "__main__":
    main()
