#!/bin/sh
# Builds the classifier from the annotated sets: vocabulary, training, three ways from seven tenths of it on, their mean, heads
# fitted again, export, calibration, evaluation, card and digests.
# usage: sh build.sh [DATA] [TOKENS]   (see README.md; the interpreter is $PYTHON, or the one of work/venv)
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$here/../../..
data=${1:-$root/../shared/data}
tokens=${2:-19e6}
python=${PYTHON:-$here/work/venv/bin/python}
run=$here/work
files=$here/../files
[ -d "$data/goemotions" ] || { echo "train: no annotated sets in $data" >&2; exit 1; }
[ -x "$python" ] || { echo "train: no interpreter $python; see $here/README.md" >&2; exit 1; }
data=$(CDPATH= cd -- "$data" && pwd)
mkdir -p "$run/mean" "$files"
cd "$here"
# Large blocks stay with the process: giving them back after each step costs more than the step on some systems.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8589934592
"$python" tables.py "$data" ../../text/tables
[ -f "$run/tokenizer.json" ] || "$python" vocabulary.py "$data" "$run"
cp "$run/tokenizer.json" "$files/tokenizer.json"
"$python" golden.py "$files/tokenizer.json" ../../text/testdata/tokenizer_golden.jsonl
share() { awk "BEGIN { print $tokens * $1 }"; }
mkdir -p "$run/trunk"
cp "$run/tokenizer.json" "$run/kept.json" "$run/trunk/"
"$python" train.py "$data" "$run/trunk" --tokens "$tokens" --until "$(share 0.7)" --threads 2 --resume
for seed in 7 8 9; do
	mkdir -p "$run/seed$seed"
	cp "$run/tokenizer.json" "$run/kept.json" "$run/seed$seed/"
	"$python" train.py "$data" "$run/seed$seed" --fork "$run/trunk" --seed "$seed" --tokens "$(share 0.8)" --threads 2 --resume
	"$python" compare.py "$data" "$run/seed$seed" --from "$run/seed$seed" --tokens 0
done
cp "$run/tokenizer.json" "$run/kept.json" "$run/mean/"
"$python" soup.py "$run/mean" "$run/seed7" "$run/seed8" "$run/seed9"
"$python" refit.py "$data" "$run/mean" --threads 2
"$python" export.py "$data" "$run/mean" "$run"
cp "$run/model.int8.onnx" "$files/"
"$python" measure.py "$data" "$run/mean" "$files" --seeds "$run/seed7" "$run/seed8" "$run/seed9"
"$python" card.py "$files"
"$python" pack.py "$files" ../digests.go "$run"
# The program measures itself with the new model; its numbers go into the card. A gate that is not met does not stop the build.
rm -f "$run/evaluation.json"
(cd "$root" && make deps build && bin/heartmark evaluate --data "$data" --against "$run/model.fp32.onnx" --report-json "$run/evaluation.json" --html "$run/evaluation.html") || [ $? -eq 3 ]
"$python" card.py "$files" "$run/evaluation.json"
"$python" pack.py "$files" ../digests.go "$run"
