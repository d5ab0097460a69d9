#!/usr/bin/env bash
# Makes the numbers in README.md: a table of each architecture with its best recipe, seed 0, one run after the other, then
# the output of the main job. Nothing else should use the machine. Takes about 20 minutes on two cores; if interrupted,
# repeat the command.
#     benches/readme_table.sh [OUT]
set -euo pipefail
cd "$(dirname "$0")/.."
out="${1:-bench-results/readme}"
mkdir -p "$out"
cargo build --release --locked
tanner=target/release/tanner
load=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo 0)
if awk "BEGIN { exit !($load > 0.5) }"; then echo "warning: the load is $load before the first run" >&2; fi
if [ ! -e "$out/main" ]; then
    $tanner --pca --order desc --out "$out/main" 2>&1 | grep -v "^epoch" >"$out/main.txt"
fi
for plan in best-220020 best-fc; do
    $tanner compare "plans/$plan.toml" --seeds 1 --with "--backend cpu" --out "$out/$plan" --quiet >/dev/null
done
for run in "$out"/best-*/runs/*-s0; do
    csr="$out/csr/$(basename "$run")"
    [ -e "$csr" ] || $tanner export --model "$run" --csr "$csr" --quiet >/dev/null
done
# In turn, so that a busy minute hits all of them.
for round in 1 2 3; do
    for csr in "$out"/csr/*; do
        $tanner bench --backend cpu --edges "$csr" --optimizer adam --batch 128 --json >"$csr/step-$round.json"
    done
done
python3 - "$out" <<'PYTHON'
import json, statistics, sys
from pathlib import Path

out = Path(sys.argv[1])
names = {
    "sc2d": "coupled in two dimensions (`sc2d`)",
    "sc": "coupled along importance, as in the paper (`sc`)",
    "rsp": "random sparse (`rsp`)",
    "narrow": "narrow dense (`narrow`)",
    "fc": "fully connected, ten times the size (`fc`)",
}
print("| network | parameters | test accuracy | whole run | a step of 128 |\n|---|---|---|---|---|")
for name, text in names.items():
    run = next(out.glob(f"best-*/runs/{name}-s0"))
    summary = json.loads((run / "summary.json").read_text())
    steps = [json.loads(path.read_text()) for path in (out / "csr" / run.name).glob("step-*.json")]
    step = statistics.median(measured["median_us"] for measured in steps)
    print(
        f"| {text} | {summary['parameters']:,} | {100 * summary['test_accuracy']:.2f} % "
        f"| {summary['seconds_total']:.0f} s, {summary['epochs']} epochs | {step / 1000:.2f} ms |"
    )
PYTHON
model=$(lscpu 2>/dev/null | sed -n 's/^Model name: *//p')
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
echo
echo "Measured on $(date -u '+%-d %B %Y') with $($tanner --version), commit $commit, on $(nproc) cores, ${model:-unknown processor}."
echo
cat "$out/main.txt"
