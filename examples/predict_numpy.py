"""Predictions of a tanner model with numpy alone: predict_numpy.py MODEL.safetensors FEATURES.npy"""

import json
import sys

import numpy as np
from safetensors import safe_open

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),  # 1 / (1 + exp(-z)) that never overflows
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "identity": lambda z: z,
}


def predict(path, x):
    """Probabilities [sample][class] of raw features x [sample][feature], or of regression numbers [sample][target]; see
    docs/model-format.md."""
    return of_outputs(header_of(path).get("data", {}), logits(path, x))


def of_outputs(data, outputs):
    """What the outputs of the last layer mean."""
    if data.get("task") == "regression":
        return outputs * [t["deviation"] for t in data["targets"]] + [t["mean"] for t in data["targets"]]
    if data.get("task") == "multilabel":
        return 0.5 + 0.5 * np.tanh(0.5 * outputs)
    return np.exp(log_softmax(outputs))


def header_of(path):
    """The JSON that describes the model."""
    with safe_open(path, "numpy") as file:
        return json.loads(file.metadata()["tanner"])


def logits(path, x):
    """The logits [sample][class]: the outputs of the last layer, before softmax."""
    header = header_of(path)
    with safe_open(path, "numpy") as file:
        t = {name: file.get_tensor(name) for name in file.keys()}
    x = raw_features(np.asarray(x), header.get("data", {}))
    if header.get("numbers"):
        offset, width, low, high = (t[f"preprocessing.number_{part}"] for part in ("offset", "width", "low", "high"))
        x = np.clip((x[:, t["preprocessing.number_source"]] - offset) / width, low, high)
    if header.get("standardized"):
        if header["version"] < 4:
            t["preprocessing.feature_divisor"] = t["preprocessing.feature_deviation"] + np.float32(1e-3)
        x = (x - t["preprocessing.feature_mean"]) / t["preprocessing.feature_divisor"]
    if header["importance"] == "pca":
        x = (x - t["preprocessing.mean"]) @ t["preprocessing.rotation"].T
    elif "preprocessing.order" in t:
        x = x[:, t["preprocessing.order"]]
    for index, layer in enumerate(header["layers"]):
        weights, biases = t[f"layers.{index}.weights"], t[f"layers.{index}.biases"]
        if not layer["fully_connected"]:  # the edges' places: here a matrix with zeros, scipy.sparse does without
            edges = np.diff(t[f"layers.{index}.row_start"].astype(np.int64))
            dense = np.zeros((len(biases), x.shape[1]), np.float32)
            dense[np.repeat(np.arange(len(biases)), edges), t[f"layers.{index}.inputs"]] = weights
            weights = dense
        x = ACTIVATIONS[layer["activation"]](x @ weights.reshape(len(biases), -1).T + biases)
    return x


def raw_features(x, data):
    """Raw features as the model takes them: bytes and pixels above 1 are scaled, NaN is filled."""
    scale, encoding = data.get("pixel_scale"), data.get("encoding", {})
    above = x.dtype == np.uint8 or np.nanmax(x, axis=1, keepdims=True) > 1
    x = x.astype(np.float32)
    if scale:
        x = np.where(above, x / np.float32(scale), x)
    if "impute" in encoding:
        fills = [[0] * len(c["categories"]) if "categories" in c else [c["fill"]] for c in encoding["columns"]]
        x = np.where(np.isnan(x), np.concatenate(fills).astype(np.float32), x)
    return x


def log_softmax(logits):
    """The logarithms of the probabilities."""
    below = logits - logits.max(axis=1, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=1, keepdims=True))


def views(x, shape, shift, flip):
    """The pictures x [sample][pixel] unchanged and shifted by up to `shift` pixels; with `flip`, each also mirrored."""
    rows, columns = shape
    pictures = x.reshape(len(x), rows, columns)
    steps = [(0, 0)] + [step for k in range(1, shift + 1) for step in ((k, 0), (-k, 0), (0, k), (0, -k))]
    for right, down in steps:
        for mirrored in (False, True) if flip else (False,):
            wide = np.pad(pictures[:, :, ::-1] if mirrored else pictures, ((0, 0), (shift, shift), (shift, shift)))
            yield wide[:, shift - down : shift - down + rows, shift - right : shift - right + columns].reshape(x.shape)


def predict_averaged(path, x, shift=1, flip=True):
    """As predict, averaged over views of each picture, like `tanner predict --average shift=1,flip`: the mean of the
    log-probabilities, normalised; of numbers and labels the mean output."""
    data = header_of(path)["data"]
    seen = [logits(path, view) for view in views(x, data["image_shape"], shift, flip)]
    if "task" not in data:
        seen = [log_softmax(outputs) for outputs in seen]
    return of_outputs(data, np.mean(seen, axis=0))


if __name__ == "__main__":
    task = header_of(sys.argv[1]).get("data", {}).get("task", "classification")
    for row in predict(sys.argv[1], np.load(sys.argv[2])):
        label = [row.argmax()] if task == "classification" else []
        print(*label, *(f"{p:.6f}" for p in row))
