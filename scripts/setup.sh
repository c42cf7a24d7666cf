#!/usr/bin/env bash
# Sets up everything that a build needs: Debian packages, and LibTorch where CMake would not find one.
# Safe to run again: what is there already is left alone. Called by txt2img.sh and test.sh.
# Usage: scripts/setup.sh [--cuda]     --cuda: also the libraries that LibTorch's CUDA part needs at run time (2 GB)
set -euo pipefail
cd "$(dirname "$0")/.."
cuda=0
case "${1:-}" in
  '') ;;
  --cuda) cuda=1 ;;
  *) sed -n '4s/^# //p' "$0" >&2; exit 64 ;;
esac

packages=(cmake ninja-build g++ ccache python3 python3-pip pkg-config nlohmann-json3-dev libcli11-dev
          libpng-dev libutf8proc-dev libgtest-dev libgmock-dev libbenchmark-dev abigail-tools)
libtorch_dir=.deps/libtorch

package_is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    case "$package" in  # a program from anywhere will do
      cmake | ccache | g++ | python3) command -v "$package" >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      pkg-config) command -v pkg-config >/dev/null && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    esac
    package_is_installed "$package" || echo "$package"
  done
}

install_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    echo "fjord needs these packages (Debian names): ${missing[*]}" >&2
    echo "Install their equivalents, set LibTorch's place with CMAKE_PREFIX_PATH, and build with CMake." >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
      echo "fjord needs packages that are not installed. Run this, then try again:" >&2
      echo "  sudo apt-get install ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >.deps/apt.log 2>&1 || { tail -20 .deps/apt.log >&2; exit 1; }
}

# Beside LibTorch, where libtorch_cuda.so looks for them. By way of a folder of their own: pip replaces folders (nvidia)
# that are there already, or leaves them out.
install_cuda_libraries() {
  local stamp="$libtorch_dir/.complete-cuda" wanted
  wanted=$(sha256sum scripts/cuda-requirements.txt | cut -d' ' -f1)
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  echo "Downloading LibTorch's CUDA libraries (2 GB)"
  rm -rf .deps/cuda-libraries
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile \
    --require-hashes --only-binary=:all: --target .deps/cuda-libraries -r scripts/cuda-requirements.txt
  cp -al .deps/cuda-libraries/nvidia/. "$libtorch_dir/nvidia/"
  rm -rf .deps/cuda-libraries
  echo "$wanted" >"$stamp"
}

# The wheel is taken for its C++ libraries only, so one build (CPython 3.11) serves every Python on the host.
install_libtorch() {
  local stamp="$libtorch_dir/.complete" wanted
  wanted=$(sha256sum scripts/libtorch-requirements.txt | cut -d' ' -f1)
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  echo "Downloading LibTorch (the PyPI wheel torch==2.11.0, 530 MB)"
  rm -rf "$libtorch_dir" && mkdir -p "$libtorch_dir"
  local common=(--quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile --require-hashes --only-binary=:all:
                --target "$libtorch_dir")
  sed '/^torch==/,/hash/!d' scripts/libtorch-requirements.txt >.deps/torch.txt
  sed '/^torch==/,/hash/d' scripts/libtorch-requirements.txt >.deps/cuda.txt
  python3 -m pip install "${common[@]}" --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 -r .deps/torch.txt
  python3 -m pip install "${common[@]}" -r .deps/cuda.txt
  echo "$wanted" >"$stamp"
}

mkdir -p .deps
install_packages
if [ -z "${Torch_DIR:-}${CMAKE_PREFIX_PATH:-}" ]; then
  [ "$(uname -m)" = x86_64 ] || { echo "Set CMAKE_PREFIX_PATH to a LibTorch for $(uname -m)." >&2; exit 1; }
  install_libtorch
  ((!cuda)) || install_cuda_libraries
elif ((cuda)); then
  echo "LibTorch is yours (CMAKE_PREFIX_PATH or Torch_DIR): its CUDA libraries must be beside it." >&2
fi
