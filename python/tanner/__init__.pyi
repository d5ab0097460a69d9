"""Types of the package; the docstrings are in the modules."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

__all__ = [
    "Model",
    "Network",
    "Run",
    "TannerClassifier",
    "TannerRegressor",
    "TannerWarning",
    "Topology",
    "__version__",
    "devices",
    "load",
    "settings",
    "train",
]
__version__: str

_Callback = Callable[[dict[str, Any]], Any]

class TannerWarning(UserWarning): ...

class Topology:
    def __init__(self) -> None: ...
    @classmethod
    def from_edges(cls, inputs: int, outputs: int, edges: ArrayLike) -> Topology: ...
    @classmethod
    def from_scipy(cls, matrix: Any) -> Topology: ...
    @classmethod
    def fully_connected(cls, inputs: int, outputs: int) -> Topology: ...
    @classmethod
    def random_sparse(cls, inputs: int, outputs: int, degree: int | str, *, seed: int = 0, layer: int = 0) -> Topology: ...
    @classmethod
    def spatially_coupled(
        cls,
        inputs: int,
        outputs: int,
        degrees: int | Sequence[int],
        *,
        blocks: int = 8,
        receptive_field: int = 2,
        seed: int = 0,
        layer: int = 0,
    ) -> Topology: ...
    @classmethod
    def band(
        cls,
        inputs: int,
        outputs: int,
        degrees: int | Sequence[int],
        *,
        blocks: int = 8,
        softness: float = 1.0,
        seed: int = 0,
        layer: int = 0,
    ) -> Topology: ...
    @classmethod
    def coupled_2d(
        cls,
        inputs: tuple[int, int] | tuple[int, int, int],
        outputs: tuple[int, int] | tuple[int, int, int],
        fan_in: float,
        reach: float,
        *,
        picture: tuple[int, int] | None = None,
        falloff: str = "gauss",
        grain: str = "1",
        seed: int = 0,
        layer: int = 0,
    ) -> Topology: ...
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def edges(self) -> int: ...
    @property
    def density(self) -> float: ...
    def to_scipy(self, weights: NDArray[np.float32] | None = None) -> Any: ...
    def to_edges(self) -> NDArray[np.int64]: ...
    def __eq__(self, other: object) -> bool: ...
    __hash__: None  # type: ignore[assignment]

class Network:
    layers: list[Topology]
    def __init__(self, features: int, outputs: int, *, picture: tuple[int, int] | None = None, **settings: Any) -> None: ...
    @property
    def widths(self) -> list[int]: ...
    @property
    def parameters(self) -> int: ...
    def plot(self, axes: Any = None) -> Any: ...

class Model:
    def __init__(self) -> None: ...
    @classmethod
    def from_bytes(cls, data: bytes) -> Model: ...
    def to_bytes(self) -> bytes: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    def to_onnx(self, path: str | PathLike[str] | None = None, *, weights: str = "auto") -> bytes | None: ...
    def predict(self, data: Any, *, threads: int | None = None) -> NDArray[Any]: ...
    def predict_proba(self, data: Any, *, threads: int | None = None) -> NDArray[np.float32]: ...
    def permutation_importance(
        self, data: Any, labels: ArrayLike, *, repeats: int = 5, seed: int = 0, threads: int | None = None
    ) -> dict[str, float]: ...
    def prune(
        self,
        data: Any,
        labels: ArrayLike,
        *,
        sparsity: float | None = None,
        threshold: float | None = None,
        target: float | None = None,
        max_drop: float | None = None,
        blocks: int | None = None,
        rounds: int = 1,
        fine_tune: int = 0,
        lr: float | None = None,
        batch_size: int = 128,
        validation: float = 0.2,
        seed: int = 0,
        test: tuple[Any, ArrayLike] | None = None,
        threads: int | None = None,
    ) -> tuple[Model, list[dict[str, Any]]]: ...
    def weights(self, layer: int | None = None) -> Any: ...
    def biases(self, layer: int | None = None) -> Any: ...
    def plot_topology(self, axes: Any = None) -> Any: ...
    @property
    def activations(self) -> list[str]: ...
    @property
    def network(self) -> Network: ...
    @property
    def info(self) -> dict[str, Any]: ...
    @property
    def task(self) -> str: ...
    @property
    def arch(self) -> str: ...
    @property
    def widths(self) -> list[int]: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def column_names(self) -> list[str] | None: ...
    @property
    def parameters(self) -> int: ...
    @property
    def dense_parameters(self) -> int: ...
    @property
    def epochs(self) -> int: ...
    @property
    def image_shape(self) -> tuple[int, int] | None: ...

class Run:
    model: Model
    best_epoch: int | None
    @property
    def best_model(self) -> Model: ...
    history: list[dict[str, Any]]
    ending: str
    epochs_planned: int
    folder: str | None
    def __init__(self, native: Any, is_scored: bool) -> None: ...
    def plot_history(self, axes: Any = None) -> Any: ...

def devices() -> list[dict[str, Any]]: ...
def settings() -> dict[str, str]: ...
def load(path: str | PathLike[str]) -> Model: ...
def train(
    settings: Mapping[str, Any] | None = None,
    data: str | PathLike[str] | tuple[Any, ArrayLike] | None = None,
    *,
    eval_set: tuple[Any, ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    topologies: Sequence[Topology | Any] | None = None,
    start: Model | None = None,
    on_epoch: _Callback | Sequence[_Callback] | None = None,
    verbose: int = 0,
    **more: Any,
) -> Run: ...

_Estimator = TypeVar("_Estimator", bound="_Tanner")

class _Tanner(BaseEstimator):
    model_: Model
    history_: list[dict[str, Any]]
    n_iter_: int
    best_epoch_: int | None
    @classmethod
    def from_model(cls: type[_Estimator], model: Model, **parameters: Any) -> _Estimator: ...
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    @property
    def topology_(self) -> list[Topology]: ...
    @property
    def feature_importances_(self) -> NDArray[np.float64]: ...
    def plot_topology(self, axes: Any = None) -> Any: ...
    def plot_history(self, axes: Any = None) -> Any: ...
    def __sklearn_tags__(self) -> Any: ...

class TannerClassifier(ClassifierMixin, _Tanner):
    classes_: NDArray[Any]
    def __init__(
        self,
        *,
        preset: str | None = None,
        arch: str | None = None,
        hidden: Sequence[int] | str | None = None,
        density: float | None = None,
        parameters: int | None = None,
        activation: str | None = None,
        dropout: float | None = None,
        blocks: int | Sequence[int] | None = None,
        receptive_field: int | Sequence[int] | None = None,
        degrees: int | Sequence[int] | Sequence[Sequence[int]] | str | None = None,
        degree: int | None = None,
        degree_distribution: str | None = None,
        budget: int | None = None,
        softness: float | None = None,
        grid: Sequence[str] | str | None = None,
        fan_in: float | Sequence[float] | None = None,
        reach: float | Sequence[float] | None = None,
        falloff: str | None = None,
        grain: str | None = None,
        importance_power: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        schedule: str | None = None,
        momentum: float | None = None,
        adam_beta1: float | None = None,
        adam_beta2: float | None = None,
        adam_epsilon: float | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        label_smoothing: float | None = None,
        l2: float | None = None,
        l1: float | None = None,
        l1_input: float | None = None,
        group_lasso: float | None = None,
        l_half: float | None = None,
        weight_elimination: float | None = None,
        dropconnect: float | None = None,
        init: str | None = None,
        gain: float | None = None,
        augment: str | None = None,
        rewire: str | None = None,
        rewire_fraction: float | None = None,
        rewire_every: int | None = None,
        rewire_end: float | None = None,
        impute: str | None = None,
        max_categories: int | None = None,
        picture: tuple[int, int] | str | None = None,
        numbers: str | None = None,
        bins: int | None = None,
        standardize: bool | None = None,
        importance: str | None = None,
        order: str | None = None,
        trees: int | None = None,
        validation: int | float | None = None,
        patience: int | None = None,
        patience_on: str | None = None,
        target: float | str | None = None,
        backend: str | None = None,
        adapter: int | str | None = None,
        gpu_kernels: str | None = None,
        out: str | PathLike[str] | None = None,
        tensorboard: str | PathLike[str] | None = None,
        checkpoint_every: int | str | None = None,
        topologies: Sequence[Topology | Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        warm_start: bool = False,
        restore_best: bool = False,
        verbose: int = 0,
    ) -> None: ...
    preset: str | None
    arch: str | None
    hidden: Sequence[int] | str | None
    density: float | None
    parameters: int | None
    activation: str | None
    dropout: float | None
    blocks: int | Sequence[int] | None
    receptive_field: int | Sequence[int] | None
    degrees: int | Sequence[int] | Sequence[Sequence[int]] | str | None
    degree: int | None
    degree_distribution: str | None
    budget: int | None
    softness: float | None
    grid: Sequence[str] | str | None
    fan_in: float | Sequence[float] | None
    reach: float | Sequence[float] | None
    falloff: str | None
    grain: str | None
    importance_power: float | None
    epochs: int | None
    batch_size: int | None
    optimizer: str | None
    lr: float | None
    schedule: str | None
    momentum: float | None
    adam_beta1: float | None
    adam_beta2: float | None
    adam_epsilon: float | None
    class_weight: str | Mapping[Any, float] | None
    label_smoothing: float | None
    l2: float | None
    l1: float | None
    l1_input: float | None
    group_lasso: float | None
    l_half: float | None
    weight_elimination: float | None
    dropconnect: float | None
    init: str | None
    gain: float | None
    augment: str | None
    rewire: str | None
    rewire_fraction: float | None
    rewire_every: int | None
    rewire_end: float | None
    impute: str | None
    max_categories: int | None
    picture: tuple[int, int] | str | None
    numbers: str | None
    bins: int | None
    standardize: bool | None
    importance: str | None
    order: str | None
    trees: int | None
    validation: int | float | None
    patience: int | None
    patience_on: str | None
    target: float | str | None
    backend: str | None
    adapter: int | str | None
    gpu_kernels: str | None
    out: str | PathLike[str] | None
    tensorboard: str | PathLike[str] | None
    checkpoint_every: int | str | None
    topologies: Sequence[Topology | Any] | None
    random_state: int | np.random.RandomState | None
    n_jobs: int | None
    warm_start: bool
    restore_best: bool
    verbose: int

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        eval_set: tuple[Any, ArrayLike] | list[tuple[Any, ArrayLike]] | None = None,
        callbacks: _Callback | Sequence[_Callback] | None = None,
    ) -> TannerClassifier: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[np.float32]: ...
    def predict_log_proba(self, X: Any) -> NDArray[np.float32]: ...
    def __sklearn_tags__(self) -> Any: ...

class TannerRegressor(RegressorMixin, _Tanner):
    def __init__(
        self,
        *,
        preset: str | None = None,
        arch: str | None = None,
        hidden: Sequence[int] | str | None = None,
        density: float | None = None,
        parameters: int | None = None,
        activation: str | None = None,
        dropout: float | None = None,
        blocks: int | Sequence[int] | None = None,
        receptive_field: int | Sequence[int] | None = None,
        degrees: int | Sequence[int] | Sequence[Sequence[int]] | str | None = None,
        degree: int | None = None,
        degree_distribution: str | None = None,
        budget: int | None = None,
        softness: float | None = None,
        grid: Sequence[str] | str | None = None,
        fan_in: float | Sequence[float] | None = None,
        reach: float | Sequence[float] | None = None,
        falloff: str | None = None,
        grain: str | None = None,
        importance_power: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        schedule: str | None = None,
        momentum: float | None = None,
        adam_beta1: float | None = None,
        adam_beta2: float | None = None,
        adam_epsilon: float | None = None,
        loss: str | None = None,
        l2: float | None = None,
        l1: float | None = None,
        l1_input: float | None = None,
        group_lasso: float | None = None,
        l_half: float | None = None,
        weight_elimination: float | None = None,
        dropconnect: float | None = None,
        init: str | None = None,
        gain: float | None = None,
        augment: str | None = None,
        rewire: str | None = None,
        rewire_fraction: float | None = None,
        rewire_every: int | None = None,
        rewire_end: float | None = None,
        impute: str | None = None,
        max_categories: int | None = None,
        picture: tuple[int, int] | str | None = None,
        numbers: str | None = None,
        bins: int | None = None,
        standardize: bool | None = None,
        importance: str | None = None,
        order: str | None = None,
        trees: int | None = None,
        validation: int | float | None = None,
        patience: int | None = None,
        patience_on: str | None = None,
        target: float | str | None = None,
        backend: str | None = None,
        adapter: int | str | None = None,
        gpu_kernels: str | None = None,
        out: str | PathLike[str] | None = None,
        tensorboard: str | PathLike[str] | None = None,
        checkpoint_every: int | str | None = None,
        topologies: Sequence[Topology | Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        warm_start: bool = False,
        restore_best: bool = False,
        verbose: int = 0,
    ) -> None: ...
    preset: str | None
    arch: str | None
    hidden: Sequence[int] | str | None
    density: float | None
    parameters: int | None
    activation: str | None
    dropout: float | None
    blocks: int | Sequence[int] | None
    receptive_field: int | Sequence[int] | None
    degrees: int | Sequence[int] | Sequence[Sequence[int]] | str | None
    degree: int | None
    degree_distribution: str | None
    budget: int | None
    softness: float | None
    grid: Sequence[str] | str | None
    fan_in: float | Sequence[float] | None
    reach: float | Sequence[float] | None
    falloff: str | None
    grain: str | None
    importance_power: float | None
    epochs: int | None
    batch_size: int | None
    optimizer: str | None
    lr: float | None
    schedule: str | None
    momentum: float | None
    adam_beta1: float | None
    adam_beta2: float | None
    adam_epsilon: float | None
    loss: str | None
    l2: float | None
    l1: float | None
    l1_input: float | None
    group_lasso: float | None
    l_half: float | None
    weight_elimination: float | None
    dropconnect: float | None
    init: str | None
    gain: float | None
    augment: str | None
    rewire: str | None
    rewire_fraction: float | None
    rewire_every: int | None
    rewire_end: float | None
    impute: str | None
    max_categories: int | None
    picture: tuple[int, int] | str | None
    numbers: str | None
    bins: int | None
    standardize: bool | None
    importance: str | None
    order: str | None
    trees: int | None
    validation: int | float | None
    patience: int | None
    patience_on: str | None
    target: float | str | None
    backend: str | None
    adapter: int | str | None
    gpu_kernels: str | None
    out: str | PathLike[str] | None
    tensorboard: str | PathLike[str] | None
    checkpoint_every: int | str | None
    topologies: Sequence[Topology | Any] | None
    random_state: int | np.random.RandomState | None
    n_jobs: int | None
    warm_start: bool
    restore_best: bool
    verbose: int

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        eval_set: tuple[Any, ArrayLike] | list[tuple[Any, ArrayLike]] | None = None,
        callbacks: _Callback | Sequence[_Callback] | None = None,
    ) -> TannerRegressor: ...
    def predict(self, X: Any) -> NDArray[np.float64]: ...
    def __sklearn_tags__(self) -> Any: ...
