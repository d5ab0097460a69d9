"""Compares the random forest's feature ranking, time and memory with scikit-learn's.

Usage: forest_vs_sklearn.py [--seeds N] [--trees N] [--jobs N] [--data DIR] [--tanner PROGRAM] [--train-limit N]

Runs `tanner importance --rf` and `RandomForestClassifier(n_estimators, n_jobs)` on the training set, one after the
other in separate processes, with two seeds or N. Prints Spearman's rank correlation and the overlap of the 98 most
important features, between the two programs and between seeds of the same program. Needs numpy and scikit-learn.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TOP = 98


def idx(folder, name):
    """The content of an IDX file, plain or gzipped."""
    plain = folder / name
    data = plain.read_bytes() if plain.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * d:8 + 4 * d], "big") for d in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def scikit_learn(arguments, seed, out):
    """The child process: fits, and writes importances and seconds to a file."""
    from sklearn.ensemble import RandomForestClassifier

    images = idx(arguments.data, "train-images-idx3-ubyte")
    labels = idx(arguments.data, "train-labels-idx1-ubyte")[:arguments.train_limit]
    features = (images.reshape(len(images), -1)[:arguments.train_limit] / np.float32(255)).astype(np.float32)
    forest = RandomForestClassifier(arguments.trees, n_jobs=arguments.jobs, random_state=seed)
    start = time.perf_counter()
    forest.fit(features, labels)
    seconds = time.perf_counter() - start
    Path(out).write_text(json.dumps({"seconds": seconds, "importance": forest.feature_importances_.tolist()}))


def process(command, environment=None):
    """Seconds and peak resident MiB of a whole process."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def report(name, seed, seconds, peak, processor, fit=None):
    line = {"program": name, "seed": seed, "seconds": round(seconds, 1), "cpu_seconds": round(processor, 1),
            "peak_mib": round(peak)}
    if fit is not None:
        line["fit_seconds"] = round(fit, 1)
    print(json.dumps(line), flush=True)


def run_tanner(arguments, seed, folder):
    out = folder / f"tanner{seed}.csv"
    command = [arguments.tanner, "importance", "--rf", "--data", arguments.data, "--trees", arguments.trees,
               "--seed", seed, "--threads", arguments.jobs, "--out", out]
    if arguments.train_limit:
        command += ["--train-limit", arguments.train_limit]
    # An empty TANNER_CACHE means none.
    seconds, peak, processor = process([str(word) for word in command], dict(os.environ, TANNER_CACHE=""))
    report("tanner", seed, seconds, peak, processor)
    rows = list(csv.DictReader(out.open()))
    importance = np.zeros(len(rows))
    for row in rows:
        importance[int(row["feature"])] = float(row["importance"])
    return importance


def run_scikit_learn(arguments, seed, folder):
    out = folder / f"sklearn{seed}.json"
    command = [sys.executable, __file__, *sys.argv[1:], "--child", f"{seed}:{out}"]
    seconds, peak, processor = process(command)
    result = json.loads(out.read_text())
    report("scikit-learn", seed, seconds, peak, processor, result["seconds"])
    return np.array(result["importance"])


def ranks(values):
    """Ranks from 0, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]


def compare(name, a, b):
    spearman = float(np.corrcoef(ranks(a), ranks(b))[0, 1])
    top = [set(np.argsort(-values, kind="stable")[:TOP]) for values in (a, b)]
    print(json.dumps({"compare": name, "spearman": round(spearman, 4), f"shared_of_top_{TOP}": len(top[0] & top[1])}),
          flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--data", type=Path, default=Path("data/fashion-mnist"))
    parser.add_argument("--train-limit", type=int)
    parser.add_argument("--tanner", default="target/release/tanner")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        seed, out = arguments.child.split(":", 1)
        return scikit_learn(arguments, int(seed), out)
    print(json.dumps({"trees": arguments.trees, "jobs": arguments.jobs, "load_average": os.getloadavg()}), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = [], []
        for seed in range(arguments.seeds):
            ours.append(run_tanner(arguments, seed, Path(folder)))
            theirs.append(run_scikit_learn(arguments, seed, Path(folder)))
            compare(f"tanner seed {seed}, scikit-learn seed {seed}", ours[-1], theirs[-1])
        for seed in range(1, arguments.seeds):
            compare(f"scikit-learn seed 0, scikit-learn seed {seed}", theirs[0], theirs[seed])
            compare(f"tanner seed 0, tanner seed {seed}", ours[0], ours[seed])


main()
