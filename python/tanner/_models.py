"""Training runs and trained models."""

from __future__ import annotations

import json
import os
import re
import warnings as _warnings
from contextlib import contextmanager, nullcontext

import numpy as np

from . import _native
from ._data import (
    BLOCK,
    TannerWarning,
    as_json,
    cache_folder,
    class_texts,
    equal_to_none,
    in_python,
    is_frame,
    is_sparse,
    names_of,
    number_of,
    pair_of,
    plain,
    same_names,
    table_of,
)
from ._topologies import Topology, natives

# Whole numbers of more kinds are predicted as numbers, unless the task is named.
MOST_CLASSES = 50
# Steps of float32 between the least and the greatest of the numbers to predict, at least.
STEPS = 1000


def devices():
    """The GPUs of this machine, best first, as dicts.

    Keys: number and name (either selects it as `adapter`), type, is_hardware, api, driver, memory (bytes), usable, lacks (why
    it is not usable, or None).
    """
    return _native.devices()[0]


def settings():
    """All settings that `train` takes, as {name: what it is}; each is a flag of the command line with underscores.

    `help(tanner.TannerClassifier)` says more of most.
    """
    return {name.replace("-", "_"): _without_flags(about) for name, about in _native.settings()}


def _without_flags(text):
    return re.sub(r"--([a-z0-9-]+)", lambda flag: flag[1].replace("-", "_"), text).replace("`", "")


def load(path):
    """Reads a model: a file that the command line or `Model.save` wrote, or a run folder.

    Raises OSError if it cannot be read, ValueError if it is not a model.
    """
    return Model._of(_native.Model.load(os.fspath(path)))


def warn_of(lines, level=3, of_file=False):
    for line in lines:
        _warnings.warn(line if of_file else in_python(line), TannerWarning, stacklevel=level)


@contextmanager
def advising_python():
    """Errors about data in memory and own graphs, with what one does about them in Python."""
    try:
        yield
    except ValueError as error:
        raise ValueError(_of_graphs(in_python(str(error)))) from None


def _of_graphs(message):
    """A message about the layers of own graphs."""
    message = re.sub(
        r"^network: a preprocessing with (\d+) output features does not fit a network of (\d+) inputs$",
        r"topologies: the first graph has \2 inputs, but the samples have \1 features",
        message,
    )
    return re.sub(
        r"^network: layer (\d+) has (\d+) outputs, layer (\d+) has (\d+) inputs$",
        r"topologies: graph \1 has \2 outputs, but graph \3 has \4 inputs",
        message,
    )


def classes_known(labels, weights=None):
    """Labels as the native module takes them, with the names in the order of the model."""
    classes, places = np.unique(np.asarray(labels), return_inverse=True)
    texts, order = class_texts(classes.tolist() if classes.dtype.kind in "biuU" else list(classes))
    rank = np.empty(len(order), dtype=np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    names = [texts[place] for place in order]
    return _native.Known.classes(rank[places.ravel()], names, _weights32(weights)), classes, order


def labels_known(labels, classes, order, weights=None):
    """Labels of classes that are known."""
    labels = np.asarray(labels)
    places = np.searchsorted(classes, labels)
    places[places == len(classes)] = 0
    unknown = classes[places] != labels
    if unknown.any():
        there = [plain(label) for label in classes[:10]]
        raise ValueError(f"label {plain(labels[unknown][0])!r} is not a class of the training data, which has {there}")
    texts, _ = class_texts(classes.tolist() if classes.dtype.kind in "biuU" else list(classes))
    rank = np.empty(len(order), dtype=np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    return _native.Known.classes(rank[places], [texts[place] for place in order], _weights32(weights))


def numbers_known(task, values, names=None, weights=None):
    """Numbers to predict, [samples] or [samples, targets], as the native module takes them."""
    values = np.asarray(values, dtype=np.float64)
    values = values.reshape(len(values), -1)
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(values, dtype=np.float32)
    if np.isinf(single).any() and not np.isinf(values).any():
        raise ValueError("a number to predict is too large for float32")
    if not single.any() and values.any():
        raise ValueError("the numbers to predict are too small for float32: multiply them by a constant")
    if task == "regression":
        _refuse_coarse(values, single)
    names = names or (["label"] if values.shape[1] == 1 else [f"label{place}" for place in range(values.shape[1])])
    return _native.Known.numbers(task, single, names, _weights32(weights))


def _refuse_coarse(values, single):
    """Refuses numbers so far from 0 that float32 loses their differences, as the command line does."""
    for target in np.flatnonzero((values != single).any(axis=0)):
        low, high = float(values[:, target].min()), float(values[:, target].max())
        largest = np.float32(max(abs(low), abs(high)))
        step = float(np.nextafter(largest, np.float32(np.inf))) - float(largest)
        if high > low and np.isfinite(step) and step * STEPS > high - low:
            raise ValueError(
                f"the numbers to predict go from {low!r} to {high!r}, where float32 has steps of {step:g}: "
                f"subtract {round(low + (high - low) / 2)} from them, and add that to the predictions"
            )


def _weights32(weights):
    return None if weights is None else np.ascontiguousarray(weights, dtype=np.float32)


class Network:
    """The network that settings draw, without values and without training.

    Parameters
    ----------
    features : int
        Number of inputs.
    outputs : int
        Number of classes, or of numbers to predict.
    picture : (rows, columns), optional
        The shape of a sample, for networks in two dimensions.
    **settings
        Settings of the architecture, such as `arch`, `hidden` and `density`, and `seed`.

    Attributes
    ----------
    layers : list of Topology
        The graph of each layer, from the inputs to the logits.

    >>> import tanner
    >>> tanner.Network(64, 10, hidden=[32, 32], density=0.25)
    Network(64-32-32-10, 1,114 parameters, 32.1 % of fully connected)
    """

    def __init__(self, features, outputs, *, picture=None, **settings):
        refuse_unknown("Network", settings)
        drawn = _native.draw(as_json(settings), features, outputs, None if picture is None else tuple(picture))
        self.layers = [Topology._of(layer) for layer in drawn]

    @classmethod
    def _of_layers(cls, layers):
        network = object.__new__(cls)
        network.layers = layers
        return network

    @property
    def widths(self):
        """Number of neurons of each row, the inputs first: [layers + 1]."""
        return [self.layers[0].inputs] + [layer.outputs for layer in self.layers]

    @property
    def parameters(self):
        """Number of weights and biases."""
        return sum(layer.edges + layer.outputs for layer in self.layers)

    def __repr__(self):
        dense = sum((a + 1) * b for a, b in zip(self.widths, self.widths[1:]))
        widths = "-".join(map(str, self.widths))
        share = 100 * self.parameters / dense
        return f"Network({widths}, {self.parameters:,} parameters, {share:.3g} % of fully connected)"

    def _repr_html_(self):
        from ._pictures import connectivity_html

        return f"<div>{self!r}</div>{connectivity_html(self.layers)}"

    def plot(self, axes=None):
        """Draws which weights exist, a picture for each layer, with matplotlib; returns the figure."""
        from ._pictures import plot_topology

        return plot_topology(self.layers, axes)


class Model:
    """A trained network with its preprocessing: the content of a model file.

    It is pickled as the bytes of that file, which are the same for the same model.

    Attributes
    ----------
    task : str
        "classification", "regression" or "multilabel".
    class_names : list of str
        The name of each output: of classes, or of the numbers to predict.
    column_names : list of str or None
        The columns that it takes, if they had names in training.
    network : Network
        Its graphs.
    parameters, dense_parameters : int
        Number of weights and biases; the same of the fully connected network of these widths.
    epochs : int
        Passes over the training set.
    """

    __slots__ = ("_native",)

    def __init__(self):
        raise TypeError("load a Model with tanner.load, or train one")

    @classmethod
    def _of(cls, native):
        model = object.__new__(cls)
        model._native = native
        return model

    @classmethod
    def from_bytes(cls, data):
        """Reads the bytes of a model file."""
        return cls._of(_native.Model.from_bytes(bytes(data)))

    def to_bytes(self):
        """The bytes of the model file."""
        return self._native.to_bytes()

    def save(self, path):
        """Writes the model file, which the command line reads, too."""
        self._native.save(os.fspath(path))

    def to_onnx(self, path=None, *, weights="auto"):
        """The model as an ONNX file: its bytes, or written to `path`.

        Its input "features" is float32 [samples, features], before scaling and after encoding: a column of texts is a feature of 0
        and 1 for each category, in the order of `info["data"]["feature_names"]`.

        `weights` says how sparse layers keep them: "dense", "scatter" (expanded when the file is loaded), "gather" (never dense)
        or "auto".
        """
        if weights not in ("auto", "dense", "scatter", "gather"):
            raise ValueError(f"weights: {weights!r} is not one of auto, dense, scatter, gather")
        data = self._native.to_onnx(weights)
        if path is None:
            return data
        with open(path, "wb") as file:
            file.write(data)
        return None

    def _parts(self, data):
        """Tables of some rows each: only sparse matrices have several."""
        if is_sparse(data):
            matrix = data.tocsr()
            for start in range(0, matrix.shape[0], BLOCK):
                yield self._table(matrix[start : start + BLOCK])
            return
        yield self._table(data)

    def _table(self, data):
        """A table with the columns of the model: of a frame those of their names, in any order."""
        names = self.column_names
        if is_frame(data) and names is not None:
            missing = [name for name in names if name not in data.columns]
            if missing:
                there = ", ".join(map(repr, list(data.columns)[:10]))
                raise ValueError(f"column {missing[0]!r} is missing, there are {there}")
            data = data[names]
        return table_of(data, takes_texts=self._native.takes_texts)

    def _predict(self, data, threads=None, level=4):
        """Labels [samples], probabilities [samples, classes], and numbers [samples, targets] or None."""
        with advising_python():
            done = [self._native.predict(table, threads) for table in self._parts(data)]
        for part in done:
            warn_of(part[3], level)
        if len(done) == 1:
            return done[0][:3]
        labels, probabilities = (np.concatenate([part[place] for part in done]) for place in (0, 1))
        values = None if done[0][2] is None else np.concatenate([part[2] for part in done])
        return labels, probabilities, values

    def predict(self, data, *, threads=None):
        """Predicts samples: an array [samples, features], a frame whose columns have the names of training in any order, or a
        sparse matrix.

        Returns the name of each sample's class as an array of str [samples]; of regression numbers [samples] or
        [samples, targets], in the units of training; of several labels 0 and 1, [samples, labels].
        """
        labels, probabilities, values = self._predict(data, threads)
        if values is not None:
            return values[:, 0] if values.shape[1] == 1 else values
        if self.task == "multilabel":
            return (probabilities > 0.5).astype(np.int64)
        return np.array(self.class_names)[labels]

    def predict_proba(self, data, *, threads=None):
        """The probability of each class, float32 [samples, classes], in the order of `class_names`."""
        _, probabilities, values = self._predict(data, threads)
        if values is not None:
            raise ValueError("a regression has no probabilities")
        return probabilities

    def permutation_importance(self, data, labels, *, repeats=5, seed=0, threads=None):
        """By how much each column matters: the mean drop of the accuracy (of regression the rise of the RMSE) when its values are
        shuffled among the samples, as {column: drop}, the largest first.

        `labels` are names of classes, or numbers.
        """
        measured = self._native.importance(self._table(data), self._known(labels), repeats, seed, threads)
        return {name: drop for name, drop, _ in measured}

    def prune(
        self,
        data,
        labels,
        *,
        sparsity=None,
        threshold=None,
        target=None,
        max_drop=None,
        blocks=None,
        rounds=1,
        fine_tune=0,
        lr=None,
        batch_size=128,
        validation=0.2,
        seed=0,
        test=None,
        threads=None,
    ):
        """A smaller model: without the smallest weights (`sparsity`, the share to remove, or `threshold`), otherwise without the
        last blocks of each layer, down to the share `target` of the parameters or until the accuracy on the held-out
        share `validation` falls by `max_drop` points (0.5). `blocks` is the number of blocks to cut each layer into, by default the
        network's own, or 8 if it has none.

        `rounds` of pruning are each followed by `fine_tune` epochs of training on `data`. `test` is a pair of samples and labels
        that only the curve uses. Samples that the model was trained on get better scores than new ones.

        Returns (Model, curve), the curve being a list of dicts, one for each network on the way.
        """
        goals = dict(sparsity=sparsity, threshold=threshold, target=target, max_drop=max_drop)
        given = [name for name, value in goals.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} cannot be used together: each says how much to remove")
        options = dict(
            sparsity=number_of("sparsity", sparsity, least=0),
            threshold=number_of("threshold", threshold, least=0),
            target=number_of("target", target, least=0, most=1),
            max_drop=number_of("max_drop", max_drop, least=0, most=100),
            blocks=number_of("blocks", blocks, whole=True, least=1),
            rounds=number_of("rounds", rounds, whole=True, least=1),
            fine_tune=number_of("fine_tune", fine_tune, whole=True, least=0),
            lr=number_of("lr", lr, least=0),
            batch_size=number_of("batch_size", batch_size, whole=True, least=1),
            validation=validation if isinstance(validation, int) else number_of("validation", validation, least=0, most=1),
            seed=number_of("seed", seed, whole=True, least=0),
            threads=number_of("threads", threads, whole=True, least=1),
        )
        if test is not None:
            test = pair_of("test", test)
            test = (self._table(test[0]), self._known(test[1]))
        native, curve, failure = self._native.prune(as_json(options), self._table(data), self._known(labels), test)
        if failure is not None:
            warn_of([f"pruning ended early: {failure}"])
        if test is None:
            curve = [{name: value for name, value in point.items() if not name.startswith("test_")} for point in curve]
        return Model._of(native), curve

    def _known(self, labels):
        """Labels, by the names of the model, as the native module takes them."""
        names = self.class_names
        if self.task != "classification":
            same_names("labels", names_of(labels), names)
            return numbers_known(self.task, labels, names)
        if np.ndim(labels) != 1:
            raise ValueError(f"labels have {np.ndim(labels)} dimensions, expected the label of each sample, [samples]")
        place = {name: index for index, name in enumerate(names)}
        texts, _ = class_texts(list(dict.fromkeys(np.asarray(labels).tolist())))
        text_of = dict(zip(dict.fromkeys(np.asarray(labels).tolist()), texts))
        try:
            codes = [place[text_of[label]] for label in np.asarray(labels).tolist()]
        except KeyError as unknown:
            label = plain(unknown.args[0])
            raise ValueError(f"label {label!r} is not a class of the model, which has {names[:10]}") from None
        return _native.Known.classes(np.array(codes, dtype=np.uint32), names, None)

    def weights(self, layer=None):
        """The weights of a layer, counted from 0, as a scipy.sparse.csr_matrix [outputs, inputs]; without a number, of all."""
        if layer is None:
            return [self.weights(place) for place in range(len(self.widths) - 1)]
        found = self._native.layer(range(len(self.widths) - 1)[layer])
        return Topology._of(found["topology"]).to_scipy(found["weights"])

    def biases(self, layer=None):
        """The biases of a layer, counted from 0, float32 [outputs]; without a number, of all."""
        if layer is None:
            return [self.biases(place) for place in range(len(self.widths) - 1)]
        return self._native.layer(range(len(self.widths) - 1)[layer])["biases"]

    @property
    def activations(self):
        """The activation of each layer."""
        return [self._native.layer(place)["activation"] for place in range(len(self.widths) - 1)]

    @property
    def network(self):
        """Its graphs, a Network."""
        layers = [self._native.layer(place)["topology"] for place in range(len(self.widths) - 1)]
        return Network._of_layers([Topology._of(layer) for layer in layers])

    @property
    def info(self):
        """All that the model file says of the model besides its numbers, as a dict."""
        return json.loads(self._native.header())

    @property
    def task(self):
        """What it predicts: "classification", "regression" or "multilabel"."""
        return self._native.task

    @property
    def arch(self):
        """The kind of its hidden layers, such as "sc" or "fc"; "custom" for own graphs."""
        return self._native.arch

    @property
    def widths(self):
        """Number of neurons of each row, the inputs first: [layers + 1]."""
        return self._native.widths

    @property
    def class_names(self):
        """The name of each output: of classes, or of the numbers to predict."""
        return self._native.output_names

    @property
    def column_names(self):
        """The columns that it takes, if they had names in training; otherwise None."""
        return self._native.column_names

    @property
    def parameters(self):
        """Number of weights and biases."""
        return self._native.parameters

    @property
    def dense_parameters(self):
        """Number of weights and biases of the fully connected network of these widths."""
        return self._native.dense_parameters

    @property
    def epochs(self):
        """Passes over the training set."""
        return self._native.epochs

    @property
    def image_shape(self):
        """Rows and columns of pixels, if samples are pictures; otherwise None."""
        shape = self._native.image_shape
        return None if shape is None else tuple(shape)

    def __reduce__(self):
        return Model.from_bytes, (self.to_bytes(),)

    def __repr__(self):
        widths = "-".join(map(str, self.widths))
        what = {"classification": "classes", "regression": "numbers", "multilabel": "labels"}[self.task]
        share = 100 * self.parameters / self.dense_parameters
        return (
            f"Model({self.arch} {widths}, {self.parameters:,} parameters, {share:.3g} % of fully connected, "
            f"{len(self.class_names)} {what}, {self.epochs} epochs)"
        )

    def _repr_html_(self):
        from ._pictures import connectivity_html

        return f"<div>{self!r}</div>{connectivity_html(self.network.layers)}"

    def plot_topology(self, axes=None):
        """Draws which weights exist, a picture for each layer, with matplotlib; returns the figure."""
        return self.network.plot(axes)


class Run:
    """What `train` returns.

    Attributes
    ----------
    model : Model
        After the last whole epoch.
    best_model : Model
        After the epoch with the best score; of a run without scores the same as `model`.
    best_epoch : int or None
        The epoch with the best score, from 1; equal scores are decided by the lower loss.
    history : list of dict
        One for each epoch. Keys: epoch (from 1); train_loss, the mean over the epoch's steps, with penalties left out; train_accuracy (of
        regression train_rmse, of several labels train_subset_accuracy); learning_rate; seconds, and seconds_steps, those of the steps alone; edges_moved, with
        `rewire`. With samples to score on: scored_on; score, which is the accuracy, the RMSE in units of y (of several numbers in deviations
        of each) or the share of samples all of whose labels are right; score_loss.
    ending : str
        "completed", "out of patience", "stopped" (by a callback) or "interrupted" (by Ctrl-C).
    folder : str or None
        The run folder, if `out` named one.
    """

    def __init__(self, native, is_scored):
        self.model = Model._of(native.model)
        self.best_epoch = native.best_epoch if is_scored else None
        self._best = native.best if is_scored else None
        self.history = [_named(epoch, is_scored) for epoch in native.history()]
        self.ending = "interrupted" if native.interrupted else native.ending
        self.epochs_planned = native.epochs_planned
        self.folder = None if native.folder is None else os.fspath(native.folder)

    @property
    def best_model(self):
        """The model after the epoch with the best score; of a run without scores that of the last epoch."""
        if self._best is not None:
            return Model._of(self._best)
        if self.folder is not None and self.best_epoch not in (None, len(self.history)):
            return load(os.path.join(self.folder, "best.safetensors"))
        return self.model

    def __repr__(self):
        last = self.history[-1] if self.history else {}
        shown = ", ".join(f"{name} {last[name]:.4g}" for name in ("train_loss", "score") if name in last)
        return f"Run({self.ending} after {len(self.history)} of {self.epochs_planned} epochs{', ' if shown else ''}{shown}, {self.model!r})"

    def _repr_html_(self):
        from ._pictures import connectivity_html, history_html

        picture = connectivity_html(self.model.network.layers)
        return f"<div>{self!r}</div>{history_html(self.history)}{picture}"

    def plot_history(self, axes=None):
        """Draws loss and score over the epochs with matplotlib; returns the figure."""
        from ._pictures import plot_history

        return plot_history(self.history, axes)


def _named(epoch, is_scored):
    """The metrics of an epoch without those that were not measured."""
    hidden = {"test_loss", "test_accuracy", "test_rmse", "test_subset_accuracy", "metric"}
    if not is_scored:
        hidden |= {"score", "score_loss", "scored_on"}
    return {name: value for name, value in epoch.items() if name not in hidden}


def run_native(options, train, test, *, topologies, start, callbacks, verbose):
    """Trains with callbacks and a progress bar, and warns of what the library warns of; returns a Run."""
    from ._progress import Progress

    unused = [name for name in ("tensorboard", "target", "checkpoint_every") if options.get(name) is not None]
    if unused and options.get("out") is None:
        raise ValueError(f"{unused[0]}: needs out, the folder of the run")
    if options.get("out") is not None and not os.fspath(options["out"]):
        raise ValueError("out: an empty text is no folder")
    is_scored = train is None or test is not None or options.get("validation") is not None
    progress = Progress(verbose)
    callbacks = [callbacks] if callable(callbacks) else callbacks or []
    if not (isinstance(callbacks, (list, tuple)) and all(map(callable, callbacks))):
        raise TypeError(f"callbacks: expected a function, or a list of functions, got {callbacks!r}")

    def on_epoch(epoch, planned):
        named = _named(epoch, is_scored)
        progress.epoch(named, planned)
        # Every callback sees every epoch.
        return any([bool(callback(named)) for callback in callbacks])

    def on_note(text):
        # One of the training samples stands for those to score on.
        progress.note(text if is_scored else re.sub(r" and 1 test samples$", "", text))

    try:
        with advising_python() if train is not None else nullcontext():
            native = _native.train(
                as_json(options),
                train,
                test,
                topologies,
                start,
                cache_folder(),
                on_epoch if callbacks or verbose else None,
                on_note if verbose else None,
            )
    finally:
        progress.close()
    if native.interrupted and native.epochs == 0:
        raise KeyboardInterrupt
    warn_of(native.warnings, 5, of_file=train is None)
    if native.interrupted:
        warn_of([f"interrupted: the model is that of epoch {native.epochs} of {native.epochs_planned}"], 5)
    return Run(native, is_scored)


def train(
    settings=None,
    data=None,
    *,
    eval_set=None,
    sample_weight=None,
    topologies=None,
    start=None,
    on_epoch=None,
    verbose=0,
    **more,
):
    """Trains a network, as the command line does: the same settings and data result in the same bits.

    Parameters
    ----------
    settings : dict, optional
        Settings by the names of the flags, with underscores or dashes, such as {"epochs": 20, "hidden": [64, 32]}. Keyword
        arguments are settings, too. `tanner.settings()` lists them. Those that are not given follow from the data. The seed is 0.
    data : path, or pair (X, y)
        A table (CSV, NPY, NPZ) or folder of IDX files, of which by default a fifth is held out to score epochs on, as on the
        command line. Or samples in memory: X an array [samples, features], a frame of pandas or polars or a sparse matrix, and y
        labels [samples]. Numbers with fractions or of more than 50 kinds are predicted as numbers, unless the setting `task` says
        otherwise: "regression", "classification" or "multilabel" (y [samples, labels] of 0 and 1). Nothing is held out of samples
        in memory.
    eval_set : pair (X, y), optional
        Samples to score each epoch on. They do not train the network; `patience` ends the run by them, and `Run.best_model` is chosen by them.
    sample_weight : array [samples], optional
        How much each sample counts in the loss.
    topologies : list of Topology, optional
        The graphs of the hidden layers, starting at the inputs.
    start : Model, optional
        A model to continue from.
    on_epoch : callable or list of callables, optional
        Called after each epoch with its metrics, a dict (see `Run.history`). Training stops if it returns something true.
    verbose : int, default 0
        1 shows a progress bar (with tqdm, if that is installed), 2 also what the run is doing.

    Returns
    -------
    Run
        Its `model`, and its `history`. Files are only written if the setting `out` names a folder.

    Raises ValueError for settings and data that do not fit, TypeError for an unknown keyword. Ctrl-C ends training after the
    current step: the run is that of all whole epochs, with a warning.
    """
    if settings is not None and not hasattr(settings, "items"):
        raise TypeError(
            f"train(settings, data): settings are a dict, got {type(settings).__name__}; give a path or samples as data=path or data=(X, y)"
        )
    pairs = [*(settings or {}).items(), *more.items()]
    options = {name.replace("-", "_"): value for name, value in pairs}
    if len(options) < len(pairs):
        names = [name.replace("-", "_") for name, _ in pairs]
        raise TypeError(f"train() got the setting {next(name for name in names if names.count(name) > 1)!r} twice")
    refuse_unknown("train", options)
    if start is not None and not isinstance(start, Model):
        raise TypeError(f"start: expected a Model, got {type(start).__name__}; tanner.load reads one")
    if data is None and options.get("data") is None:
        raise TypeError("train() needs data: a path, or a pair (X, y)")
    train_set = test_set = None
    if isinstance(data, (str, os.PathLike)):
        options["data"] = os.fspath(data)
        if eval_set is not None or sample_weight is not None:
            raise ValueError("eval_set and sample_weight are for samples in memory: give the settings test and weights")
    elif data is not None:
        if not (isinstance(data, (tuple, list)) and len(data) == 2):
            raise TypeError(f"data is a path or a pair (X, y), got {type(data).__name__}")
        features, labels = data
        task = options.pop("task", None) or "auto"
        if task not in ("auto", "classification", "regression", "multilabel"):
            raise ValueError(f"task: {task!r} is not one of auto, classification, regression, multilabel")
        names = None if start is None or start.task == "classification" else start.class_names
        train_set, of_labels = _samples(features, labels, task, sample_weight, names)
        if eval_set is not None:
            eval_set = pair_of("eval_set", eval_set)
            test_set = (table_of(eval_set[0]), of_labels(eval_set[1]))
    if topologies is not None:
        for_own_graphs(options)
    return run_native(
        options,
        train_set,
        test_set,
        topologies=natives(topologies),
        start=None if start is None else start._native,
        callbacks=on_epoch,
        verbose=verbose,
    )


def for_own_graphs(options):
    """Settings that own graphs need: an input for each feature, and layers whose edges may move."""
    if options.get("numbers") is None:
        options["numbers"] = "scaled"
    if options.get("rewire") is not None and options.get("arch") is None:
        options["arch"] = "rsp"


def refuse_unknown(function, options):
    """Refuses names that are no settings."""
    known = settings_names()
    unknown = [name for name in options if name.replace("-", "_") not in known]
    if unknown:
        raise TypeError(f"{function}() got an unexpected setting {unknown[0]!r}{_hint(unknown[0], known)}")


def settings_names():
    return settings()


def _hint(name, known):
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else "; tanner.settings() lists them"


def _one_each(what, labels):
    """The label of each sample, [samples]."""
    labels = np.asarray(labels)
    if labels.ndim > 1 and labels.shape[1] > 1:
        raise ValueError(f"{what}: labels of the shape {labels.shape}, expected the label of each sample, [samples]")
    return labels.ravel()


def _samples(features, labels, task, weights, names=None):
    """Samples in memory, and a function for the labels of others."""
    names, labels = names or names_of(labels), np.asarray(labels)
    rows = features.shape[0] if hasattr(features, "shape") else len(features)
    if labels.ndim == 0 or rows != len(labels):
        raise ValueError(f"{rows} samples do not fit labels of the shape {labels.shape}")
    if weights is not None:
        weights = np.asarray(weights, dtype=np.float64)
        if weights.shape != (len(labels),):
            raise ValueError(f"sample_weight has the shape {weights.shape}, expected ({len(labels)},)")
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError("sample_weight must be finite numbers of at least 0, and not all 0")
        kept = weights > 0
        if not kept.all():
            features = _rows(features, kept)
            labels, weights = labels[kept], weights[kept]
        weights = equal_to_none(weights)
    if task in (None, "auto"):
        # As the command line takes a column that --label names.
        has_fractions = labels.dtype.kind == "f" and bool((labels != np.floor(labels)).any())
        is_number = has_fractions or (labels.dtype.kind in "iuf" and len(np.unique(labels)) > MOST_CLASSES)
        if labels.ndim > 1 and labels.shape[1] > 1:
            task = "multilabel" if np.isin(labels, (0, 1)).all() else "regression"
        else:
            task = "regression" if is_number else "classification"
    if task == "classification":
        known, classes, order = classes_known(_one_each("data", labels), weights)
        return (table_of(features), known), lambda others: labels_known(_one_each("eval_set", others), classes, order)
    known = numbers_known(task, labels, names, weights)

    def of_numbers(others):
        same_names("eval_set", names_of(others), names)
        return numbers_known(task, others, names)

    return (table_of(features), known), of_numbers


def _rows(features, kept):
    """Some rows of an array, a frame or a sparse matrix."""
    if is_frame(features):
        return features.loc[kept] if hasattr(features, "loc") else features.filter(kept)
    return features.tocsr()[kept] if is_sparse(features) else np.asarray(features)[kept]
