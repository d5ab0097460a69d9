"""Neural networks that are sparse from the start, on any GPU and on plain CPUs.

A random graph decides which weights of a network exist before training starts. The others take no memory, no arithmetic
and no space in the file. Training runs on all cores of the CPU or on any GPU that Vulkan, Metal or DX12 reaches.

With scikit-learn::

    from tanner import TannerClassifier
    clf = TannerClassifier().fit(X_train, y_train)     # the recipe fits the data
    clf.score(X_test, y_test)

`TannerClassifier` and `TannerRegressor` are estimators of scikit-learn: they work in pipelines, grid searches and
cross-validation, take pandas and polars frames with columns of texts, and are pickled as model files. They need the package
`scikit-learn`. Everything else needs only numpy:

* `train(settings, data)` runs what the command line runs: the same settings on the same data train the same model, to the bit.
* `load(path)` reads a model file of the command line, and `Model.save(path)` writes one.
* `Topology` is the graph of a layer, drawn or your own; `Network` is what settings would draw.
* `devices()` lists the GPUs.
"""

from __future__ import annotations

from importlib.util import find_spec as _find_spec

from . import _native
from ._native import __version__

_PLACES = {
    "TannerClassifier": "_estimators",
    "TannerRegressor": "_estimators",
    "Model": "_models",
    "Network": "_models",
    "Run": "_models",
    "Topology": "_topologies",
    "TannerWarning": "_data",
    "devices": "_models",
    "load": "_models",
    "settings": "_models",
    "train": "_models",
}

# Without scikit-learn there are no estimators, and help(tanner) still works.
__all__ = ["__version__"] + sorted(
    name for name, place in _PLACES.items() if place != "_estimators" or _find_spec("sklearn")
)


def __getattr__(name):
    # Loaded on first use: scikit-learn takes a second to import.
    if name not in _PLACES:
        raise AttributeError(f"module 'tanner' has no attribute {name!r}")
    from importlib import import_module

    try:
        value = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "sklearn":
            raise
        raise ImportError(f"{name} needs scikit-learn: pip install scikit-learn") from error
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(__all__))
