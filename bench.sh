#!/usr/bin/env bash
# Times training steps and forward passes of the paper's networks: tanner's engines and other programs, in turn, on the
# same machine in the same run. Results are checked before anything is timed: tanner's against its float64 reference
# engine, the others' as described in each script in benches/peers.
#
#   ./bench.sh             3 rounds of 2 seconds for each measurement; about 10 minutes on 2 cores
#   ./bench.sh --quick     1 round, batches 128 and 1024, under 2 minutes on 2 cores after the build
#
#   --rounds N    rounds, of which tables show the median        --seconds S   of each measurement
#   --batch N,..  batch sizes of training                        --threads N   of the CPU
#   --out DIR     results [default: bench-results/<time>]
#
# PYTHON names the Python that has the other programs [default: python3]. Each measurement is saved in ours.json or
# peers.json at once; however the script ends, tables and chart show all that were saved.
set -euo pipefail

fail() { echo "error: $1" >&2; exit 2; }
# Paths are the caller's, whatever folder this script works in.
from_caller() { case "$1" in /*) echo "$1";; *) echo "$caller/$1";; esac }
caller=$PWD

rounds="" seconds="" batches="" threads="" out="" quick=""
while (($#)); do
    case "$1" in
        --quick) quick=yes; shift; continue;;
        --help|-h) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0;;
        --rounds|--seconds|--batch|--threads|--out) (($# > 1)) || fail "$1 needs a value";;
        *) fail "$1 is not known; see ./bench.sh --help";;
    esac
    case "$1" in
        --rounds) rounds=$2;; --seconds) seconds=$2;; --batch) batches=$2;; --threads) threads=$2;;
        --out) out=$(from_caller "$2");;
    esac
    shift 2
done
# Explicit options win over --quick.
if [[ -n $quick ]]; then
    rounds=${rounds:-1} seconds=${seconds:-0.3} batches=${batches:-128,1024}
else
    rounds=${rounds:-3} seconds=${seconds:-2} batches=${batches:-128,1024,4096}
fi
[[ $rounds =~ ^[1-9][0-9]{0,2}$ ]] || fail "--rounds must be a whole number from 1 to 999, got '$rounds'"
[[ $seconds =~ ^[0-9]{1,4}(\.[0-9]+)?$ ]] && awk "BEGIN { exit !($seconds > 0 && $seconds <= 3600) }" ||
    fail "--seconds must be above 0 and at most 3600, got '$seconds'"
[[ $batches =~ ^[1-9][0-9]{0,5}(,[1-9][0-9]{0,5})*$ ]] ||
    fail "--batch must be whole numbers from 1 to 999999, separated by commas, got '$batches'"
[[ -z $threads || $threads =~ ^[1-9][0-9]{0,2}$ ]] || fail "--threads must be a whole number from 1 to 999, got '$threads'"
python=${PYTHON:-python3}
[[ $python != */* ]] || python=$(from_caller "$python")
[[ -z ${CARGO_TARGET_DIR:-} ]] || export CARGO_TARGET_DIR="$(from_caller "$CARGO_TARGET_DIR")"

cd "$(dirname "$0")"
out=${out:-$PWD/bench-results/$(date +%Y-%m-%dT%H-%M-%S)}
for file in bench.json bench.svg bench.png ours.json peers.json; do
    [[ ! -e $out/$file ]] || fail "--out: $out already holds a $file: name another folder"
done
mkdir -p "$out" || fail "--out: $out cannot be made"
[[ -w $out ]] || fail "--out: $out cannot be written to"

work=$(mktemp -d)
# Tables and chart of everything measured, complete or not.
finish() {
    local status=$? files=ours.json
    trap - EXIT
    rm -rf "$work"
    if [[ -s $out/ours.json ]]; then
        ((status == 0)) || echo "ended early (exit code $status): the tables show what was measured until then" >&2
        [[ ! -s $out/peers.json ]] || files+=,peers.json
        (cd "$out" && "$tanner" bench --chart "$files" --out .) || status=1
        echo "results in $out" >&2
    else
        rm -f "$out/ours.json" "$out/peers.json"
        rmdir "$out" 2>/dev/null || true
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Before the build, which is itself a load.
if [[ -r /proc/loadavg ]] && awk '$1 < 0.5 { exit 1 }' /proc/loadavg; then
    echo "warning: other programs are running (load $(cut -d' ' -f1 /proc/loadavg)). Their share of the time falls on all" \
         "measurements, and most on programs whose threads wait for each other (OpenMP: PyTorch, SparseLab)" >&2
fi
echo "building ..." >&2
cargo build --release --locked --quiet
tanner=${CARGO_TARGET_DIR:-$PWD/target}/release/tanner

has() { "$python" -c "import $1" 2>/dev/null; }
torch="" sparselab="" onnx=""
if "$python" -c pass 2>/dev/null; then
    missing=()
    if has torch; then torch=yes; else missing+=(torch); fi
    if has sparselab; then sparselab=yes; else missing+=(sparselab); fi
    if has onnx && has onnxruntime; then onnx=yes; else missing+=(onnx onnxruntime); fi
    if ((${#missing[@]})); then
        echo "not installed, skipped: ${missing[*]}. To install them: $python -m pip install ${missing[*]}" >&2
    fi
else
    echo "no Python: $python does not run, so other programs are skipped; set PYTHON to another one" >&2
fi
gpu="" devices=$("$tanner" devices)
if grep -q "auto chooses the GPU" <<<"$devices"; then gpu=yes; else echo "no hardware GPU" >&2; fi
# The same number for all: not every program respects affinity and control groups.
threads=${threads:-$(sed -n 's/^CPU: \([0-9]*\) threads$/\1/p' <<<"$devices")}

# Appends the measurement of a command; a failure is reported and skipped.
measure() {
    local file=$1
    shift
    "$@" >>"$out/$file" || echo "warning: no measurement by: $*" >&2
}
# tanner's own must not fail: a wrong engine is not timed, and nothing is compared with it.
own() { "$tanner" bench --json --seconds "$seconds" "$@" >>"$out/ours.json"; }

cpu=(--backend cpu --threads "$threads")
peer=(--seconds "$seconds" --threads "$threads")
archs=sc,rsp,fc,narrow
[[ -z $quick ]] || archs=sc,fc
"$tanner" bench --write-edges "$work/sc-edges.json" --arch sc >/dev/null
check=first
for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    own "${cpu[@]}" --arch $archs --batch "$batches" --check $check
    [[ -z $gpu ]] || own --backend gpu --arch $archs --batch "$batches" --check $check
    [[ -z $torch ]] || measure peers.json "$python" benches/peers/pytorch_fc.py "${peer[@]}" --batch "$batches"
    if [[ -n $torch ]]; then
        measure peers.json "$python" benches/peers/pytorch_masked.py "${peer[@]}" --batch "$batches" \
            --edges "$work/sc-edges.json"
    fi
    if [[ -n $torch && -n $sparselab ]]; then
        measure peers.json "$python" benches/peers/sparselab_sc.py "${peer[@]}" --batch "$batches" \
            --edges "$work/sc-edges.json"
    fi
    own "${cpu[@]}" --inference --arch $archs --batch 1024 --check $check
    own --backend cpu --threads 1 --inference --arch $archs --batch 1 --check $check
    [[ -z $torch ]] || measure peers.json "$python" benches/peers/pytorch_fc.py --inference "${peer[@]}"
    [[ -z $onnx ]] || measure peers.json "$python" benches/peers/onnxruntime_fc.py "${peer[@]}"
    check=skip
done
