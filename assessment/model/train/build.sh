#!/bin/sh
# Builds the classifier from the annotated sets: vocabulary, training, export, measurement, card, digests.
# usage: sh build.sh [DATA] [MINUTES]   (see README.md; the interpreter is $PYTHON, or the one of work/venv)
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
data=${1:-$here/../../../../shared/data}
minutes=${2:-50}
python=${PYTHON:-$here/work/venv/bin/python}
run=$here/work
files=$here/../files
[ -d "$data/goemotions" ] || { echo "train: no annotated sets in $data" >&2; exit 1; }
[ -x "$python" ] || { echo "train: no interpreter $python; see $here/README.md" >&2; exit 1; }
mkdir -p "$run" "$files"
cd "$here"
# Large blocks stay with the process: giving them back after each step costs more than the step on some systems.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8589934592
"$python" tables.py ../../text/tables/t2s.txt
[ -f "$run/tokenizer.json" ] || "$python" vocabulary.py "$data" "$run"
cp "$run/tokenizer.json" "$files/tokenizer.json"
"$python" golden.py "$files/tokenizer.json" ../../text/testdata/tokenizer_golden.jsonl
"$python" train.py "$data" "$run" --minutes "$minutes" --resume
"$python" export.py "$data" "$run" "$files" --fp32
[ -f "$run/floor.json" ] || "$python" floor.py "$data" "$run/floor.json"
"$python" measure.py "$data" "$run" "$files" --floor "$run/floor.json"
"$python" card.py "$files" "$("$python" -c 'import json,sys; print(len(json.load(open(sys.argv[1]))))' "$run/kept.json")"
"$python" pack.py "$files" ../digests.go
mv "$files/model.fp32.onnx" "$run/"
