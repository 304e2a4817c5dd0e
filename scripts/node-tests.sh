#!/bin/sh
# Runs the Node tests of one folder: installs what its lock file names, without install scripts, then `node --test`.
# Without Node it says so and passes, except where HEARTMARK_REQUIRE_NODE=1 makes that a failure.
set -eu
folder=$1
if ! command -v npm >/dev/null 2>&1; then
	echo "skipped: $folder needs Node.js 20 or newer with npm"
	[ "${HEARTMARK_REQUIRE_NODE:-}" != 1 ]
	exit
fi
cd "$folder"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi
node --test --test-reporter=spec
