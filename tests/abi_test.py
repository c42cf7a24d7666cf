"""The binary interface of include/fjord/c.h stays that of tests/capi/fjord_c-0.1.abi: nothing removed, moved or changed in kind.

abi_test.py LIBRARY   compares the header, and the functions that libfjord_c.so exports with those that it declares. What was
                      added is fine. Skipped (exit code 77) where abidiff is not installed.
abi_test.py --write   makes the header's interface the one to keep, as is done for a new minor version.

Types come from a library of empty functions that the header declares, so that the real one needs no debug information.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "include"
KEPT = ROOT / "tests" / "capi" / "fjord_c-0.1.abi"
DECLARATION = re.compile(r"^FJORD_C_API\s+([^;]*?\b(fjord_\w+)\([^;]*\));", re.MULTILINE)


def declarations() -> dict[str, str]:
    return {name: text for text, name in DECLARATION.findall((INCLUDE / "fjord" / "c.h").read_text())}


def build_empty_library(folder: pathlib.Path) -> pathlib.Path:
    source, library = folder / "empty.c", folder / "libfjord_c.so"
    bodies = [f"{text} {{ return 0; }}" for text in declarations().values()]
    source.write_text("#include <fjord/c.h>\n" + "\n".join(bodies) + "\n")
    subprocess.run(["cc", "-std=c99", "-g", "-O0", "-shared", "-fPIC", "-Wl,-soname,libfjord_c.so.0", f"-I{INCLUDE}", str(source),
                    "-o", str(library)], check=True)
    return library


def interface_of(library: pathlib.Path) -> str:
    command = ["abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-write-default-sizes", str(library)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def exported(library: str) -> set[str]:
    table = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return {name.split("@")[0] for line in table.splitlines() if (name := line.split()[-1]).startswith("fjord_")}


def compare(library: str, empty: pathlib.Path) -> int:
    if exported(library) != set(declarations()):
        print("exported or declared, but not both:", *sorted(exported(library) ^ set(declarations())))
        return 1
    return subprocess.run(["abidiff", "--no-added-syms", str(KEPT), str(empty)]).returncode


def main(argument: str) -> int:
    if shutil.which("abidiff") is None:
        print("abidiff is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        empty = build_empty_library(pathlib.Path(folder))
        if argument != "--write":
            return compare(argument, empty)
        KEPT.write_text(interface_of(empty))
        return 0


sys.exit(main(sys.argv[1]))
