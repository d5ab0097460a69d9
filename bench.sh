#!/usr/bin/env bash
# Times one training step of the paper's network on the engines of this machine
# (the CPU engine; the GPU engine where there is a hardware GPU), spatially
# coupled, random sparse and fully connected. One JSON object a line, on stdout.
#
#   ./bench.sh            3 seconds for each measurement
#   ./bench.sh 0.5        quicker
#
# Where Python has PyTorch, benches/pytorch_step.py times its dense network in
# the same run, for ratios on the same machine.
set -euo pipefail
cd "$(dirname "$0")"
seconds="${1:-3}"
case "$seconds" in
    ''|*[!0-9.]*) echo "error: seconds for each measurement must be a number, got '$seconds'" >&2; exit 2;;
esac
cargo build --release --locked --quiet --example step_time
for arch in sc rsp fc; do
    target/release/examples/step_time "$arch" "$seconds"
done
if python3 -c 'import torch' 2>/dev/null; then
    python3 benches/pytorch_step.py "$seconds"
else
    echo "PyTorch is not installed (pip install torch): no comparison" >&2
fi
