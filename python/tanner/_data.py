"""Arrays, frames, sparse matrices and labels as what the native module takes."""

from __future__ import annotations

import csv
import json
import numbers
import os
import re
import shlex
import sys

import numpy as np

from . import _native

# Rows of a sparse matrix that become dense at a time.
BLOCK = 8192
# Tables of up to this many rows: equal rows become one, with the sum of their weights.
FEW_ROWS = 64


class TannerWarning(UserWarning):
    """What the library warns of: unknown categories, networks that learned nothing, an interrupted run."""


def is_frame(data):
    """Whether these are named columns, as of pandas and polars."""
    return hasattr(data, "columns") and hasattr(data, "dtypes") and hasattr(data, "__getitem__")


def is_sparse(data):
    return hasattr(data, "tocsr") and hasattr(data, "nnz")


def columns_of(frame):
    """The names and columns of a frame."""
    seen = set()
    for name in frame.columns:
        if name in seen:
            raise ValueError(f"two columns are called {name!r}: rename one")
        seen.add(name)
    return [(name, frame[name]) for name in frame.columns]


def is_number(column):
    """Whether a column holds numbers, unlike texts, categories, booleans and dates."""
    dtype = column.dtype
    kind = getattr(dtype, "kind", None)
    if isinstance(kind, str):  # numpy, and the nullable numbers of pandas
        return kind in "iuf" and str(dtype) != "category"
    is_numeric = getattr(dtype, "is_numeric", None)  # polars
    return bool(is_numeric()) if callable(is_numeric) else False


def is_category(column):
    """Whether a column is declared to hold categories, as the dtype `category` of pandas and Categorical and Enum of polars do."""
    return str(column.dtype) == "category" or type(column.dtype).__name__ in ("Categorical", "Enum")


def has_texts(data):
    """Whether a frame has columns that are not numbers."""
    return is_frame(data) and any(not is_number(column) for _, column in columns_of(data))


def cells_of(column):
    """A column as float64 numbers with NaN for missing ones, or as a list of texts and None."""
    if is_number(column):
        if hasattr(column, "to_list") and not hasattr(column, "isna"):  # polars: nulls become NaN
            return np.ascontiguousarray(column.cast(_polars_float(column)).to_numpy(), dtype=np.float64)
        return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return [_text(cell) for cell in (column.to_list() if hasattr(column, "to_list") else list(column))]


def _polars_float(column):
    import polars

    return polars.Float64


def _text(cell):
    """A cell as it is written in a CSV file; None if it is missing."""
    if isinstance(cell, str):
        return cell
    if cell is None or (isinstance(cell, numbers.Real) and cell != cell):
        return None
    if type(cell).__name__ in ("NAType", "NaTType"):
        return None
    return str(cell)


def table_of(data, names=None, takes_texts=False):
    """A table of the native module: of an array [samples, features], a frame or a sparse matrix. `takes_texts` says that it is for
    a model with columns of texts.

    An array of float32, float64 or uint8 in C order is read in place; others are converted once.
    """
    if is_frame(data):
        if takes_texts or has_texts(data):
            return _native.Table.of_columns(
                [(str(name), cells_of(column), is_category(column)) for name, column in columns_of(data)]
            )
        if all(isinstance(name, str) for name in data.columns):
            names = list(data.columns)
        data = dense_frame(data)
    if is_sparse(data):
        data = dense(data)
    return _native.Table.of_array(as_numbers(data), names)


def dense_frame(frame):
    """The numbers of a frame without texts, [samples, columns]."""
    columns = [cells_of(column) for _, column in columns_of(frame)]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def dense(matrix):
    """A sparse matrix as an array of float32, block by block."""
    matrix = matrix.tocsr()
    out = np.empty(matrix.shape, dtype=np.float32)
    for start in range(0, matrix.shape[0], BLOCK):
        out[start : start + BLOCK] = matrix[start : start + BLOCK].toarray()
    return out


def as_numbers(data):
    """An array in C order of a type that the native module reads."""
    array = np.asarray(data)
    if array.ndim == 3:  # pictures
        array = array.reshape(len(array), -1)
    if array.ndim != 2:
        raise ValueError(f"expected an array [samples, features], got one of {array.ndim} dimensions")
    if array.dtype not in (np.float32, np.float64, np.uint8):
        if array.dtype.kind not in "biufO":
            raise TypeError(f"expected numbers, got an array of {array.dtype}; give texts as a frame")
        array = array.astype(np.float64)
    return np.ascontiguousarray(array)


def class_texts(classes):
    """The texts of classes, and the order in which a model has them: by value if all are numbers, otherwise by text."""
    texts = [_class_text(label) for label in classes]
    try:
        values = [float(text) for text in texts]
        order = np.argsort(values, kind="stable") if all(np.isfinite(values)) else np.argsort(texts, kind="stable")
    except ValueError:
        order = np.argsort(texts, kind="stable")
    if len(set(texts)) != len(texts):
        raise ValueError(f"several classes have the same text: {texts}")
    return texts, order


def _class_text(label):
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def classes_of(texts):
    """The labels that have these texts: whole numbers, booleans, or the texts themselves."""
    try:
        if all(str(int(text)) == text for text in texts):
            return np.array([int(text) for text in texts])
    except (ValueError, OverflowError):
        pass
    if set(texts) <= {"False", "True"}:
        return np.array([text == "True" for text in texts])
    return np.array(texts)


def number_of(name, value, whole=False, least=None, most=None):
    """A number within its range; None if there is none."""
    if value is None:
        return None
    kind = numbers.Integral if whole else numbers.Real
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, kind):
        raise TypeError(f"{name}: expected {'a whole number' if whole else 'a number'}, got {value!r}")
    if not np.isfinite(value) or (least is not None and value < least) or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise ValueError(f"{name}: {value!r} is invalid, it must be {limits}")
    return int(value) if whole else float(value)


def pair_of(name, value):
    """A pair of samples and labels."""
    if not (isinstance(value, (tuple, list)) and len(value) == 2):
        raise ValueError(f"{name}: expected a pair (X, y), got {type(value).__name__}")
    return value


def same_names(what, names, known):
    """Refuses columns to predict that have other names, or are in another order, than those known."""
    if names is not None and known is not None and len(known) > 1 and list(names) != list(known):
        raise ValueError(f"{what}: the columns of y are {list(names)[:10]}, expected {list(known)[:10]} in this order")


def plain(label):
    """A label as it is written in Python."""
    return label.item() if isinstance(label, np.generic) else label


def merge_rows(features, targets, weights):
    """Makes a small table independent of how it is written: equal rows become one with the sum of their weights, in an order
    that follows from their content.

    So a row of weight 2 trains the same network as the row twice, to the last bit. Larger tables are left as they are, and
    so are those without weights and repeated rows.
    """
    if len(features) > FEW_ROWS or features.dtype == np.uint8:
        return features, targets, weights
    # Adding 0 makes 0 of -0.
    keys = np.column_stack([features.astype(np.float64) + 0.0, targets.reshape(len(targets), -1).astype(np.float64)])
    if not np.isfinite(keys).all():
        return features, targets, weights
    unique, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    if weights is None and len(unique) == len(keys):
        return features, targets, weights
    sums = np.bincount(place.ravel(), weights=weights, minlength=len(unique))
    return np.ascontiguousarray(features[first]), targets[first], equal_to_none(sums)


def equal_to_none(weights):
    """Weights that are all equal are no weights."""
    return None if weights is None or np.all(weights == weights[0]) else weights


def names_of(targets):
    """The names of the numbers to predict: of the columns of a frame, or of a series; None if there are none."""
    if is_frame(targets):
        names = [str(name) for name in targets.columns]
    else:
        name = getattr(targets, "name", None)
        names = [str(name)] if isinstance(name, (str, numbers.Real)) else []
    return names if names and all(names) and len(set(names)) == len(names) else None


# A word of a message, quoted for a shell or not.
_WORD = r"((?:'(?:[^']|'\\'')*'|[^\s;'])+)"
# What a message about a table advises, and what that is in Python.
_ADVICE = [
    (rf"leave (it|the column) out with drop {_WORD}", lambda found: f"leave {found[1]} out ({_dropped(found[2])})"),
    (rf"drop {_WORD}", lambda found: _dropped(found[1]) + ","),
    (rf"missing {_WORD}", lambda found: f"None in place of {_list(found[1])[1:]},"),
    (r"impute median", "impute='median'"),
]


def in_python(message):
    """A message about a table with its advice for a frame or an array, which have no flags and no decimals."""
    message = re.sub(r"\bline (\d+)\b", r"row \1", message)
    message = message.replace("fill it with impute mean, median or zero", "fill it with impute='mean', 'median' or 'zero'")
    message = message.replace("class_weight weighs classes, weights weighs rows", "class_weight weighs classes, sample_weight weighs samples")
    message = message.replace(
        "needs validation: stopping where the test accuracy looks best would make it too good",
        "needs eval_set or validation, samples by which the last epoch is chosen",
    )
    message = message.replace(
        "give all decimals the same character, and name it with decimal, or leave", "convert it to numbers, or leave"
    )
    message = message.replace("; name the character before decimals with decimal", "")
    problem, advice, remedy = message.partition("; to train without these problems, add ")
    if advice:
        for pattern, python in _ADVICE[1:]:
            remedy = re.sub(pattern, python, remedy)
        return f"{problem}; what helps: {remedy.rstrip(',')}"
    message = re.sub(
        rf"if it means missing, add missing {_WORD}( impute median)?",
        lambda found: "make it None if it means missing" + (", and give impute='median'" if found[2] else ""),
        message,
    )
    return re.sub(*_ADVICE[0], message)


def _list(word):
    """The items of a word, which may be quoted as in CSV."""
    return next(csv.reader(shlex.split(word)))


def _dropped(word):
    names = _list(word)
    if all(name.isdigit() for name in names):
        return f"numpy.delete(X, {list(map(int, names))}, axis=1)"
    return f"X.drop(columns={names})"


def as_json(settings):
    """Settings as JSON, without those that are None."""
    plain = {name: _plain(value) for name, value in settings.items() if value is not None}
    if plain.get("hidden") == []:
        plain["hidden"] = "none"
    return json.dumps(plain)


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


def cache_folder():
    """Where forests and measured kernels are kept, as by the command line; None for nowhere."""
    named = os.environ.get("TANNER_CACHE")
    if named is not None:
        return named or None
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.join(os.path.expanduser("~"), "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "tanner") if base else None
