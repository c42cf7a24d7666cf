"""libfjord_c.so keeps the binary interface of tests/capi/fjord_c-0.1.abi: nothing removed, moved or changed in kind.

abi_test.py LIBRARY          compares; what was added is fine. Skipped (exit code 77) where abidiff is not installed.
abi_test.py LIBRARY --write  makes the library's interface the one to keep, as is done for a new minor version.
"""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
KEPT = ROOT / "tests" / "capi" / "fjord_c-0.1.abi"
ABIDW = ["abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--drop-private-types", "--exported-interfaces-only",
         "--headers-dir", str(ROOT / "include" / "fjord")]


def main(library: str, write: bool) -> int:
    if shutil.which("abidiff") is None:
        print("abidiff is not installed")
        return 77
    if write:
        KEPT.write_text(subprocess.run([*ABIDW, library], capture_output=True, text=True, check=True).stdout)
        return 0
    if "fjord_request_options" not in KEPT.read_text():
        print(f"{KEPT} has no types: write it from a library with debug information")
        return 1
    return subprocess.run(["abidiff", "--no-added-syms", "--drop-private-types", "--headers-dir2",
                           str(ROOT / "include" / "fjord"), str(KEPT), library]).returncode


sys.exit(main(sys.argv[1], sys.argv[2:] == ["--write"]))
