"""Graphs of layers."""

from __future__ import annotations

import numpy as np

from . import _native
from ._data import number_of

# Neurons on a side of a layer.
MOST = 1 << 24


class Topology:
    """The graph of a layer: which weights between its inputs and its outputs exist.

    A topology is made once and never changes. Make one with the builders below, `from_edges` or `from_scipy`, and pass a list
    of them, starting at the inputs, as `topologies` to `train` or an estimator: a fully connected layer of logits is added.

    Builders draw from `seed` and the number of the layer, `layer`, as a run of the command line does.

    Attributes
    ----------
    inputs, outputs : int
        Number of neurons on each side.
    edges : int
        Number of weights.
    density : float
        Share of the possible weights that exist, above 0 and at most 1.
    """

    __slots__ = ("_native",)

    def __init__(self):
        raise TypeError("make a Topology with from_edges, from_scipy or one of the builders, such as random_sparse")

    @classmethod
    def _of(cls, native):
        topology = object.__new__(cls)
        topology._native = native
        return topology

    @classmethod
    def from_edges(cls, inputs, outputs, edges):
        """Of pairs (input, output), in any order: an array [edges, 2] or a list.

        Raises ValueError for an end that does not exist, for an edge that appears twice, and if there is none.
        """
        pairs = np.asarray(edges)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
            raise ValueError("edges must be pairs of whole numbers, [edges, 2]")
        if pairs.size and (pairs.min() < 0 or pairs.max() >= 1 << 32):
            raise ValueError("an end of an edge is below 0 or too large")
        return cls._of(_native.Topology.of_edges(*_sides(inputs, outputs), [(int(a), int(b)) for a, b in pairs]))

    @classmethod
    def from_scipy(cls, matrix):
        """Of a sparse matrix [outputs, inputs]: every stored entry is an edge, even a 0. The values are ignored."""
        if not hasattr(matrix, "tocsr"):
            name = type(matrix).__name__
            raise TypeError(f"expected a sparse matrix [outputs, inputs], got {name}: make one with scipy.sparse.csr_matrix")
        matrix = matrix.tocsr()
        matrix.sort_indices()
        rows, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
        return cls._of(_native.Topology.of_rows(matrix.shape[1], rows, columns))

    @classmethod
    def fully_connected(cls, inputs, outputs):
        """Every possible edge."""
        return cls._of(_native.Topology.fully_connected(*_sides(inputs, outputs)))

    @classmethod
    def random_sparse(cls, inputs, outputs, degree, *, seed=0, layer=0):
        """Each input feeds randomly chosen outputs.

        `degree` is a number, or a distribution: "uniform:10-90", "poisson:53" or "20:0.5,86:0.5".
        """
        degrees = degree if isinstance(degree, str) else f"regular:{number_of('degree', degree, whole=True, least=0)}"
        return cls._of(_native.Topology.random_sparse(_sides(inputs, outputs), degrees, (seed, layer)))

    @classmethod
    def spatially_coupled(cls, inputs, outputs, degrees, *, blocks=8, receptive_field=2, seed=0, layer=0):
        """Blocks of neurons that connect to neighbouring blocks: output block i sees the input blocks i to i + receptive_field - 1.

        `degrees` is the out-degree of an input of each block: a list, or one number for all.
        """
        degrees = [number_of("degrees", degree, whole=True, least=0) for degree in np.atleast_1d(degrees)]
        native = _native.Topology.spatially_coupled(_sides(inputs, outputs), (blocks, receptive_field), degrees, (seed, layer))
        return cls._of(native)

    @classmethod
    def band(cls, inputs, outputs, degrees, *, blocks=8, softness=1.0, seed=0, layer=0):
        """As `spatially_coupled`, without a window: edges get e times rarer over `softness` blocks."""
        degrees = [number_of("degrees", degree, whole=True, least=0) for degree in np.atleast_1d(degrees)]
        return cls._of(_native.Topology.soft_band(_sides(inputs, outputs), (blocks, softness), degrees, (seed, layer)))

    @classmethod
    def coupled_2d(cls, inputs, outputs, fan_in, reach, *, picture=None, falloff="gauss", grain="1", seed=0, layer=0):
        """Neurons on grids (rows, columns) or (rows, columns, maps) across the same picture, with short edges.

        `fan_in` is the number of inputs of each output, `reach` how far it sees, in pixels of `picture` (rows, columns;
        by default the grid of the inputs). `falloff` is "gauss" or "window"; `grain` "1" draws edges, "4" whole blocks of 4 x 4.
        """
        grids = [_grid(name, grid) for name, grid in (("inputs", inputs), ("outputs", outputs))]
        picture = tuple(picture or inputs[:2])
        native = _native.Topology.coupled_2d(
            tuple(grids), (float(fan_in), float(reach)), (falloff, str(grain)), picture, (seed, layer)
        )
        return cls._of(native)

    @property
    def inputs(self):
        """Number of neurons that it reads."""
        return self._native.inputs

    @property
    def outputs(self):
        """Number of neurons that it feeds."""
        return self._native.outputs

    @property
    def edges(self):
        """Number of weights."""
        return self._native.edges

    @property
    def density(self):
        """Share of the possible weights that exist, above 0 and at most 1."""
        return self._native.density

    def to_scipy(self, weights=None):
        """A scipy.sparse.csr_matrix [outputs, inputs], with `weights` [edges] by output and input, by default ones."""
        from scipy.sparse import csr_matrix

        rows, columns = self._native.rows()
        if weights is None:
            weights = np.ones(len(columns), dtype=np.float32)
        return csr_matrix((weights, columns.astype(np.int64), rows.astype(np.int64)), shape=(self.outputs, self.inputs))

    def to_edges(self):
        """All edges as an array [edges, 2] of pairs (input, output), by output and input."""
        rows, columns = self._native.rows()
        outputs = np.repeat(np.arange(self.outputs), np.diff(rows.astype(np.int64)))
        return np.column_stack([columns.astype(np.int64), outputs])

    def __eq__(self, other):
        return isinstance(other, Topology) and self._native == other._native

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self):
        return _rebuild, (self.inputs, *self._native.rows())

    def __repr__(self):
        return (
            f"Topology({self.inputs} -> {self.outputs}, {self.edges:,} edges, {100 * self.density:.3g} % of the possible)"
        )

    def _repr_html_(self):
        from ._pictures import connectivity_html

        return f"<div>{self!r}</div>{connectivity_html([self])}"


def _rebuild(inputs, rows, columns):
    return Topology._of(_native.Topology.of_rows(inputs, rows.astype(np.int64), columns.astype(np.int64)))


def _sides(inputs, outputs):
    """Numbers of neurons within reason."""
    sides = ("inputs", inputs), ("outputs", outputs)
    return tuple(number_of(name, width, whole=True, least=1, most=MOST) for name, width in sides)


def _grid(name, grid):
    """Rows, columns and maps."""
    if np.ndim(grid) != 1 or len(grid) not in (2, 3):
        raise ValueError(f"{name}: expected (rows, columns) or (rows, columns, maps), got {grid!r}")
    grid = tuple(number_of(name, side, whole=True, least=1, most=MOST) for side in grid)
    number_of(name, int(np.prod(grid, dtype=object)), whole=True, least=1, most=MOST)
    return grid if len(grid) == 3 else (*grid, 1)


def natives(topologies):
    """The native graphs of a list of topologies or sparse matrices."""
    if topologies is None:
        return None
    if not isinstance(topologies, (list, tuple)):
        raise TypeError(f"topologies is a list of graphs, one for each hidden layer, got {type(topologies).__name__}")
    made = [one if isinstance(one, Topology) else Topology.from_scipy(one) for one in topologies]
    return [one._native for one in made]
