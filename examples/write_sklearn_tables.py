#!/usr/bin/env python3
"""Writes scikit-learn's bundled tables as CSV files with a header: digits, breast_cancer, wine, iris.

Usage: write_sklearn_tables.py FOLDER        (needs scikit-learn)

The last column is `target`, with the names of the classes as text where the data set has names.
"""

import csv
import pathlib
import sys

from sklearn import datasets


def write(folder: pathlib.Path, name: str) -> None:
    data = getattr(datasets, f"load_{name}")()
    classes = [str(text) for text in data.target_names]
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*data.feature_names, "target"])
        for features, target in zip(data.data, data.target):
            # repr gives the shortest text that reads back as the same number.
            rows.writerow([*(repr(float(value)) for value in features), classes[target]])
    print(f"{path}: {len(data.target)} rows, {data.data.shape[1]} features, {len(classes)} classes")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("digits", "breast_cancer", "wine", "iris"):
        write(folder, name)


if __name__ == "__main__":
    main()
