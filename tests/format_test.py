"""Every source is laid out as .clang-format says. Skipped (exit code 77) where clang-format 14 is not installed."""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("include", "src", "tests", "examples", "benchmarks")


def main() -> int:
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if program is None or " 14." not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
        print("clang-format 14 is not installed")
        return 77
    files = sorted(str(path) for folder in FOLDERS for ending in ("*.h", "*.cpp", "*.cu", "*.cuh") for path in (ROOT / folder).rglob(ending))
    if len(files) < 100:
        print(f"expected fjord's sources, found {len(files)} files")
        return 1
    return subprocess.run([program, "--dry-run", "-Werror", *files]).returncode


sys.exit(main())
