#!/bin/sh
# Runs a compiler and keeps what it says on standard error (ptxas: registers, spills) in a file; shows it on failure.
# Usage: nvcc.sh LOG COMMAND...
log=$1
shift
mkdir -p "$(dirname "$log")"
if ! "$@" 2>"$log"; then
  cat "$log" >&2
  exit 1
fi
grep -i "warning" "$log" >&2
exit 0
