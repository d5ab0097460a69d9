#!/usr/bin/env bash
# Times training steps and forward passes of the paper's networks: tanner's engines, and other programs on the same
# machine in the same run, in turn. Before anything is timed, results are checked: tanner's against its float64
# reference engine, the others' as each script in benches/peers says.
#
#   ./bench.sh             3 rounds of 2 seconds for each measurement; about 10 minutes on 2 cores
#   ./bench.sh --quick     1 round, batches 128 and 1024, under 2 minutes on 2 cores after the build
#
#   --rounds N    rounds, of which tables show the median        --seconds S   of each measurement
#   --batch N,..  batch sizes of training                        --threads N   of the CPU
#   --out DIR     results [default: bench-results/<time>]
#
# PYTHON names the Python that has the other programs [default: python3].
set -euo pipefail
cd "$(dirname "$0")"

rounds=3 seconds=2 batches=128,1024,4096 threads="" out="" quick=""
while (($#)); do
    case "$1" in
        --quick) quick=yes rounds=1 seconds=0.3 batches=128,1024; shift; continue;;
        --help|-h) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0;;
        --rounds|--seconds|--batch|--threads|--out) (($# > 1)) || { echo "error: $1 needs a value" >&2; exit 2; };;
        *) echo "error: $1 is not known; see ./bench.sh --help" >&2; exit 2;;
    esac
    case "$1" in
        --rounds) rounds=$2;; --seconds) seconds=$2;; --batch) batches=$2;; --threads) threads=$2;; --out) out=$2;;
    esac
    shift 2
done
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { echo "error: --rounds must be a whole number above 0, got '$rounds'" >&2; exit 2; }
[[ -z $threads || $threads =~ ^[1-9][0-9]*$ ]] || { echo "error: --threads must be above 0, got '$threads'" >&2; exit 2; }
out=${out:-bench-results/$(date +%Y-%m-%dT%H-%M-%S)}
python=${PYTHON:-python3}

echo "building ..." >&2
cargo build --release --locked --quiet
tanner=${CARGO_TARGET_DIR:-target}/release/tanner
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { "$python" -c "import $1" 2>/dev/null; }
missing=()
torch="" sparselab="" onnx=""
if has torch; then torch=yes; else missing+=(torch); fi
if has sparselab; then sparselab=yes; else missing+=(sparselab); fi
if has onnx && has onnxruntime; then onnx=yes; else missing+=(onnx onnxruntime); fi
if ((${#missing[@]})); then
    echo "not installed, left out: ${missing[*]}. To have them: $python -m pip install ${missing[*]}" >&2
fi
gpu=""
if "$tanner" devices | grep -q "auto chooses the GPU"; then gpu=yes; else echo "no hardware GPU" >&2; fi
if [[ -r /proc/loadavg ]] && awk '$1 < 0.5 { exit 1 }' /proc/loadavg; then
    echo "warning: other programs are running (load $(cut -d' ' -f1 /proc/loadavg)). Their share of the time falls on all" \
         "measurements, and most on programs whose threads wait for each other (OpenMP: PyTorch, SparseLab)" >&2
fi

# Appends what a command measured; what fails is told and left out.
measure() {
    local file=$1
    shift
    "$@" >>"$work/$file" || echo "warning: no measurement by: $*" >&2
}
# tanner's own must not fail: a wrong engine is not timed, and nothing is compared with it.
own() { "$tanner" bench --json --seconds "$seconds" "$@" >>"$work/ours.json"; }

cpu=(--backend cpu ${threads:+--threads "$threads"})
peer=(--seconds "$seconds" ${threads:+--threads "$threads"})
archs=sc,rsp,fc,narrow
[[ -z $quick ]] || archs=sc,fc
"$tanner" bench --edges "$work/sc-edges.json" --arch sc >/dev/null
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
    own --backend cpu --threads 1 --inference --arch $archs --batch 1 --check skip
    [[ -z $torch ]] || measure peers.json "$python" benches/peers/pytorch_fc.py --inference "${peer[@]}"
    [[ -z $onnx ]] || measure peers.json "$python" benches/peers/onnxruntime_fc.py "${peer[@]}"
    check=skip
done
files=$work/ours.json
[[ ! -s $work/peers.json ]] || files+=,$work/peers.json
"$tanner" bench --chart "$files" --out "$out"
