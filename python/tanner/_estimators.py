"""Estimators of scikit-learn."""

from __future__ import annotations

import csv
import io

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, _num_samples, check_is_fitted, column_or_1d, validate_data

from ._data import (
    FEW_ROWS,
    class_texts,
    classes_of,
    dense,
    equal_to_none,
    has_texts,
    is_frame,
    is_sparse,
    merge_rows,
    names_of,
    number_of,
    pair_of,
    plain,
    same_names,
    table_of,
)
from ._models import (
    Model,
    advising_python,
    classes_known,
    for_own_graphs,
    labels_known,
    numbers_known,
    run_native,
    warn_of,
)
from ._topologies import natives

# Types that the native module reads in place.
TYPES = [np.float64, np.float32, np.uint8]
# Training samples that are kept for the importance of features.
KEPT = 1000
# Parameters of the estimators that are not settings of a run.
NOT_SETTINGS = {"topologies", "random_state", "n_jobs", "warm_start", "restore_best", "verbose"}


class _Tanner(BaseEstimator):
    """What both estimators share."""

    def _settings(self):
        """The settings of a run by the names of the flags."""
        options = {name: value for name, value in self.get_params(deep=False).items() if name not in NOT_SETTINGS}
        options["seed"] = self._seed()
        options["threads"] = self._threads()
        if options.get("picture") is not None and not isinstance(options["picture"], str):
            options["picture"] = "x".join(str(int(side)) for side in options["picture"])
        if self.topologies is not None:
            for_own_graphs(options)
        return options

    def _seed(self):
        if self.random_state is None or isinstance(self.random_state, (int, np.integer)):
            return self.random_state
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _threads(self):
        """Threads of the CPU; None means all cores."""
        jobs = number_of("n_jobs", self.n_jobs, whole=True)
        if jobs is None or jobs == -1 or self.backend in ("gpu", "reference") or self.adapter is not None:
            return None
        if jobs < -1:
            from joblib import effective_n_jobs

            return effective_n_jobs(jobs)
        return int(jobs)

    def _features(self, X, reset=False, y=None):
        """Checked features: an array, a sparse matrix, or a frame with texts as it is; with `y` also that."""
        if has_texts(X) or (is_frame(X) and not reset and self._takes_texts()):
            if y is None:
                validate_data(self, X, reset=reset, skip_check_array=True)
                return X
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            y = self._targets_alone(y)
            if len(y) != _num_samples(X):
                raise ValueError(f"X has {_num_samples(X)} samples, but y has {len(y)}")
            return X, y
        checks = dict(
            reset=reset,
            accept_sparse="csr",
            dtype=TYPES,
            order="C",
            ensure_all_finite=True if self.impute is None else "allow-nan",
        )
        try:
            if y is None:
                return validate_data(self, X, **checks)
            return validate_data(self, X, y, multi_output=True, y_numeric=self._y_numeric, **checks)
        except ValueError as error:
            if self.impute is None and str(error).startswith("Input X contains NaN"):
                reason = "Input X contains NaN: give impute='median', 'mean' or 'zero', or fill missing values before"
                raise ValueError(reason) from None
            shape = np.shape(X) if hasattr(X, "shape") else ()
            if len(shape) == 3 and "dim 3" in str(error):
                picture = f"X.reshape(len(X), -1) with picture={shape[1:]}"
                raise ValueError(f"{error}\nIf each sample is a picture, give {picture}") from None
            raise

    @staticmethod
    def _targets_alone(y):
        from sklearn.utils.validation import check_array

        return check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=True)

    def _table(self, X):
        names = getattr(self, "feature_names_in_", None)
        names = None if names is None or is_frame(X) else [str(name) for name in names]
        return table_of(X, names, self._takes_texts())

    def _takes_texts(self):
        """Whether the trained network has columns of texts."""
        return hasattr(self, "model_") and self.model_._native.takes_texts

    def _fit(self, *arguments):
        before = dict(vars(self))
        try:
            return self._trained(*arguments)
        except BaseException:
            # What was known before, so that a fitted estimator still fits its model.
            vars(self).clear()
            vars(self).update(before)
            raise

    def _trained(self, X, y, sample_weight, eval_set, callbacks):
        continues = self.warm_start and hasattr(self, "model_")
        if not continues:
            vars(self).pop("model_", None)
        if self.restore_best and eval_set is None and self.validation is None:
            raise ValueError("restore_best: needs eval_set or validation, by which epochs are compared")
        self._target_names = self.model_.class_names if continues else names_of(y)
        same_names("y", names_of(y), self._target_names)
        if y is None:
            validate_data(self, X, None)  # raises the usual error
        X, y = self._features(X, reset=not continues, y=y)
        y = self._checked_targets(y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            kept = sample_weight > 0
            if not kept.any():
                raise ValueError("every sample has a sample_weight of 0, at least one must be above 0")
            if not kept.all():
                X, y, sample_weight = _rows(X, kept), y[kept], sample_weight[kept]
            if (sample_weight == 1).all():
                sample_weight = None
        if is_sparse(X) and X.shape[0] <= FEW_ROWS:
            X = dense(X)
        if isinstance(X, np.ndarray):
            X, y, sample_weight = self._merged(X, y, sample_weight)
        sample_weight = equal_to_none(sample_weight)
        known = self._known(y, sample_weight, continues)
        options = self._settings()
        self._complete(options)
        test = None
        if eval_set is not None:
            other_X, other_y = _only_set(eval_set)
            same_names("eval_set", names_of(other_y), self._target_names)
            other_X, other_y = self._features(other_X, y=other_y)
            other_y = self._checked_targets(other_y)
            if other_y.shape[1:] != y.shape[1:]:
                raise ValueError(f"eval_set: y has the shape {other_y.shape}, in training {y.shape}")
            test = (self._table(other_X), self._known_again(other_y))
        try:
            run = run_native(
                options,
                (self._table(X), known),
                test,
                topologies=natives(self.topologies),
                start=self.model_._native if continues else None,
                callbacks=callbacks,
                verbose=self.verbose,
            )
        except ValueError as error:
            for setting, own in (("seed: ", "random_state: "), ("threads: ", "n_jobs: ")):
                if str(error).startswith(setting):
                    raise ValueError(own + str(error)[len(setting) :]) from None
            raise
        self.model_ = run.best_model if self.restore_best else run.model
        self.history_ = run.history
        self.best_epoch_ = run.best_epoch
        self.n_iter_ = len(run.history)
        self._sample = self._some(X, y)
        return self

    def _merged(self, X, y, weights):
        """A small table in a form that does not depend on how its rows are written."""
        if len(X) == 0:
            return X, y, weights
        places = y
        classes = None
        if y.dtype.kind not in "biuf":
            classes, places = np.unique(y, return_inverse=True)
        X, places, weights = merge_rows(X, np.asarray(places).reshape(y.shape), weights)
        return X, places if classes is None else classes[places], weights

    def _some(self, X, y):
        """Some training samples."""
        count = _num_samples(X)
        if count <= KEPT:
            return X, y
        chosen = np.sort(np.random.RandomState(0).permutation(count)[:KEPT])
        if is_frame(X):
            kept = np.zeros(count, dtype=bool)
            kept[chosen] = True
            return _rows(X, kept), y[chosen]
        return X[chosen], y[chosen]

    def _complete(self, options):
        """Completes settings by what is known of the data."""

    def _predicted(self, X):
        check_is_fitted(self, "model_")
        X = self._features(X)
        if is_sparse(X):
            return self.model_._predict(X, self._threads(), 6)
        with advising_python():
            labels, probabilities, values, lines = self.model_._native.predict(self._table(X), self._threads())
        warn_of(lines, 5)
        return labels, probabilities, values

    @property
    def topology_(self):
        """The graph of each layer, from the inputs to the outputs."""
        check_is_fitted(self, "model_")
        return self.model_.network.layers

    @property
    def feature_importances_(self):
        """By how much each column of X matters, [features]: the mean drop of the accuracy (of a regressor the rise of the RMSE) on
        at most 1,000 training samples when its values are shuffled, 5 times each.

        It is computed when it is first read. `sklearn.inspection.permutation_importance` measures it on other samples. A pickled
        estimator knows it only if it was read before.
        """
        check_is_fitted(self, "model_")
        if not hasattr(self, "_importances"):
            if not hasattr(self, "_sample"):
                raise AttributeError(
                    "feature_importances_ needs samples, and this estimator was pickled before it was read, or made of a model: use "
                    "sklearn.inspection.permutation_importance(estimator, X, y)"
                )
            X, y = self._sample
            native = self.model_._native
            measured = native.importance(self._table(X), self._known_again(y), 5, 0, self._threads())
            drops = {name: drop for name, drop, _ in measured}
            names = self.model_.column_names
            names = [str(place) for place in range(self.n_features_in_)] if names is None else names
            self._importances = np.array([drops[name] for name in names])
        return self._importances

    @classmethod
    def from_model(cls, model, **parameters):
        """A fitted estimator that predicts with this model, which may come from the command line.

        Names of classes that are all written as whole numbers become such numbers, True and False booleans, others texts.
        `parameters` are those of the estimator, which matter if it is fitted again: the model's own settings are not among them.

        >>> import tanner
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> run = tanner.train({"epochs": 2}, (X, y))
        >>> tanner.TannerClassifier.from_model(run.model).predict(X).shape
        (150,)
        """
        estimator = cls(**parameters)
        if not isinstance(model, Model):
            raise TypeError(f"expected a Model, got {type(model).__name__}; tanner.load reads one")
        if model.task not in cls._tasks:
            raise ValueError(f"the model is one of {model.task}, which {cls.__name__} is not for")
        estimator.model_ = model
        estimator.n_features_in_ = model._native.columns
        if model.column_names is not None:
            estimator.feature_names_in_ = np.array(model.column_names, dtype=object)
        estimator.history_, estimator.n_iter_, estimator.best_epoch_ = [], model.epochs, None
        estimator._target_names = None if model.task == "classification" else model.class_names
        estimator._take_outputs(model)
        return estimator

    def plot_topology(self, axes=None):
        """Draws which weights exist, a picture for each layer, with matplotlib; returns the figure."""
        check_is_fitted(self, "model_")
        return self.model_.plot_topology(axes)

    def plot_history(self, axes=None):
        """Draws loss and score over the epochs with matplotlib; returns the figure."""
        check_is_fitted(self, "model_")
        from ._pictures import plot_history

        return plot_history(self.history_, axes)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if hasattr(self, "model_") and "text/html" in bundle:
            from ._pictures import connectivity_html, history_html

            bundle["text/html"] += history_html(self.history_) + connectivity_html(self.topology_)
        return bundle

    def __getstate__(self):
        state = super().__getstate__()
        # The model is its file's bytes; training samples are not part of it.
        return {name: value for name, value in state.items() if name != "_sample"}

    def __sklearn_is_fitted__(self):
        return hasattr(self, "model_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.impute is not None
        return tags


def _only_set(eval_set):
    """The pair (X, y), which may be in a list, as XGBoost takes it."""
    if isinstance(eval_set, list):
        if len(eval_set) != 1:
            raise ValueError(f"eval_set has {len(eval_set)} pairs, expected one pair (X, y)")
        eval_set = eval_set[0]
    return pair_of("eval_set", eval_set)


def _rows(X, kept):
    if is_frame(X):
        return X.loc[kept] if hasattr(X, "loc") else X.filter(kept)
    return X[kept]


class TannerClassifier(ClassifierMixin, _Tanner):
    """A classifier: a neural network that is sparse from the start, or a fully connected one.

    Without settings, the recipe fits the data: for tables, the preset `table` (two fully connected hidden layers, numbers cut
    into pieces, as many epochs as the number of rows asks for); for fewer than 20,000 pictures (`picture`), the preset `tanner`, coupled
    in two dimensions. Settings have the names of the flags of the command line, and the same settings on the same data train the
    same model, to the last bit. None means the default, which is that of the preset or, without a preset, the one named below: so a
    table gets what `preset` says of table. That network is fully connected; `preset="small"`, or `arch` sc or rsp, is sparse.

    Labels may be of any type that scikit-learn takes; several labels of each sample are an array [samples, labels] of 0 and 1.
    Columns of texts and booleans of a frame (pandas, polars) become a feature for each category, as in a CSV file: there and here,
    texts that are all written as numbers, such as postcodes, are numbers. Columns of the dtype category (in polars Categorical and
    Enum) are categories in any case.
    Of at most 64 samples of numbers, those that are equal count as one with the sum of their weights, so that a sample of weight 2 and the
    same sample twice train the same network; the command line has no such rule.

    Parameters
    ----------
    preset : str, optional
        Named settings, such as table or tanner (default: auto). Other settings override it. auto: table for
        tables, tanner for fewer than 20,000 pictures unless settings choose network or preprocessing, otherwise
        none. table: fully connected hidden layers of 256 and 128 relu units, dropout 0.3, Adam with a learning
        rate of 0.003, numbers piecewise, epochs, batch size and l2 by the number of rows. tanner: for pictures,
        the most accurate recipe found for Fashion-MNIST. small: for small tables, two hidden layers on
        standardised features in a random forest's order. paper: the paper's recipe, with common choices for
        what it does not specify. none: only the defaults of each flag.
    arch : str, optional
        Hidden layers: sc, sc2d, rsp, fc, narrow or band (default: sc). sc: spatially coupled; sc2d: the same in two
        dimensions, across a picture; rsp: random sparse; fc: fully connected; narrow: fully connected with as
        few parameters as sc; band: as sc, without a window.
    hidden : list of int, optional
        Widths of hidden layers (default: 784,784,784,784,784). `none` for no hidden layer. narrow keeps their
        number and computes the width.
    density : float, optional
        sc, band: share of the weights that exist (default: 0.068). Scales the default of `degrees` to this
        share, as far as the receptive field allows: a block of sc sees `receptive_field` of the `blocks` input
        blocks, by default 2 of 8, so at most about a quarter of the inputs.
    parameters : int, optional
        Maximum weights and biases (default: by the other settings). Chooses the largest such network: sc, band
        and sc2d by degrees or fan-ins in their usual proportions, rsp by the mean degree, fc and narrow by the
        widths.
    activation : str, optional
        Activation of the hidden layers: sigmoid, relu, tanh or identity (default: sigmoid).
    dropout : float, optional
        Probability of dropping a hidden unit (default: 0). In training only; predictions use all units.
    blocks : int or list of int, optional
        sc, band: number of blocks (default: 8). One number, or one per layer. A layer with fewer neurons has
        fewer blocks.
    receptive_field : int or list of int, optional
        sc: input blocks that an output block sees (default: 2). One number, or one per layer.
    degrees : int, list of int, or list of lists, optional
        sc, band: edges of a neuron of each block. One number for all blocks, or a list; slashes separate the
        lists of the layers. (default: 98,130,98,49,20,10,10,10 for 784 neurons and 8 blocks, in proportion for
        others).
    degree : int, optional
        rsp: out-degree of every neuron (default: 53).
    degree_distribution : str, optional
        rsp: distribution of the out-degrees (default: regular:53). regular:53, uniform:10-90, poisson:53 or
        20:0.5,86:0.5; slashes separate the distributions of the layers.
    budget : int, optional
        narrow: maximum weights and biases of the network. (default: as many as the sc network with these
        settings has).
    softness : float, optional
        band: blocks over which edges get e times rarer (default: 1).
    grid : list of str, optional
        sc2d: rows, columns and maps of each layer. One grid per hidden layer, such as 28x28,14x14x4. All cover
        the same picture; maps are neurons at the same place. (default: three layers, or as many as `reach` and
        `fan_in` have, of the picture's size).
    fan_in : float or list of float, optional
        sc2d: inputs of a neuron (default: 40,76,144). One number, or one per layer. 41.5 means 41 for half of
        the neurons and 42 for the others, in micro-blocks 40 for most and 44 for the others. The default is for
        three layers; with more or fewer it grows likewise from first to last.
    reach : float or list of float, optional
        sc2d: how far a neuron sees, in pixels (default: 1.5,2.74,5). One number, or one per layer: the standard
        deviation of a Gaussian, or half the side of a window. The default is for three layers on 28 x 28
        pixels. Otherwise it grows likewise, in proportion to the picture, as far as the fan-in needs. Windows
        are twice as wide.
    falloff : str, optional
        sc2d: how the chance of an edge falls (default: gauss). gauss: with the distance; window: equal chances
        within the reach, none beyond it.
    grain : str, optional
        sc2d: draw micro-blocks (4) or edges (1) (default: 4). 4 connects patches of 2 x 2 neurons by all 16
        edges, without padding and with one index. It needs grids with even sides. The default is 1 for grids
        with an odd side.
    importance_power : float, optional
        sc2d: how strongly edges go to important pixels (default: 0). Multiplies the chance of a pixel in the
        draw of the first layer by (its importance / the mean importance) to this power. Needs `importance` rf,
        variance or random.
    epochs : int, optional
        Passes over the training set (default: 30).
    batch_size : int, optional
        Samples in one batch (default: 128).
    optimizer : str, optional
        How gradients change the parameters: sgd, momentum, nesterov, adam, adamw or lion (default: momentum).
    lr : float, optional
        Learning rate at the start (default: 0.1; adam, adamw: 0.001; lion: 0.0001).
    schedule : str, optional
        Learning rate over the epochs (default: cosine). constant, cosine (down to 0) or step:EPOCHS:FACTOR.
    momentum : float, optional
        momentum, nesterov: share of the last step kept (default: 0.9).
    adam_beta1 : float, optional
        adam, adamw, lion: decay of the mean gradient (default: 0.9).
    adam_beta2 : float, optional
        adam, adamw: decay of the mean square (default: 0.999). adam, adamw: decay of the mean of the squared
        gradients; lion: of the momentum. (default: 0.999; lion: 0.99).
    adam_epsilon : float, optional
        adam, adamw: term that keeps the division finite (default: 1e-8).
    class_weight : "balanced" or dict, optional
        Weights of classes in the loss: "balanced" (inverse to their numbers of samples), or a dict {label:
        weight}; other classes have the weight 1. All weights are divided by their mean. (default: all 1).
    label_smoothing : float, optional
        Share of every label that goes to all classes (default: 0). Training losses use the smoothed labels,
        test losses the true ones.
    l2 : float, optional
        Weight decay, L * sum(w^2) (default: 5e-5, fc: 0).
    l1 : float, optional
        L1 penalty, L * sum(|w|) (default: 0).
    l1_input : float, optional
        L1 penalty of the first layer (default: the same as `l1`). Replaces `l1` in the first layer.
    group_lasso : float, optional
        Group lasso on the first layer (default: 0). L * sqrt(weights) * norm of the weights of each input,
        summed.
    l_half : float, optional
        Smoothed L1/2 penalty, L * sum(|w|^(1/2)) (default: 0). Smoothed for |w| below 0.05.
    weight_elimination : float, optional
        Penalty L * sum(w^2 / (1 + w^2)) (default: 0).
    dropconnect : float, optional
        Probability of dropping a connection (default: 0). In hidden layers, in training only. The whole batch
        shares one mask, so its cost depends on the edges (Wan et al. draw one for each sample).
    init : str, optional
        Variance of the initial weights: glorot, 2 / (fan_in + fan_out); he, 2 / fan_in; or lecun, 1 / fan_in
        (default: glorot). Computed from the true fan-in and fan-out of each edge.
    gain : float, optional
        Factor on the deviation of the initial weights. (default: sigmoid 4, relu 1.414, tanh and identity 1).
    augment : str, optional
        Random changes of training pictures, different in every epoch: shift=1 (by up to a pixel), flip, or
        both, as shift=1,flip (default: none).
    rewire : str, optional
        Move edges: off, set, rigl or percolate (default: off). Between epochs the smallest weights of each
        layer are removed and as many edges added. set: at random; rigl: where the gradient of the loss is
        largest; percolate: at random, and away from neurons that nothing reaches or that reach nothing. Edges
        are added where the architecture allows them: between connected blocks, in sc2d within 3 times the
        reach.
    rewire_fraction : float, optional
        Share of the edges that move at first (default: 0.3). Falls along a cosine to 0 at `rewire_end`.
    rewire_every : int, optional
        Epochs between moves (default: 1).
    rewire_end : float, optional
        Share of the epochs in which edges move (default: 0.75).
    impute : str, optional
        Fill missing values: "mean", "median" (of the training rows) or "zero". A missing text belongs to no
        category. (default: refuse them).
    max_categories : int, optional
        maximum categories of a text column (default: 64). Each category becomes a feature.
    picture : (rows, columns), optional
        (rows, columns) if each row of X is a picture: its features are pixels in reading order. Pixels of uint8
        are divided by 255. (default: no pictures).
    numbers : str, optional
        Numbers as they are, scaled or piecewise (default: plain). plain: unchanged. scaled: minus the mean,
        divided by the deviation. piecewise: scaled, and cut at quantiles into pieces, each of which is an
        input. Features of zeros and ones only, such as categories, are unchanged.
    bins : int, optional
        piecewise: pieces of a number (default: by rows). At most; equal quantiles make fewer. (default: one for
        200 training rows, up to 16, and at most about 1,000 in all).
    standardize : bool, optional
        Standardise each raw feature first. Subtract its mean and divide by its standard deviation, both of the
        training set. Raw pixels are never negative, so their means are not 0. Principal components have the
        mean 0, and their scale shows their importance. (default: on for rf, variance and random, otherwise
        off).
    importance : str, optional
        How inputs are ordered: pca, rf, variance, random or none (default: pca). pca: variance of principal components; rf:
        decrease in Gini impurity in a random forest; variance: of each feature; random: at random; none:
        unchanged.
    order : str, optional
        Most important input first (desc) or last (asc) (default: desc).
    trees : int, optional
        rf: number of trees (default: 500). More trees make the order more stable, and take longer.
    validation : int or float, optional
        Number or share of the training samples to hold out and to score epochs on. (default: none).
    patience : int, optional
        Stop after this many epochs without a better score. Needs `eval_set` or `validation`. With equal
        accuracy, the lower loss is better. The network is that of the last epoch, unless `restore_best`.
        (default: train all epochs).
    patience_on : str, optional
        What must improve for `patience` (default: score). score: the accuracy, with ties decided by the loss;
        loss: the loss only.
    target : float, optional
        Record in the run folder when the score reaches this share, or an RMSE of numbers. (default: none).
    backend : str, optional
        Engine: auto, gpu, cpu or reference (default: auto). auto: a hardware GPU if there is one, otherwise the
        CPU; gpu: a GPU, even a software adapter; reference: slow and exact.
    adapter : int or str, optional
        Which GPU: its number or a part of its name (default: the best). Numbers are those of
        `tanner.devices()`; one or two digits are always a number. A part of a name (4090) must match only one
        GPU.
    gpu_kernels : str, optional
        How a GPU stores tiles and shares sums. auto (the best in a short measurement, kept in the cache),
        default (without measuring), or the text that a run recorded:
        dense=0.3,forward=8,logits=32,backward-input=8,backward-weight=8. Results differ in their last digits.
        (default: auto for training on hardware GPUs, otherwise default).
    out : path, optional
        Folder of the run (default: no files are written). A folder that holds a run is refused.
    tensorboard : path, optional
        Folder for an event file for TensorBoard. (default: none).
    checkpoint_every : int or str, optional
        How often to save a checkpoint and the models (default: 5s). After this many epochs (1), steps
        (500steps) or seconds (30s), replacing the previous one. A run that a signal ends always saves one.
    topologies : list of Topology or of scipy.sparse matrices [outputs, inputs], optional
        The graphs of the hidden layers, starting at the inputs, in place of drawn ones; a fully connected layer of
        outputs is added. Numbers are then only scaled, and settings of the network other than `activation` and
        `dropout` have no effect.
    random_state : int, RandomState instance or None, default None
        Seed of graphs, weights, the order of samples and dropout; None is the seed 0, as on the command line. The same
        seed results in the same bits on one engine and device.
    n_jobs : int or None, default None
        Threads of the CPU engine: None and -1 mean all cores. No result depends on it.
    warm_start : bool, default False
        Whether `fit` continues from the last model: settings of the network and the features then have no effect.
    restore_best : bool, default False
        Whether to keep the network of the epoch with the best score on `eval_set` or `validation`, in place of the last one.
    verbose : int, default 0
        1 shows a progress bar (with tqdm, if that is installed), 2 also what the run is doing.

    Attributes
    ----------
    classes_ : array [classes]
        The labels, sorted.
    model_ : Model
        The trained network, with `save`, `to_onnx`, `prune` and `weights`.
    history_ : list of dict
        One for each epoch: epoch (from 1), train_loss, train_accuracy, learning_rate, seconds and, with `eval_set` or `validation`,
        score (the accuracy) and score_loss. `help(tanner.Run)` describes all keys.
    best_epoch_ : int or None
        The epoch with the best score, from 1, with `eval_set` or `validation`; equal scores are decided by the lower loss.
    topology_ : list of Topology
        The graph of each layer.
    feature_importances_ : array [features]
        Permutation importance, computed when it is read.
    n_features_in_, feature_names_in_, n_iter_
        Number and names of the columns of X; number of epochs.

    >>> from sklearn.datasets import load_iris
    >>> from tanner import TannerClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> TannerClassifier(epochs=30).fit(X, y).predict(X[:3])
    array([0, 0, 0])
    """

    _y_numeric = False
    _tasks = ("classification", "multilabel")

    def __init__(
        self,
        *,
        preset=None,
        arch=None,
        hidden=None,
        density=None,
        parameters=None,
        activation=None,
        dropout=None,
        blocks=None,
        receptive_field=None,
        degrees=None,
        degree=None,
        degree_distribution=None,
        budget=None,
        softness=None,
        grid=None,
        fan_in=None,
        reach=None,
        falloff=None,
        grain=None,
        importance_power=None,
        epochs=None,
        batch_size=None,
        optimizer=None,
        lr=None,
        schedule=None,
        momentum=None,
        adam_beta1=None,
        adam_beta2=None,
        adam_epsilon=None,
        class_weight=None,
        label_smoothing=None,
        l2=None,
        l1=None,
        l1_input=None,
        group_lasso=None,
        l_half=None,
        weight_elimination=None,
        dropconnect=None,
        init=None,
        gain=None,
        augment=None,
        rewire=None,
        rewire_fraction=None,
        rewire_every=None,
        rewire_end=None,
        impute=None,
        max_categories=None,
        picture=None,
        numbers=None,
        bins=None,
        standardize=None,
        importance=None,
        order=None,
        trees=None,
        validation=None,
        patience=None,
        patience_on=None,
        target=None,
        backend=None,
        adapter=None,
        gpu_kernels=None,
        out=None,
        tensorboard=None,
        checkpoint_every=None,
        topologies=None,
        random_state=None,
        n_jobs=None,
        warm_start=False,
        restore_best=False,
        verbose=0,
    ):
        self.preset = preset
        self.arch = arch
        self.hidden = hidden
        self.density = density
        self.parameters = parameters
        self.activation = activation
        self.dropout = dropout
        self.blocks = blocks
        self.receptive_field = receptive_field
        self.degrees = degrees
        self.degree = degree
        self.degree_distribution = degree_distribution
        self.budget = budget
        self.softness = softness
        self.grid = grid
        self.fan_in = fan_in
        self.reach = reach
        self.falloff = falloff
        self.grain = grain
        self.importance_power = importance_power
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.momentum = momentum
        self.adam_beta1 = adam_beta1
        self.adam_beta2 = adam_beta2
        self.adam_epsilon = adam_epsilon
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.l2 = l2
        self.l1 = l1
        self.l1_input = l1_input
        self.group_lasso = group_lasso
        self.l_half = l_half
        self.weight_elimination = weight_elimination
        self.dropconnect = dropconnect
        self.init = init
        self.gain = gain
        self.augment = augment
        self.rewire = rewire
        self.rewire_fraction = rewire_fraction
        self.rewire_every = rewire_every
        self.rewire_end = rewire_end
        self.impute = impute
        self.max_categories = max_categories
        self.picture = picture
        self.numbers = numbers
        self.bins = bins
        self.standardize = standardize
        self.importance = importance
        self.order = order
        self.trees = trees
        self.validation = validation
        self.patience = patience
        self.patience_on = patience_on
        self.target = target
        self.backend = backend
        self.adapter = adapter
        self.gpu_kernels = gpu_kernels
        self.out = out
        self.tensorboard = tensorboard
        self.checkpoint_every = checkpoint_every
        self.topologies = topologies
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.restore_best = restore_best
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, eval_set=None, callbacks=None):
        """Trains on all samples.

        Parameters
        ----------
        X : array or sparse matrix [samples, features], or frame
            float32 in C order is read without a copy; float64 is converted once.
        y : array [samples], or [samples, labels] of 0 and 1
            Labels.
        sample_weight : array [samples], optional
            How much each sample counts in the loss; samples of weight 0 are left out.
        eval_set : pair (X, y), optional
            Samples to score each epoch on. They train nothing, but `patience` and `restore_best` choose the last epoch by them; so
            their score is too good, and the last word needs other samples. `validation` holds out training samples instead.
        callbacks : callable or list of callables, optional
            Called after each epoch with its metrics, a dict as in `history_`. Training stops if one returns something true.

        Returns
        -------
        self
            Ctrl-C ends training with a warning, and keeps the model of the last whole epoch.
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    def _checked_targets(self, y):
        check_classification_targets(y)
        if type_of_target(y) == "multilabel-indicator":
            return np.asarray(y.toarray() if is_sparse(y) else y)
        return column_or_1d(y, warn=True)

    def _known(self, y, weights, continues):
        if continues and (y.ndim == 2) != (self.model_.task == "multilabel"):
            raise ValueError(f"y has {y.ndim} dimensions, but the network that warm_start continues is one of {self.model_.task}")
        if y.ndim == 2:
            self.classes_ = np.arange(y.shape[1])
            return numbers_known("multilabel", y, self._target_names, weights)
        if continues:
            return labels_known(y, self.classes_, self._order, weights)
        known, classes, order = classes_known(y, weights)
        if len(classes) < 2:
            raise ValueError(f"the samples have only one class, {plain(classes[0])!r}, at least 2 are needed")
        self.classes_, self._order = classes, order
        return known

    def _known_again(self, y):
        if y.ndim == 2:
            return numbers_known("multilabel", y, self._target_names)
        return labels_known(y, self.classes_, self._order)

    def _take_outputs(self, model):
        if model.task == "multilabel":
            self.classes_ = np.arange(len(model.class_names))
        else:
            self.classes_, self._order = np.unique(classes_of(model.class_names), return_inverse=True)

    def _complete(self, options):
        weights = options.get("class_weight")
        if weights == {}:
            options["class_weight"] = None
        elif isinstance(weights, dict):
            for label, weight in weights.items():
                if not number_of("class_weight", weight, least=0):
                    raise ValueError(f"class_weight: the weight of {label!r} is 0, it must be above")
            texts, _ = class_texts(list(weights))
            line = io.StringIO()
            csv.writer(line).writerow([f"{text}:{float(value)}" for text, value in zip(texts, weights.values())])
            options["class_weight"] = line.getvalue().strip()
        elif weights is not None and weights != "balanced":
            raise ValueError(f"class_weight: expected 'balanced' or a dict {{label: weight}}, got {weights!r}")

    def predict(self, X):
        """The label of each sample, [samples]; of several labels 0 and 1, [samples, labels]."""
        labels, probabilities, _ = self._predicted(X)
        if self.model_.task == "multilabel":
            return (probabilities > 0.5).astype(np.int64)
        return self.classes_[self._order[labels]]

    def predict_proba(self, X):
        """The probability of each class, float32 [samples, classes], in the order of `classes_`."""
        _, probabilities, _ = self._predicted(X)
        if self.model_.task == "multilabel":
            return probabilities
        ordered = np.empty_like(probabilities)
        ordered[:, self._order] = probabilities
        return ordered

    def predict_log_proba(self, X):
        """The logarithms of `predict_proba`, float32 [samples, classes]."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class TannerRegressor(RegressorMixin, _Tanner):
    """A regressor: a neural network that predicts a number, or several.

    Without settings, the recipe fits the data, as for `TannerClassifier`, whose notes on settings, frames and small tables hold
    here, too. The network predicts deviations from the mean; predictions are in the units of y.

    Parameters
    ----------
    preset : str, optional
        Named settings, such as table or tanner (default: auto). Other settings override it. auto: table for
        tables, tanner for fewer than 20,000 pictures unless settings choose network or preprocessing, otherwise
        none. table: fully connected hidden layers of 256 and 128 relu units, dropout 0.3, Adam with a learning
        rate of 0.003, numbers piecewise, epochs, batch size and l2 by the number of rows. tanner: for pictures,
        the most accurate recipe found for Fashion-MNIST. small: for small tables, two hidden layers on
        standardised features in a random forest's order. paper: the paper's recipe, with common choices for
        what it does not specify. none: only the defaults of each flag.
    arch : str, optional
        Hidden layers: sc, sc2d, rsp, fc, narrow or band (default: sc). sc: spatially coupled; sc2d: the same in two
        dimensions, across a picture; rsp: random sparse; fc: fully connected; narrow: fully connected with as
        few parameters as sc; band: as sc, without a window.
    hidden : list of int, optional
        Widths of hidden layers (default: 784,784,784,784,784). `none` for no hidden layer. narrow keeps their
        number and computes the width.
    density : float, optional
        sc, band: share of the weights that exist (default: 0.068). Scales the default of `degrees` to this
        share, as far as the receptive field allows: a block of sc sees `receptive_field` of the `blocks` input
        blocks, by default 2 of 8, so at most about a quarter of the inputs.
    parameters : int, optional
        Maximum weights and biases (default: by the other settings). Chooses the largest such network: sc, band
        and sc2d by degrees or fan-ins in their usual proportions, rsp by the mean degree, fc and narrow by the
        widths.
    activation : str, optional
        Activation of the hidden layers: sigmoid, relu, tanh or identity (default: sigmoid).
    dropout : float, optional
        Probability of dropping a hidden unit (default: 0). In training only; predictions use all units.
    blocks : int or list of int, optional
        sc, band: number of blocks (default: 8). One number, or one per layer. A layer with fewer neurons has
        fewer blocks.
    receptive_field : int or list of int, optional
        sc: input blocks that an output block sees (default: 2). One number, or one per layer.
    degrees : int, list of int, or list of lists, optional
        sc, band: edges of a neuron of each block. One number for all blocks, or a list; slashes separate the
        lists of the layers. (default: 98,130,98,49,20,10,10,10 for 784 neurons and 8 blocks, in proportion for
        others).
    degree : int, optional
        rsp: out-degree of every neuron (default: 53).
    degree_distribution : str, optional
        rsp: distribution of the out-degrees (default: regular:53). regular:53, uniform:10-90, poisson:53 or
        20:0.5,86:0.5; slashes separate the distributions of the layers.
    budget : int, optional
        narrow: maximum weights and biases of the network. (default: as many as the sc network with these
        settings has).
    softness : float, optional
        band: blocks over which edges get e times rarer (default: 1).
    grid : list of str, optional
        sc2d: rows, columns and maps of each layer. One grid per hidden layer, such as 28x28,14x14x4. All cover
        the same picture; maps are neurons at the same place. (default: three layers, or as many as `reach` and
        `fan_in` have, of the picture's size).
    fan_in : float or list of float, optional
        sc2d: inputs of a neuron (default: 40,76,144). One number, or one per layer. 41.5 means 41 for half of
        the neurons and 42 for the others, in micro-blocks 40 for most and 44 for the others. The default is for
        three layers; with more or fewer it grows likewise from first to last.
    reach : float or list of float, optional
        sc2d: how far a neuron sees, in pixels (default: 1.5,2.74,5). One number, or one per layer: the standard
        deviation of a Gaussian, or half the side of a window. The default is for three layers on 28 x 28
        pixels. Otherwise it grows likewise, in proportion to the picture, as far as the fan-in needs. Windows
        are twice as wide.
    falloff : str, optional
        sc2d: how the chance of an edge falls (default: gauss). gauss: with the distance; window: equal chances
        within the reach, none beyond it.
    grain : str, optional
        sc2d: draw micro-blocks (4) or edges (1) (default: 4). 4 connects patches of 2 x 2 neurons by all 16
        edges, without padding and with one index. It needs grids with even sides. The default is 1 for grids
        with an odd side.
    importance_power : float, optional
        sc2d: how strongly edges go to important pixels (default: 0). Multiplies the chance of a pixel in the
        draw of the first layer by (its importance / the mean importance) to this power. Needs `importance` rf,
        variance or random.
    epochs : int, optional
        Passes over the training set (default: 30).
    batch_size : int, optional
        Samples in one batch (default: 128).
    optimizer : str, optional
        How gradients change the parameters: sgd, momentum, nesterov, adam, adamw or lion (default: momentum).
    lr : float, optional
        Learning rate at the start (default: 0.1; adam, adamw: 0.001; lion: 0.0001).
    schedule : str, optional
        Learning rate over the epochs (default: cosine). constant, cosine (down to 0) or step:EPOCHS:FACTOR.
    momentum : float, optional
        momentum, nesterov: share of the last step kept (default: 0.9).
    adam_beta1 : float, optional
        adam, adamw, lion: decay of the mean gradient (default: 0.9).
    adam_beta2 : float, optional
        adam, adamw: decay of the mean square (default: 0.999). adam, adamw: decay of the mean of the squared
        gradients; lion: of the momentum. (default: 0.999; lion: 0.99).
    adam_epsilon : float, optional
        adam, adamw: term that keeps the division finite (default: 1e-8).
    loss : str, optional
        squared, absolute, huber or huber:D (default: squared). Of the error e in deviations of the target:
        squared: e^2 / 2; absolute: |e|; huber:D: e^2 / 2 up to D, beyond it D (|e| - D / 2), with D 1 by
        default. Several targets have the mean of their losses.
    l2 : float, optional
        Weight decay, L * sum(w^2) (default: 5e-5, fc: 0).
    l1 : float, optional
        L1 penalty, L * sum(|w|) (default: 0).
    l1_input : float, optional
        L1 penalty of the first layer (default: the same as `l1`). Replaces `l1` in the first layer.
    group_lasso : float, optional
        Group lasso on the first layer (default: 0). L * sqrt(weights) * norm of the weights of each input,
        summed.
    l_half : float, optional
        Smoothed L1/2 penalty, L * sum(|w|^(1/2)) (default: 0). Smoothed for |w| below 0.05.
    weight_elimination : float, optional
        Penalty L * sum(w^2 / (1 + w^2)) (default: 0).
    dropconnect : float, optional
        Probability of dropping a connection (default: 0). In hidden layers, in training only. The whole batch
        shares one mask, so its cost depends on the edges (Wan et al. draw one for each sample).
    init : str, optional
        Variance of the initial weights: glorot, 2 / (fan_in + fan_out); he, 2 / fan_in; or lecun, 1 / fan_in
        (default: glorot). Computed from the true fan-in and fan-out of each edge.
    gain : float, optional
        Factor on the deviation of the initial weights. (default: sigmoid 4, relu 1.414, tanh and identity 1).
    augment : str, optional
        Random changes of training pictures, different in every epoch: shift=1 (by up to a pixel), flip, or
        both, as shift=1,flip (default: none).
    rewire : str, optional
        Move edges: off, set, rigl or percolate (default: off). Between epochs the smallest weights of each
        layer are removed and as many edges added. set: at random; rigl: where the gradient of the loss is
        largest; percolate: at random, and away from neurons that nothing reaches or that reach nothing. Edges
        are added where the architecture allows them: between connected blocks, in sc2d within 3 times the
        reach.
    rewire_fraction : float, optional
        Share of the edges that move at first (default: 0.3). Falls along a cosine to 0 at `rewire_end`.
    rewire_every : int, optional
        Epochs between moves (default: 1).
    rewire_end : float, optional
        Share of the epochs in which edges move (default: 0.75).
    impute : str, optional
        Fill missing values: "mean", "median" (of the training rows) or "zero". A missing text belongs to no
        category. (default: refuse them).
    max_categories : int, optional
        maximum categories of a text column (default: 64). Each category becomes a feature.
    picture : (rows, columns), optional
        (rows, columns) if each row of X is a picture: its features are pixels in reading order. Pixels of uint8
        are divided by 255. (default: no pictures).
    numbers : str, optional
        Numbers as they are, scaled or piecewise (default: plain). plain: unchanged. scaled: minus the mean,
        divided by the deviation. piecewise: scaled, and cut at quantiles into pieces, each of which is an
        input. Features of zeros and ones only, such as categories, are unchanged.
    bins : int, optional
        piecewise: pieces of a number (default: by rows). At most; equal quantiles make fewer. (default: one for
        200 training rows, up to 16, and at most about 1,000 in all).
    standardize : bool, optional
        Standardise each raw feature first. Subtract its mean and divide by its standard deviation, both of the
        training set. Raw pixels are never negative, so their means are not 0. Principal components have the
        mean 0, and their scale shows their importance. (default: on for rf, variance and random, otherwise
        off).
    importance : str, optional
        How inputs are ordered: pca, rf, variance, random or none (default: pca). pca: variance of principal components; rf:
        decrease in Gini impurity in a random forest; variance: of each feature; random: at random; none:
        unchanged.
    order : str, optional
        Most important input first (desc) or last (asc) (default: desc).
    trees : int, optional
        rf: number of trees (default: 500). More trees make the order more stable, and take longer.
    validation : int or float, optional
        Number or share of the training samples to hold out and to score epochs on. (default: none).
    patience : int, optional
        Stop after this many epochs without a better score. Needs `eval_set` or `validation`. With equal
        accuracy, the lower loss is better. The network is that of the last epoch, unless `restore_best`.
        (default: train all epochs).
    patience_on : str, optional
        What must improve for `patience` (default: score). score: the accuracy, with ties decided by the loss;
        loss: the loss only.
    target : float, optional
        Record in the run folder when the score reaches this share, or an RMSE of numbers. (default: none).
    backend : str, optional
        Engine: auto, gpu, cpu or reference (default: auto). auto: a hardware GPU if there is one, otherwise the
        CPU; gpu: a GPU, even a software adapter; reference: slow and exact.
    adapter : int or str, optional
        Which GPU: its number or a part of its name (default: the best). Numbers are those of
        `tanner.devices()`; one or two digits are always a number. A part of a name (4090) must match only one
        GPU.
    gpu_kernels : str, optional
        How a GPU stores tiles and shares sums. auto (the best in a short measurement, kept in the cache),
        default (without measuring), or the text that a run recorded:
        dense=0.3,forward=8,logits=32,backward-input=8,backward-weight=8. Results differ in their last digits.
        (default: auto for training on hardware GPUs, otherwise default).
    out : path, optional
        Folder of the run (default: no files are written). A folder that holds a run is refused.
    tensorboard : path, optional
        Folder for an event file for TensorBoard. (default: none).
    checkpoint_every : int or str, optional
        How often to save a checkpoint and the models (default: 5s). After this many epochs (1), steps
        (500steps) or seconds (30s), replacing the previous one. A run that a signal ends always saves one.
    topologies : list of Topology or of scipy.sparse matrices [outputs, inputs], optional
        The graphs of the hidden layers, starting at the inputs, in place of drawn ones; a fully connected layer of
        outputs is added. Numbers are then only scaled, and settings of the network other than `activation` and
        `dropout` have no effect.
    random_state : int, RandomState instance or None, default None
        Seed of graphs, weights, the order of samples and dropout; None is the seed 0, as on the command line. The same
        seed results in the same bits on one engine and device.
    n_jobs : int or None, default None
        Threads of the CPU engine: None and -1 mean all cores. No result depends on it.
    warm_start : bool, default False
        Whether `fit` continues from the last model: settings of the network and the features then have no effect.
    restore_best : bool, default False
        Whether to keep the network of the epoch with the best score on `eval_set` or `validation`, in place of the last one.
    verbose : int, default 0
        1 shows a progress bar (with tqdm, if that is installed), 2 also what the run is doing.

    Attributes
    ----------
    model_ : Model
        The trained network, with `save`, `to_onnx`, `prune` and `weights`.
    history_ : list of dict
        One for each epoch: epoch (from 1), train_loss, train_rmse, learning_rate, seconds and, with `eval_set` or `validation`, score (the
        RMSE, in the units of y; of several targets in deviations of each) and score_loss. `help(tanner.Run)` describes all keys.
    best_epoch_ : int or None
        The epoch with the best score, from 1, with `eval_set` or `validation`; equal scores are decided by the lower loss.
    topology_ : list of Topology
        The graph of each layer.
    feature_importances_ : array [features]
        Permutation importance, computed when it is read.
    n_features_in_, feature_names_in_, n_iter_
        Number and names of the columns of X; number of epochs.

    >>> from sklearn.datasets import load_diabetes
    >>> from tanner import TannerRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> bool(TannerRegressor(epochs=10).fit(X, y).score(X, y) > 0.3)
    True
    """

    _y_numeric = True
    _tasks = ("regression",)

    def __init__(
        self,
        *,
        preset=None,
        arch=None,
        hidden=None,
        density=None,
        parameters=None,
        activation=None,
        dropout=None,
        blocks=None,
        receptive_field=None,
        degrees=None,
        degree=None,
        degree_distribution=None,
        budget=None,
        softness=None,
        grid=None,
        fan_in=None,
        reach=None,
        falloff=None,
        grain=None,
        importance_power=None,
        epochs=None,
        batch_size=None,
        optimizer=None,
        lr=None,
        schedule=None,
        momentum=None,
        adam_beta1=None,
        adam_beta2=None,
        adam_epsilon=None,
        loss=None,
        l2=None,
        l1=None,
        l1_input=None,
        group_lasso=None,
        l_half=None,
        weight_elimination=None,
        dropconnect=None,
        init=None,
        gain=None,
        augment=None,
        rewire=None,
        rewire_fraction=None,
        rewire_every=None,
        rewire_end=None,
        impute=None,
        max_categories=None,
        picture=None,
        numbers=None,
        bins=None,
        standardize=None,
        importance=None,
        order=None,
        trees=None,
        validation=None,
        patience=None,
        patience_on=None,
        target=None,
        backend=None,
        adapter=None,
        gpu_kernels=None,
        out=None,
        tensorboard=None,
        checkpoint_every=None,
        topologies=None,
        random_state=None,
        n_jobs=None,
        warm_start=False,
        restore_best=False,
        verbose=0,
    ):
        self.preset = preset
        self.arch = arch
        self.hidden = hidden
        self.density = density
        self.parameters = parameters
        self.activation = activation
        self.dropout = dropout
        self.blocks = blocks
        self.receptive_field = receptive_field
        self.degrees = degrees
        self.degree = degree
        self.degree_distribution = degree_distribution
        self.budget = budget
        self.softness = softness
        self.grid = grid
        self.fan_in = fan_in
        self.reach = reach
        self.falloff = falloff
        self.grain = grain
        self.importance_power = importance_power
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.momentum = momentum
        self.adam_beta1 = adam_beta1
        self.adam_beta2 = adam_beta2
        self.adam_epsilon = adam_epsilon
        self.loss = loss
        self.l2 = l2
        self.l1 = l1
        self.l1_input = l1_input
        self.group_lasso = group_lasso
        self.l_half = l_half
        self.weight_elimination = weight_elimination
        self.dropconnect = dropconnect
        self.init = init
        self.gain = gain
        self.augment = augment
        self.rewire = rewire
        self.rewire_fraction = rewire_fraction
        self.rewire_every = rewire_every
        self.rewire_end = rewire_end
        self.impute = impute
        self.max_categories = max_categories
        self.picture = picture
        self.numbers = numbers
        self.bins = bins
        self.standardize = standardize
        self.importance = importance
        self.order = order
        self.trees = trees
        self.validation = validation
        self.patience = patience
        self.patience_on = patience_on
        self.target = target
        self.backend = backend
        self.adapter = adapter
        self.gpu_kernels = gpu_kernels
        self.out = out
        self.tensorboard = tensorboard
        self.checkpoint_every = checkpoint_every
        self.topologies = topologies
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.restore_best = restore_best
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, eval_set=None, callbacks=None):
        """Trains on all samples; as `TannerClassifier.fit`, with numbers y [samples] or [samples, targets]."""
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    def _checked_targets(self, y):
        y = np.asarray(y, dtype=np.float64)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y

    def _known(self, y, weights, continues):
        self._is_flat = y.ndim == 1
        return numbers_known("regression", y, self._target_names, weights)

    def _known_again(self, y):
        return numbers_known("regression", y, self._target_names)

    def _take_outputs(self, model):
        self._is_flat = len(model.class_names) == 1

    def predict(self, X):
        """The number predicted for each sample, float64 [samples] or [samples, targets], in the units of y."""
        _, _, values = self._predicted(X)
        return values[:, 0] if self._is_flat else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
