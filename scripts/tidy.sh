#!/usr/bin/env bash
# Checks layout with clang-format and, for the files that differ from a branch, taste with clang-tidy (slow: LibTorch).
# Usage: scripts/tidy.sh [--fix] [--all | --since BRANCH]      default: --since origin/main, or HEAD where there is none
set -euo pipefail
cd "$(dirname "$0")/.."

fix=0 since=HEAD
git rev-parse --verify --quiet origin/main >/dev/null && since=origin/main
while (($#)); do
  case "$1" in
    --fix) fix=1 ;;
    --all) since= ;;
    --since) since=${2:?"--since needs a branch"}; shift ;;
    *) sed -n '2,3s/^# //p' "$0" >&2; exit 64 ;;
  esac
  shift
done

mapfile -t sources < <(git ls-files '*.h' '*.cpp' '*.cu' '*.cuh')
if ((fix)); then clang-format -i "${sources[@]}"; else clang-format --dry-run -Werror "${sources[@]}"; fi

if [ -n "$since" ]; then
  mapfile -t changed < <({ git diff --name-only --diff-filter=d "$since"; git ls-files --others --exclude-standard; } | grep '\.cpp$' | sort -u)
else
  mapfile -t changed < <(git ls-files 'src/*.cpp' 'tests/*.cpp' 'examples/*.cpp' 'benchmarks/*.cpp')
fi
((${#changed[@]})) || { echo "No source differs from ${since:-nothing}."; exit 0; }

# clang cannot read gcc's precompiled headers: a copy of the compile commands leaves them out.
mkdir -p build/tidy
[ -f build/release/compile_commands.json ] || { echo "Build first: scripts/test.sh" >&2; exit 1; }
sed -E 's/-include [^ ]*cmake_pch\.hxx//g; s/-Winvalid-pch//g; s/-fpch-preprocess//g' \
  build/release/compile_commands.json >build/tidy/compile_commands.json
printf '%s\0' "${changed[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/tidy --quiet
