#!/usr/bin/env bash
# Times fjord beside its peers on this machine: builds fjord, sets the peers up in .deps/peers (from PyPI), makes models
# with random weights, and runs all in turn. `benchmarks/peers.sh --help` lists the options.
# FJORD_PEERS names another folder for peers and models; FJORD_PEERS_PYTHON a Python that has the peers already, into which
# nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
here=${FJORD_PEERS:-.deps/peers}
python=${FJORD_PEERS_PYTHON:-$here/venv/bin/python}
quick=0 build=1 help=0
for argument in "$@"; do
  case "$argument" in
    --quick) quick=1 ;;
    --programs | --programs=*) build=0 ;;
    -h | --help) help=1 ;;
  esac
done

build_fjord() {
  scripts/setup.sh
  mkdir -p build/release
  cmake --preset release -DFJORD_BENCHMARKS=ON >build/release/configure.log 2>&1 ||
    { cat build/release/configure.log >&2; exit 1; }
  cmake --build --preset release --target bench_parts fjord_cli
}

# pip_install NAME OPTIONS...: once for every content of the requirements file benchmarks/peers/NAME.txt.
pip_install() {
  local file=benchmarks/peers/$1.txt stamp=$here/$1.stamp
  cmp -s "$file" "$stamp" && return 0
  echo "Installing $(paste -sd ' ' "$file")" >&2
  # The host's pip serves the folder's Python: so the host needs no package that brings pip into new folders.
  python3 -m pip --python "$python" install --quiet --disable-pip-version-check "${@:2}" -r "$file" \
    >"$here/$1.log" 2>&1 || return 1
  cp "$file" "$stamp"
}

install_peers() {
  mkdir -p "$here/models"
  [ -z "${FJORD_PEERS_PYTHON:-}" ] || return 0
  [ -x "$python" ] || python3 -m venv --without-pip "$here/venv"
  pip_install requirements || { tail -5 "$here/requirements.log" >&2; exit 1; }
}

# Built from source for this very processor. Without it the other peers still run.
install_sdcpp() {
  [ -z "${FJORD_PEERS_PYTHON:-}" ] || return 0
  CMAKE_ARGS="-DGGML_NATIVE=ON -DSD_BUILD_EXAMPLES=OFF -DSD_WEBP=OFF -DSD_WEBM=OFF" \
    pip_install sdcpp-requirements --no-binary stable-diffusion-cpp-python ||
    echo "stable-diffusion.cpp could not be built, see $here/sdcpp-requirements.log" >&2
}

# make_model NAME SCRIPT: a folder of random weights, complete or not there.
make_model() {
  [ -d "$here/models/$1" ] && return 0
  echo "Making the model $1" >&2
  rm -rf "$here/models/$1.part"
  "$python" "$2" "$here/models/$1.part" 2>"$here/$1.log" || { tail -5 "$here/$1.log" >&2; exit 1; }
  mv "$here/models/$1.part" "$here/models/$1"
}

if [ $help = 1 ]; then
  exec python3 benchmarks/peers/run.py --help
fi
[ $build = 0 ] || build_fjord
install_peers
make_model sd15 benchmarks/load/make_model.py
if [ $quick = 0 ]; then
  install_sdcpp
  make_model sdxl benchmarks/peers/make_sdxl_unet.py
fi
exec "$python" benchmarks/peers/run.py --models "$here/models" "$@"
