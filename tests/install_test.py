"""Installs the build into a folder, moves it, and builds users of it: find_package, add_subdirectory, pkg-config from C.

The library is not built again: of the add_subdirectory user the whole project is configured, its own object and one of
fjord's libraries are built, and the rest is looked at as Ninja would run it.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ["FJORD_BUILD"])
CMAKE = os.environ["FJORD_CMAKE"]
SANITIZE = os.environ.get("FJORD_SANITIZE") == "1"
CONSUMERS = ROOT / "tests" / "install"
MODEL = str(ROOT / "weights" / "tiny")
PIXELS = str(64 * 64 * 3)
OURS = re.compile(r"^(fjord::|(typeinfo|typeinfo name|vtable|VTT) for fjord::)")


def run(*command: str, **keywords: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def exported(library: pathlib.Path) -> list[str]:
    lines = run("nm", "-D", "-C", "--defined-only", str(library)).splitlines()
    return [line.split(maxsplit=2)[2] for line in lines if line.split(maxsplit=2)[1] in "TWBDVRu"]


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="fjord-install-"))
        run(CMAKE, "--install", str(BUILD), "--prefix", str(cls.folder / "first"))
        cls.prefix = cls.folder / "moved"
        (cls.folder / "first").rename(cls.prefix)
        (cls.library,) = cls.prefix.glob("lib*/**/libfjord.so")

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.folder)

    def configure(self, name: str, *options: str) -> pathlib.Path:
        build = self.folder / name
        run(CMAKE, "-G", "Ninja", "-S", str(CONSUMERS / name), "-B", str(build), f"-DCMAKE_PREFIX_PATH={self.prefix}",
            *options)
        return build

    def test_find_package(self) -> None:
        build = self.configure("find_package")
        run(CMAKE, "--build", str(build))
        self.assertEqual(run(str(build / "consumer"), MODEL).split()[1], PIXELS)

    def test_add_subdirectory(self) -> None:
        build = self.configure("subdirectory", f"-DFJORD_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
                               f"-DFJORD_TORCH_CPU_LIBRARY={os.environ['FJORD_TORCH_CPU_LIBRARY']}")
        targets = run("ninja", "-C", str(build), "-t", "targets", "all")
        (own_object,) = re.findall(r"^(\S*/consumer\.cpp\.o):", targets, re.MULTILINE)
        run("ninja", "-C", str(build), own_object, "fjord_core")
        plan = run("ninja", "-C", str(build), "-n", "-v", "consumer")
        self.assertRegex(plan, r"-o consumer .*libfjord\.so")
        self.assertNotIn("gtest", plan)  # tests, examples and the program are of no concern to a user

    def test_pkg_config_cplusplus(self) -> None:
        self.pkg_config("fjord", "g++", "-std=c++20", str(CONSUMERS / "consumer.cpp"))

    def test_pkg_config_plain_c(self) -> None:
        self.pkg_config("fjord_c", "gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", str(CONSUMERS / "consumer.c"))

    def pkg_config(self, package: str, *compile_command: str) -> None:
        environment = os.environ | {"PKG_CONFIG_PATH": str(self.library.parent / "pkgconfig"),
                                    "LD_LIBRARY_PATH": str(self.library.parent)}
        flags = run("pkg-config", "--cflags", "--libs", package, env=environment).split()
        sanitizers = ["-fsanitize=address,undefined"] if SANITIZE else []
        program = self.folder / f"with_{package}"
        run(*compile_command, *sanitizers, "-o", str(program), *flags)
        self.assertEqual(run(str(program), MODEL, env=environment).split()[1], PIXELS)

    def test_only_public_symbols_leave_the_library(self) -> None:
        symbols = exported(self.library)
        self.assertGreater(len(symbols), 30)
        self.assertEqual([name for name in symbols if not OURS.match(name)], [])

    def test_only_c_functions_leave_the_c_library(self) -> None:
        symbols = exported(self.library.parent / "libfjord_c.so")
        declared = re.findall(r"FJORD_C_API [^;(]*?\b(fjord_\w+)\(", (self.prefix / "include" / "fjord" / "c.h").read_text())
        self.assertEqual(sorted(symbols), sorted(set(declared)))
        self.assertIn("libfjord_c.so.0.1", run("readelf", "-d", str(self.library.parent / "libfjord_c.so")))

    def test_c_header_in_every_language(self) -> None:
        source = self.folder / "header"
        source.write_text("#include <fjord/c.h>\nint f(void);\nint f(void) {\n"
                          "  fjord_load_options options = FJORD_INIT(fjord_load_options);\n"
                          "  return options.struct_size == sizeof options;\n}\n")
        strict = ["-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{self.prefix / 'include'}", "-fsyntax-only"]
        for standard in ("c99", "c11", "c17"):
            run("gcc", f"-std={standard}", *strict, "-x", "c", str(source))
        for standard in ("c++11", "c++17", "c++20", "c++23"):
            run("g++", f"-std={standard}", "-fno-exceptions", "-fno-rtti", *strict, "-x", "c++", str(source))

    def test_installed_program_finds_its_library(self) -> None:
        program = self.prefix / "bin" / "fjord"
        if not program.exists():
            self.skipTest("built without the program")
        self.assertIn("LibTorch", run(str(program), "doctor"))


if __name__ == "__main__":
    sys.exit(unittest.main())
