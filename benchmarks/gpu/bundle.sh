#!/usr/bin/env bash
# Packs what a bare GPU machine lacks into build/gpu-bundle: headers, libraries and CMake's files of nlohmann-json,
# CLI11, libpng, zlib, utf8proc and GoogleTest, and CMake, Ninja and diffusers as wheels. Run it where Debian's packages are
# installed, then copy the tree (git ignores the folder), or the file that --tar writes.
# Usage: benchmarks/gpu/bundle.sh [--tar FILE.tar.gz]
set -euo pipefail
cd "$(dirname "$0")/../.."
bundle=build/gpu-bundle
lib=lib/x86_64-linux-gnu
rm -rf "$bundle" && mkdir -p "$bundle"/{include,share/cmake,wheels} "$bundle/$lib/cmake"
cp -r /usr/include/{nlohmann,CLI,gtest,gmock} "$bundle/include/"
cp -L /usr/include/{png.h,pngconf.h,pnglibconf.h,zlib.h,zconf.h,utf8proc.h} "$bundle/include/"
cp -r /usr/share/cmake/{CLI11,nlohmann_json} "$bundle/share/cmake/"
cp -r "/usr/$lib/cmake/GTest" "$bundle/$lib/cmake/"
for library in gtest gtest_main gmock gmock_main; do cp -L "/usr/$lib/lib$library.a" "$bundle/$lib/"; done
# Debian's static libraries of these cannot become part of a shared one.
for library in png z utf8proc; do
  shared=$(readelf -d "/usr/$lib/lib$library.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
  cp -L "/usr/$lib/lib$library.so" "$bundle/$lib/lib$library.so"
  cp -L "/usr/$lib/lib$library.so" "$bundle/$lib/$shared"
done
python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$bundle/wheels" cmake==3.31.6 ninja==1.13.0 diffusers==0.38.0 importlib-metadata==8.7.0 zipp==3.23.0
if [ "${1:-}" = --tar ]; then
  { git ls-files -z; find "$bundle" -type f -print0; } | tar --null --files-from=- --transform 's,^,fjord/,' -czf "$2"
fi
du -sh "$bundle"
