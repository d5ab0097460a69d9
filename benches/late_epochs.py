"""Checks that training does not slow down from epoch to epoch, as it does where denormal numbers are computed slowly.

Usage: late_epochs.py [--tanner PROGRAM] [--repeats N]

Adam's moments of inputs that are nearly always 0, weights under decay and the deltas of saturated units shrink towards 1e-38,
where many processors compute up to a hundred times as slowly. Trains on the CPU engine:

* `rare`: 500 rows with five columns of rare categories, `--preset small`, 200 epochs;
* `saturated`: 4,000 rows of numbers from 0 to 255 without scaling, sigmoid units, 60 epochs.

Prints the shortest epoch of the first and of the last fifth (without the first epoch), and their ratio. Exits with 1
if the median ratio over the repeats is above 1.10 for one of them. Needs nothing but Python.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1.10


def rare(path):
    """Categories with 1/k frequencies, of which most hold for a few rows only; the label follows two columns."""
    draw = random.Random(1)
    lines = ["c0,c1,c2,c3,c4,x,y"]
    for _ in range(500):
        kinds = [min(int(1 / (draw.random() + 1e-9)), 40) for _ in range(5)]
        number = draw.gauss(0, 1)
        label = int(number + (kinds[0] == 1) + draw.gauss(0, 0.3) > 0.5)
        lines.append(",".join(f"{'abcde'[at]}{kind}" for at, kind in enumerate(kinds)) + f",{number:.2f},{label}")
    path.write_text("\n".join(lines) + "\n")


def saturated(path):
    draw = random.Random(2)
    lines = [",".join(f"p{at}" for at in range(64)) + ",label"]
    for _ in range(4000):
        kind = draw.randrange(4)
        pixels = [draw.randrange(256) if at // 16 == kind else 0 for at in range(64)]
        lines.append(",".join(map(str, pixels)) + f",{kind}")
    path.write_text("\n".join(lines) + "\n")


TABLES = {
    "rare": (rare, ["--preset", "small", "--epochs", "200"]),
    "saturated": (saturated, ["--hidden", "64,64", "--arch", "fc", "--activation", "sigmoid", "--epochs", "60"]),
}


def seconds(tanner, table, flags, out):
    """Training seconds of each epoch."""
    subprocess.run([tanner, table, *flags, "--backend", "cpu", "--seed", "0", "--quiet", "--out", out],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [json.loads(line)["seconds_steps"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tanner", default="target/release/tanner")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    slow = False
    print(f"{'data':<10} {'first fifth':>12} {'last fifth':>12} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (write, flags) in TABLES.items():
            table = Path(folder) / f"{name}.csv"
            write(table)
            pairs = []
            for repeat in range(options.repeats):
                epochs = seconds(options.tanner, table, flags, Path(folder) / f"{name}-{repeat}")
                fifth = len(epochs) // 5
                pairs.append((min(epochs[1:1 + fifth]), min(epochs[-fifth:])))
            ratio = statistics.median(last / first for first, last in pairs)
            first, last = (statistics.median(pair[at] for pair in pairs) for at in (0, 1))
            print(f"{name:<10} {first * 1000:>9.2f} ms {last * 1000:>9.2f} ms {ratio:>6.2f}")
            slow |= not ratio <= LIMIT
    sys.exit(f"the last epochs take more than {LIMIT} times as long as the first" if slow else 0)


if __name__ == "__main__":
    main()
