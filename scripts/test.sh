#!/usr/bin/env bash
# Builds fjord and runs its tests, after setting up what is missing.
# Usage: scripts/test.sh [preset]     preset: release (default), debug, asan or tsan
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
scripts/setup.sh
mkdir -p "build/$preset"
cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || { cat "build/$preset/configure.log" >&2; exit 1; }
cmake --build --preset "$preset"
ctest --preset "$preset" --parallel 2
skipped=$(grep -cE '^\[  SKIPPED \] [A-Za-z]+\.[A-Za-z]+ \(' "build/$preset/Testing/Temporary/LastTest.log" || true)
echo "Tests that were skipped, most of them for want of a GPU: $skipped (names: grep SKIPPED in build/$preset/Testing/Temporary/LastTest.log)"
