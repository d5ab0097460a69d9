"""Compares the accuracy of `tanner --preset small` on small tables with scikit-learn's MLPClassifier.

Usage: tables_vs_sklearn.py [--repeats N] [--seed N] [--tables NAME,..] [--flags "..."] [--tanner PROGRAM] [--details]

Writes scikit-learn's digits, breast cancer, wine and iris as CSV files, cuts each into 5 stratified folds, `--repeats`
times (2 by default, so 10 splits), trains on all folds but one and scores on that one:

* `tanner --data train.csv --test test.csv --preset small`, one process a split, seeded with the number of the split;
* `MLPClassifier(max_iter=1000)` with its other defaults on raw features, and behind a StandardScaler, on the same rows.

No epoch is chosen by the test rows: Tanner's accuracy is that of the last epoch. Prints a Markdown table: mean
accuracy and standard deviation over the splits, and Tanner's difference from the better of the two MLPs, in points,
with the standard error of the paired differences. (Training sets of different folds overlap, so this standard error is
too small; it shows how much of the difference is the luck of the splits, not how certain it is.) Needs scikit-learn.
"""

import argparse
import csv
import json
import os
import shlex
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import numpy as np
    from sklearn import datasets
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import RepeatedStratifiedKFold
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    sys.exit(f"needs scikit-learn, which this Python does not have ({error}): "
             "python3 -m venv V && V/bin/pip install scikit-learn, then V/bin/python benches/tables_vs_sklearn.py")

TABLES = ("digits", "breast_cancer", "wine", "iris")
FOLDS = 5


def write(path, names, features, classes):
    """A CSV file with a header; the last column is `target`, as text."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*names, "target"])
        # repr gives the shortest text that reads back as the same number.
        rows.writerows([*(repr(float(value)) for value in row), name] for row, name in zip(features, classes))


def tanner(arguments, data, names, split):
    """Accuracy on the test rows, and the number of parameters."""
    seed, (train, test) = split
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        files = [Path(folder) / "train.csv", Path(folder) / "test.csv"]
        for path, rows in zip(files, (train, test)):
            write(path, names, data.data[rows], data.target_names[data.target[rows]])
        recipe = shlex.split(arguments.flags) if arguments.flags else ["--preset", "small"]
        command = [arguments.tanner, "--data", files[0], "--test", files[1], *recipe, "--seed", seed, "--threads", 1,
                   "--backend", arguments.backend, "--quiet", "--json", "--out", Path(folder) / "run"]
        command = [str(word) for word in command]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}\nfailed with exit code {done.returncode}: {done.stderr}")
        result = json.loads(done.stdout)
        return result["test_accuracy"], result["parameters"]


def scikit_learn(data, split, scaled):
    seed, (train, test) = split
    network = MLPClassifier(max_iter=1000, random_state=seed)
    model = make_pipeline(StandardScaler(), network) if scaled else network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(data.data[train], data.target[train])
    if network.n_iter_ >= network.max_iter:
        print(f"MLPClassifier (seed {seed}) did not converge in {network.max_iter} epochs", file=sys.stderr)
    return model.score(data.data[test], data.target[test])


def spread(values):
    """Mean and standard deviation in percent."""
    return f"{100 * np.mean(values):.2f} ± {100 * np.std(values, ddof=1):.2f} %"


def compare(arguments, name):
    """One row of the table."""
    data = getattr(datasets, f"load_{name}")()
    data.target_names = np.array([str(text) for text in data.target_names])
    names = [str(text) for text in data.feature_names]
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=arguments.repeats, random_state=arguments.seed)
    splits = list(enumerate(folds.split(data.data, data.target)))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        ours, parameters = zip(*pool.map(lambda split: tanner(arguments, data, names, split), splits))
        raw, scaled = (np.array(list(pool.map(lambda split: scikit_learn(data, split, how), splits)))
                       for how in (False, True))
    ours = np.array(ours)
    if arguments.details:
        for kind, values in (("tanner", ours), ("MLP raw", raw), ("MLP scaled", scaled)):
            print(json.dumps({"table": name, "program": kind, "accuracies": [round(float(v), 4) for v in values]}),
                  file=sys.stderr)
    differences = 100 * (ours - max(raw, scaled, key=np.mean))
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    return [name, *data.data.shape, len(data.target_names), spread(ours), f"{max(parameters):,}", spread(raw),
            spread(scaled), f"{np.mean(differences):+.2f} ± {error:.2f}"]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2, help="how often each table is cut into folds [2]")
    parser.add_argument("--seed", type=int, default=0, help="seed of the folds [0]")
    parser.add_argument("--tables", default=",".join(TABLES), help=f"some of {','.join(TABLES)} [all]")
    parser.add_argument("--flags", help='flags of `tanner train` in place of "--preset small"')
    parser.add_argument("--backend", default="cpu", help="Tanner's engine [cpu]")
    parser.add_argument("--tanner", default="target/release/tanner", help="the program [target/release/tanner]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="splits at the same time [all cores]")
    parser.add_argument("--details", action="store_true", help="print the accuracy of each split on stderr")
    arguments = parser.parse_args()
    arguments.tables = arguments.tables.split(",")
    if unknown := set(arguments.tables) - set(TABLES):
        parser.error(f"--tables: {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    if arguments.repeats < 1:
        parser.error("--repeats: at least 1")
    if not Path(arguments.tanner).is_file():
        parser.error(f"--tanner: there is no {arguments.tanner}; build it with `cargo build --release`")
    return arguments


def main():
    arguments = parsed()
    columns = ["table", "rows", "features", "classes", "tanner", "parameters", "MLP raw", "MLP scaled",
               "tanner - better MLP, points"]
    with tempfile.TemporaryDirectory() as folder:
        arguments.folder = folder
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
        for name in arguments.tables:
            try:
                cells = compare(arguments, name)
            except RuntimeError as error:
                sys.exit(str(error))
            print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
