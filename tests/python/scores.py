"""Compares the scores of `tanner eval` and `--folds` with those of scikit-learn for the same predictions.

scores.py FOLDER, the one with the program `tanner`. Ends with 1 where one differs by more than LIMIT.
"""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import sklearn.metrics as of

LIMIT = 1e-12
# Probabilities are float32, so their logarithms are less exact than those of the program's logits.
LOG_LIMIT = 1e-5
TRAIN = "--arch fc --hidden 8 --epochs 3 --standardize on --lr 0.01 --backend cpu --threads 2"


def tanner(program, folder, line):
    """The output of one command line in `folder`."""
    ended = subprocess.run([program, *line.split()], cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"tanner {line}\n{ended.stderr}")
    return ended.stdout


def table(path, classes, rows):
    """A table whose class is hard to tell; coarse features make equal probabilities. One class is rare."""
    draw = np.random.default_rng(len(classes))
    labels = draw.choice(len(classes), rows, p=[0.05] + [0.95 / (len(classes) - 1)] * (len(classes) - 1))
    features = np.round(labels[:, None] + draw.normal(0, 1.2, (rows, 2)), 0)
    lines = [f"{a},{b},{classes[label]}" for (a, b), label in zip(features, labels)]
    path.write_text("a,b,label\n" + "\n".join(lines) + "\n")


def predictions(path, skip):
    """(class names, probabilities) of a CSV file with `skip` columns before the probabilities, and all its rows."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    names = [name.removeprefix("probability ") for name in header[skip:]]
    return names, np.array([row[skip:] for row in rows], np.float32), rows


def expected(names, labels, p):
    """The scores of scikit-learn."""
    y = np.array([names.index(label) for label in labels])
    if len(names) == 2:
        positive = p[:, 1]
        precision, recall, thresholds = of.precision_recall_curve(y, positive)
        with np.errstate(invalid="ignore"):
            f1 = np.nan_to_num(2 * precision * recall / (precision + recall))[:-1]
        best = int(np.argmax(f1))
        at = [of.precision_recall_fscore_support(y, positive >= np.float32(t / 10), average="binary", zero_division=0)[:3]
              for t in range(1, 10)]
        ranking = [of.roc_auc_score(y, positive), of.average_precision_score(y, positive)]
        return ranking + [of.brier_score_loss(y, positive.astype(float))], at, (thresholds[best], f1[best])
    each = [c for c in range(len(names)) if 0 < (y == c).sum() < len(y)]
    ranking = [np.mean([score(y == c, p[:, c]) for c in each]) for score in (of.roc_auc_score, of.average_precision_score)]
    return ranking + [np.mean(((p.astype(float) - np.eye(len(names))[y]) ** 2).sum(axis=1))], None, None


def of_numbers(program, folder, check):
    """Checks the scores of regression and of several labels, of a model and of all folds."""
    draw = np.random.default_rng(7)
    x = np.round(draw.normal(size=(300, 2)), 1)
    values = {"price": 100 + 20 * x[:, 0] - 5 * x[:, 1] ** 2 + draw.normal(0, 3, 300), "size": x[:, 1] + draw.normal(0, 0.3, 300),
              "red": (x[:, 0] + draw.normal(0, 0.7, 300) > 0) * 1, "big": (x[:, 1] > 0.8) * 1}
    rows = ["{},{},{},{},{},{}".format(*row) for row in zip(*x.T, *values.values())]
    (folder / "numbers.csv").write_text("\n".join(["a,b,price,size,red,big", *rows]) + "\n")
    for labels, dropped in (("price,size", "red,big"), ("price", "size,red,big"), ("red,big", "price,size")):
        names, run = labels.split(","), labels.replace(",", "-")
        line = f"numbers.csv --label {labels} --drop {dropped} {TRAIN}"
        tanner(program, folder, f"{line} --out {run}")
        scores = json.loads(tanner(program, folder, f"eval --model {run} --data numbers.csv --test numbers.csv --json -q"))
        tanner(program, folder, f"predict --model {run} numbers.csv --out {run}.npy")
        compare_numbers(run, scores, names, np.column_stack([values[name] for name in names]), np.load(folder / f"{run}.npy"), check)
        tanner(program, folder, f"{line} --folds 3 --out {run}-folds")
        report = json.loads((folder / f"{run}-folds/folds.json").read_text())
        with (folder / f"{run}-folds/predictions.csv").open(newline="") as file:
            found = list(csv.DictReader(file))
        column = "predicted " if "price" in names else "probability "
        truth, predicted = (np.array([[float(row[before + name]) for name in names] for row in found]) for before in ("", column))
        compare_numbers(f"{run} pooled", report["pooled"], names, truth, predicted, check)


def compare_numbers(run, scores, names, truth, predicted, check):
    """Compares the scores of each number or label, and those of all."""
    # Values and predictions are float32.
    truth, limit = truth.astype(np.float32).astype(float), 2e-5
    if "per_label" in scores:
        has = predicted > 0.5
        for label, own in enumerate(scores["per_label"]):
            wanted = of.precision_recall_fscore_support(truth[:, label], has[:, label], average="binary", zero_division=0)
            for key, value in zip(("precision", "recall", "f1"), wanted[:3]):
                check(f"{run} {key} of {own['name']}", own[key], value)
            check(f"{run} AUC of {own['name']}", own["auc"], of.roc_auc_score(truth[:, label], predicted[:, label]), limit)
        check(f"{run} subset accuracy", scores["subset_accuracy"], of.accuracy_score(truth, has))
        check(f"{run} macro F1", scores["macro_f1"], of.f1_score(truth, has, average="macro"))
        check(f"{run} micro F1", scores["micro_f1"], of.f1_score(truth, has, average="micro"))
        return
    assert [own["name"] for own in scores["per_target"]] == names
    for target, own in enumerate(scores["per_target"]):
        y, p = truth[:, target], predicted[:, target].astype(float)
        check(f"{run} RMSE of {own['name']}", own["rmse"], of.root_mean_squared_error(y, p), limit)
        check(f"{run} MAE of {own['name']}", own["mae"], of.mean_absolute_error(y, p), limit)
        check(f"{run} R2 of {own['name']}", own["r2"], of.r2_score(y, p), limit)
    if len(names) == 1:
        check(f"{run} RMSE", scores["rmse"], scores["per_target"][0]["rmse"])


def main():
    """Trains, evaluates, compares."""
    program, wrong, count = Path(sys.argv[1]).resolve() / "tanner", [], 0

    def check(name, found, wanted, limit=LIMIT):
        nonlocal count
        count += 1
        # Not `> limit`, which NaN would pass.
        if not abs(found - wanted) <= limit:
            wrong.append(f"{name}: {found}, scikit-learn {wanted}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for classes in (["no", "yes"], ["a", "b", "c", "d"]):
            run = f"of{len(classes)}"
            table(folder / f"{run}.csv", classes, 400)
            tanner(program, folder, f"{run}.csv {TRAIN} --out {run}")
            tanner(program, folder, f"predict --model {run} {run}.csv --out {run}-p.csv")
            line = f"eval --model {run} --data {run}.csv --test {run}.csv --backend cpu --json -q"
            scores = json.loads(tanner(program, folder, line))
            labels = [row["label"] for row in csv.DictReader((folder / f"{run}.csv").open())]
            names, p, _ = predictions(folder / f"{run}-p.csv", 1)
            ranking, at, best = expected(names, labels, p)
            for key, value in zip(("roc_auc", "average_precision", "brier"), ranking):
                check(f"{run} {key}", scores[key], value)
            sums = p.astype(float) / p.astype(float).sum(axis=1, keepdims=True)
            check(f"{run} log_loss", scores["log_loss"], of.log_loss(labels, sums, labels=names), LOG_LIMIT)
            check(f"{run} macro_f1", scores["macro_f1"], of.f1_score(labels, np.array(names)[p.argmax(1)], average="macro"))
            if at:
                for row, wanted in zip(scores["thresholds"]["at"], at):
                    for key, value in zip(("precision", "recall", "f1"), wanted):
                        check(f"{run} {key} at {row['threshold']}", row[key], value)
                check(f"{run} best threshold", np.float32(scores["thresholds"]["best_f1"]["threshold"]), best[0])
                check(f"{run} best F1", scores["thresholds"]["best_f1"]["f1"], best[1])
            # All predictions of a cross-validation.
            tanner(program, folder, f"{run}.csv {TRAIN} --folds 3 --out {run}-folds")
            report = json.loads((folder / f"{run}-folds/folds.json").read_text())
            names, p, rows = predictions(folder / f"{run}-folds/predictions.csv", 4)
            assert [row[2] for row in rows] == labels
            ranking, _, _ = expected(names, labels, p)
            for key, value in zip(("roc_auc", "average_precision", "brier"), ranking):
                check(f"{run} pooled {key}", report["pooled"][key], value)
            per_fold = [of.accuracy_score(*zip(*[(r[2], r[3]) for r in rows if r[1] == str(fold)])) for fold in range(3)]
            over = next(m["over_folds"] for m in report["measures"] if m["name"] == "accuracy")
            check(f"{run} mean", over["mean"], np.mean(per_fold))
            check(f"{run} deviation", over["deviation"], np.std(per_fold, ddof=1))
        of_numbers(program, folder, check)
    if wrong:
        sys.exit("scores differ from scikit-learn's: " + "; ".join(wrong))
    print(f"{count} scores equal scikit-learn's")


if __name__ == "__main__":
    main()
