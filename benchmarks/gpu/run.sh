#!/usr/bin/env bash
# Everything that needs a GPU, on a machine with CUDA 13 and Python's torch 2.11 and nothing else (bundle.sh packs the rest
# beforehand): builds, tests, sanitizes, times kernels beside LibTorch's and whole U-Net steps beside diffusers.
# Usage: benchmarks/gpu/run.sh [build] [test] [sanitize] [kernels] [unet] [peers] [table]     default: all, in this order
# No stage runs longer than FJORD_STAGE_SECONDS (570). Results: benchmarks/results/<gpu>/, or $OUT.
set -euo pipefail
cd "$(dirname "$0")/../.."
stages=("$@")
((${#stages[@]})) || stages=(build test sanitize kernels unet peers table)
limit=${FJORD_STAGE_SECONDS:-570}
bundle=$PWD/build/gpu-bundle
build=$PWD/build/gpu
export FJORD_CUDA_CACHE=${FJORD_CUDA_CACHE:-$PWD/build/gpu-cache}
export CUDA_HOME=${CUDA_HOME:-/usr/local/cuda}
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1 | tr ' /' '--' || true)
results=${OUT:-benchmarks/results/${gpu:-no-gpu}}
mkdir -p "$results" "$build"

tools() {
  export PATH="$build/tools/bin:$CUDA_HOME/bin:$PATH" PYTHONPATH="$build/tools${PYTHONPATH:+:$PYTHONPATH}"
  local wanted=()
  command -v cmake >/dev/null || wanted+=(cmake)
  command -v ninja >/dev/null || wanted+=(ninja)
  python3 -c 'import importlib_metadata' 2>/dev/null || wanted+=(importlib-metadata zipp)
  python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("diffusers") is None)' || wanted+=(diffusers)
  ((!${#wanted[@]})) && return 0
  python3 -m pip install --quiet --no-index --no-deps --find-links "$bundle/wheels" --target "$build/tools" "${wanted[@]}" ||
    echo "not installed: ${wanted[*]} (run benchmarks/gpu/bundle.sh before)" >&2
}

build_all() {
  local prefix torch
  torch=$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)')
  prefix=$bundle
  [ -d "$bundle" ] || prefix=
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFJORD_CUDA=ON -DFJORD_EXAMPLES=OFF -DFJORD_GPU_BENCHMARKS=ON \
    -DTorch_DIR="$torch/Torch" -DCMAKE_PREFIX_PATH="$prefix" >"$results/configure.log" 2>&1 ||
    { tail -20 "$results/configure.log"; return 1; }
  ninja -C "$build" fjord_cuda bench_gpu test_cuda test_kernels fjord_cli
  "$build/bin/fjord" doctor --json >"$results/doctor.json"
  cat "$results/doctor.json"
}

picture() {
  "$build/bin/fjord" txt2img --model weights/tiny --dtype float32 --prompt "a gold crown on red cloth" --seed 1 --out "$results/$1.png" "${@:2}"
}

# Every way of computing against the CPU: all faster ways, none, each alone, and with weights that rest in main memory.
test_all() {
  "$build/bin/test_kernels" --gtest_brief=1
  "$build/bin/test_cuda" --gtest_output="json:$results/tests.json"
  local ways=(auto none graph update sums projections upsampling products convolutions) way
  picture cpu --device cpu
  for way in "${ways[@]}"; do
    picture "cuda-$way" --device cuda --cuda-paths "$way"
    python3 benchmarks/gpu/compare.py "$results/cpu.png" "$results/cuda-$way.png"
  done
  picture cuda-resting --device cuda --gpu-memory 24
  python3 benchmarks/gpu/compare.py "$results/cpu.png" "$results/cuda-resting.png"
}

# Small shapes only: the tools slow a kernel down a hundredfold.
sanitize_all() {
  local tool
  for tool in memcheck racecheck initcheck synccheck; do
    compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/bin/bench_gpu" tiny >"$results/sanitizer-$tool.txt" 2>&1 ||
      { tail -20 "$results/sanitizer-$tool.txt"; return 1; }
    tail -1 "$results/sanitizer-$tool.txt"
  done
}

tools
failed=0
for stage in "${stages[@]}"; do
  echo "== $stage"
  case "$stage" in
    build) work=build_all ;;
    test) work=test_all ;;
    sanitize) work=sanitize_all ;;
    kernels | unet) work="$build/bin/bench_gpu $stage" ;;
    peers) work="python3 benchmarks/gpu/peers.py" ;;
    table) work="python3 benchmarks/gpu/table.py $results" ;;
    *) sed -n '4s/^# //p' "$0" >&2; exit 64 ;;
  esac
  export -f build_all picture test_all sanitize_all
  export bundle build results
  case "$stage" in
    kernels | unet | peers) timeout "$limit" bash -euo pipefail -c "$work" | tee "$results/$stage.jsonl" || failed=1 ;;
    *) timeout "$limit" bash -euo pipefail -c "$work" || failed=1 ;;
  esac
done
exit $failed
