"""Shared by the peers: arguments, timing, and the record of one measurement.

A record has the fields of `tanner bench --json`; it is printed as one line of JSON. Timing follows the same rules: a
warm-up as long as the measurement, in which calls grow until one takes a tenth of the time, then at least five calls
for the requested time.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

WIDTH, LAYERS, CLASSES = 784, 5, 10
MOMENTUM = {"lr": 0.01, "momentum": 0.9}
# The penalty is 5e-5 * sum(w^2), whose gradient is 1e-4 * w; biases and the fully connected network have none.
SPARSE_DECAY = 1e-4
LEAST_CALLS, CALLS_WANTED, GROWTH = 5, 10, 4


def cores():
    """Cores that this process may run on, where the system says so; bench.sh gives all programs the same number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def arguments(description, batches, edges=False):
    """The arguments of a peer. Threads are set in the environment, so call this before any library is imported."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--batch", default=batches, help="batch sizes, separated by commas [default: %(default)s]")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement [default: %(default)s]")
    parser.add_argument("--threads", type=int, default=cores(), help="on the CPU [default: all cores]")
    if edges:
        parser.add_argument("--edges", type=Path, required=True, help="file written by `tanner bench --write-edges`")
    parsed = parser.parse_args()
    parsed.batch = [int(batch) for batch in parsed.batch.split(",")]
    os.environ["OMP_NUM_THREADS"] = str(parsed.threads)
    return parsed


def machine():
    processor = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {"os": platform.system().lower(), "processor_kind": platform.machine(), "processor": processor,
            "logical_cores": cores()}


def peak_resident_bytes():
    """Most memory that this process has held so far, where the system says so (Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def quantile(ordered, share):
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def spread(step, seconds, wait=lambda: None, most=8):
    """Times `step`; `wait` returns once the device has done all of it, `most` is the steps of one call."""

    def call(steps):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        return time.perf_counter() - start

    begin = time.perf_counter()
    call(1)
    steps = 1
    while call(steps) * CALLS_WANTED < seconds and steps < most:
        steps = min(GROWTH * steps, most)
    while time.perf_counter() - begin < seconds:
        call(steps)
    times, begin = [], time.perf_counter()
    while len(times) < LEAST_CALLS or time.perf_counter() - begin < seconds:
        times.append(call(steps) * 1e6 / steps)
    times.sort()
    shares = {"fastest_us": 0, "lower_quartile_us": 0.25, "median_us": 0.5, "upper_quartile_us": 0.75, "slowest_us": 1}
    return {"steps_per_call": steps, "calls": len(times), **{name: quantile(times, q) for name, q in shares.items()}}


def report(times, **facts):
    """Prints one measurement."""
    record = {"mode": "training", "width": WIDTH, "hidden_layers": LAYERS, "backend": "cpu", **facts, **times,
              "peak_resident_bytes": peak_resident_bytes(), "machine": machine()}
    print(json.dumps(record), flush=True)


def read_edges(path):
    """The layers of the network, each as (outputs, inputs, row starts, input of each edge)."""
    network = json.loads(path.read_text())
    pairs = zip(network["widths"], network["widths"][1:], network["layers"])
    return [(outputs, inputs, layer["row_start"], layer["input"]) for inputs, outputs, layer in pairs]
