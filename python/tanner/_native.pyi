"""The native part, private to the package."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__version__: str

@final
class Table:
    rows: int
    @staticmethod
    def of_array(array: NDArray[Any], names: list[str] | None = None) -> Table: ...
    @staticmethod
    def of_columns(columns: list[tuple[str, Any, bool]]) -> Table: ...

@final
class Known:
    @staticmethod
    def classes(labels: NDArray[np.uint32], names: list[str], weights: NDArray[np.float32] | None = None) -> Known: ...
    @staticmethod
    def numbers(
        task: str, values: NDArray[np.float32], names: list[str], weights: NDArray[np.float32] | None = None
    ) -> Known: ...

@final
class Topology:
    inputs: int
    outputs: int
    edges: int
    density: float
    @staticmethod
    def of_rows(inputs: int, row_start: NDArray[np.int64], columns: NDArray[np.int64]) -> Topology: ...
    @staticmethod
    def of_edges(inputs: int, outputs: int, edges: list[tuple[int, int]]) -> Topology: ...
    @staticmethod
    def fully_connected(inputs: int, outputs: int) -> Topology: ...
    @staticmethod
    def random_sparse(widths: tuple[int, int], degrees: str, stream: tuple[int, int]) -> Topology: ...
    @staticmethod
    def spatially_coupled(
        widths: tuple[int, int], blocks: tuple[int, int], degrees: list[int], stream: tuple[int, int]
    ) -> Topology: ...
    @staticmethod
    def soft_band(
        widths: tuple[int, int], blocks: tuple[int, float], degrees: list[int], stream: tuple[int, int]
    ) -> Topology: ...
    @staticmethod
    def coupled_2d(
        grids: tuple[tuple[int, int, int], tuple[int, int, int]],
        reach: tuple[float, float],
        kind: tuple[str, str],
        picture: tuple[int, int],
        stream: tuple[int, int],
    ) -> Topology: ...
    def rows(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]: ...

@final
class Model:
    widths: list[int]
    parameters: int
    dense_parameters: int
    epochs: int
    task: str
    arch: str
    output_names: list[str]
    column_names: list[str] | None
    takes_texts: bool
    columns: int
    image_shape: list[int] | None
    @staticmethod
    def load(path: str) -> Model: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Model: ...
    def save(self, path: str) -> None: ...
    def to_bytes(self) -> bytes: ...
    def to_onnx(self, form: str) -> bytes: ...
    def predict(
        self, table: Table, threads: int | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.float64] | None, list[str]]: ...
    def importance(
        self, table: Table, known: Known, repeats: int = 5, seed: int = 0, threads: int | None = None
    ) -> list[tuple[str, float, float]]: ...
    def prune(
        self, options: str, table: Table, known: Known, test: tuple[Table, Known] | None = None
    ) -> tuple[Model, list[dict[str, Any]], str | None]: ...
    def layer(self, layer: int) -> dict[str, Any]: ...
    def header(self) -> str: ...

@final
class Run:
    model: Model
    best: Model | None
    best_epoch: int | None
    ending: str
    epochs: int
    epochs_planned: int
    interrupted: bool
    warnings: list[str]
    folder: str | None
    def history(self) -> list[dict[str, Any]]: ...

def train(
    settings: str,
    train: tuple[Table, Known] | None = None,
    test: tuple[Table, Known] | None = None,
    topologies: list[Topology] | None = None,
    start: Model | None = None,
    cache: str | None = None,
    on_epoch: Any = None,
    on_note: Any = None,
) -> Run: ...
def draw(settings: str, features: int, outputs: int, picture: tuple[int, int] | None) -> list[Topology]: ...
def devices() -> tuple[list[dict[str, Any]], str]: ...
def settings() -> list[tuple[str, str]]: ...
def panic() -> None: ...
