#!/bin/sh
# Builds the verifier for browsers into api/ui/wasm, where the program embeds it: the module, compressed, and the glue of the
# same Go toolchain. A file is replaced only when its bytes change, so that nothing is linked anew for nothing.
set -eu
out=api/ui/wasm
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
GOOS=js GOARCH=wasm CGO_ENABLED=0 ${GO:-go} build -trimpath -ldflags '-s -w -buildid=' -o "$temp/heartmark.wasm" ./cmd/heartmark-wasm
gzip -9 -n -c "$temp/heartmark.wasm" >"$temp/heartmark.wasm.gz"
cp "$(${GO:-go} env GOROOT)/lib/wasm/wasm_exec.js" "$temp/wasm_exec.js"
for file in heartmark.wasm.gz wasm_exec.js; do
	cmp -s "$temp/$file" "$out/$file" || cp "$temp/$file" "$out/$file"
done
echo "verifier for browsers: $(wc -c <"$temp/heartmark.wasm") bytes, $(wc -c <"$temp/heartmark.wasm.gz") compressed"
