#!/bin/sh
# Obtains the ONNX Runtime library by package name and puts it into .deps/onnxruntime, where the program looks for it.
# No install script is run; only the one library file is kept, after its SHA-256 has been compared with the pinned one.
#
# In this order: a library that HEARTMARK_ONNXRUNTIME names, one that is there already, npm (onnxruntime-node), pip
# (onnxruntime). Systems: Linux on x64 and arm64 with glibc 2.27 or newer. Elsewhere install ONNX Runtime 1.24 or newer
# yourself and name it in HEARTMARK_ONNXRUNTIME or in the configuration (model.library).
set -eu

version=1.27.0
npm_x64=d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221
npm_arm64=c36bc200e7e6c093b8abb0b34590fbdd8c52fd3fb5e33795b9523ffdde2fce0f
pip_x64=b5c9d4f124d24707f514dad926dc181820807178855df1c528e3addb2dd0e6f7

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target=$root/.deps/onnxruntime
file=$target/libonnxruntime.so.1

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

digest() {
	if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1" | cut -d' ' -f1
	else shasum -a 256 "$1" | cut -d' ' -f1; fi
}

case $(uname -s) in
Linux) ;;
*) die "no pinned library for $(uname -s): install ONNX Runtime 1.24 or newer and set HEARTMARK_ONNXRUNTIME to its path" ;;
esac
case $(uname -m) in
x86_64 | amd64) cpu=x64 npm_sum=$npm_x64 pip_sum=$pip_x64 ;;
aarch64 | arm64) cpu=arm64 npm_sum=$npm_arm64 pip_sum='' ;;
*) die "no pinned library for $(uname -m): install ONNX Runtime 1.24 or newer and set HEARTMARK_ONNXRUNTIME to its path" ;;
esac

known() { # known FILE: is it one of the pinned builds?
	sum=$(digest "$1")
	[ "$sum" = "$npm_sum" ] || { [ -n "$pip_sum" ] && [ "$sum" = "$pip_sum" ]; }
}

if [ -n "${HEARTMARK_ONNXRUNTIME:-}" ]; then
	[ -f "$HEARTMARK_ONNXRUNTIME" ] || die "HEARTMARK_ONNXRUNTIME names $HEARTMARK_ONNXRUNTIME, which is not a file"
	known "$HEARTMARK_ONNXRUNTIME" || say "warning: the configured library is not a pinned build; it is used as it is"
	say "configured: $HEARTMARK_ONNXRUNTIME"
	exit 0
fi
if [ -f "$file" ]; then
	if known "$file"; then
		say "already there: $file"
		exit 0
	fi
	say "the library in .deps has a wrong digest; it is obtained again"
	rm -f "$file"
fi

mkdir -p "$target"
work=$(mktemp -d "$target/get.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

place() { # place FILE SUM: checks and moves the library in one step
	sum=$(digest "$1")
	[ "$sum" = "$2" ] || { say "digest of the obtained library is $sum, expected $2"; return 1; }
	chmod 0644 "$1"
	mv -f "$1" "$file"
	say "ONNX Runtime $version is in $file"
}

from_npm() {
	command -v npm >/dev/null 2>&1 || { say "npm is not here"; return 1; }
	say "npm pack onnxruntime-node@$version (about 100 MB; one file of it is kept)"
	(cd "$work" && npm pack --silent "onnxruntime-node@$version" >/dev/null) || return 1
	inner=package/bin/napi-v6/linux/$cpu/libonnxruntime.so.1
	tar -xzf "$work/onnxruntime-node-$version.tgz" -C "$work" "$inner" || return 1
	place "$work/$inner" "$npm_sum"
}

from_pip() {
	[ -n "$pip_sum" ] || { say "no pinned pip build for $cpu"; return 1; }
	for python in python3 python; do
		command -v "$python" >/dev/null 2>&1 && break
	done
	command -v "$python" >/dev/null 2>&1 || { say "python is not here"; return 1; }
	say "pip download onnxruntime==$version"
	"$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
		--dest "$work" "onnxruntime==$version" || return 1
	(cd "$work" && "$python" -m zipfile -e ./onnxruntime-*.whl wheel) || return 1
	place "$work/wheel/onnxruntime/capi/libonnxruntime.so.$version" "$pip_sum"
}

from_npm || from_pip || die "ONNX Runtime could not be obtained from npm or pip; without it the assessment module cannot classify. Set HEARTMARK_ONNXRUNTIME to a library of version 1.24 or newer"
