#!/usr/bin/env bash
# From a clone to a picture: sets up what is missing, builds the fjord program and runs it on weights/tiny.
# Usage: scripts/txt2img.sh "a gold crown on red cloth" [options of `fjord txt2img`]
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
  echo "usage: scripts/txt2img.sh \"PROMPT\" [options of 'fjord txt2img', see build/release/bin/fjord txt2img --help]" >&2
  exit 64
fi
prompt=$1
shift
scripts/setup.sh >&2
mkdir -p build/release out
cmake --preset release >build/release/configure.log 2>&1 || { cat build/release/configure.log >&2; exit 1; }
cmake --build --preset release --target fjord_cli >&2
out=(--out out/picture.png)
for argument in "$@"; do
  case "$argument" in --out | --out=*) out=() ;; esac
done
exec build/release/bin/fjord txt2img --model weights/tiny --prompt "$prompt" "${out[@]}" "$@"
