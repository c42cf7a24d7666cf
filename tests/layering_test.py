"""Reads every #include and fails on a broken arrow between the rooms of src/ (docs/architecture.md)."""

import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Room -> rooms that it may include besides itself. Every room may include core and config, and the public headers.
MAY_INCLUDE = {
    "core": set(),
    "config": set(),
    "text": set(),
    "image": set(),
    "nn": {"ops", "kernels"},
    "ops": {"kernels"},
    "kernels": set(),
    "cuda": {"kernels"},
    "loading": {"nn", "text"},
    "models": {"nn", "ops"},
    "schedulers": set(),
    "adapters": {"nn", "models", "loading"},
    "pipeline": {"adapters", "schedulers", "models", "nn", "ops", "kernels", "loading", "text", "image"},
    "jobs": {"pipeline", "models"},
    "cli": set(),
    "capi": set(),
}
BESIDES = {"core", "config"}
INCLUDE_ONLY = {"cli", "capi"}  # these know the library by include/fjord alone
WITHOUT_TORCH = {"config", "text", "image", "kernels", "cli", "capi"}
WITH_JSON = {"loading", "cli"}
PRODUCTS = re.compile(r"\b(sd15|sd1_5|sd21|sd_?xl|sdxl)\b", re.IGNORECASE)
MAY_NAME_PRODUCTS = {"loading", "cli", "capi"}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def is_torch(header: str) -> bool:
    return header.startswith(("ATen/", "c10/", "torch/", "fjord/torch/"))


def sources(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".h", ".cpp", ".cu", ".cuh"})


def room_faults(room: str, headers: list[str]) -> list[str]:
    """What is wrong with a file of `room` that includes `headers`."""
    if room not in MAY_INCLUDE:
        return [f"room {room} is not in the list of rooms"]
    faults = []
    allowed = MAY_INCLUDE[room] | {room} | (set() if room in INCLUDE_ONLY else BESIDES)
    for header in headers:
        other = header.split("/")[0]
        if "/" in header and other in MAY_INCLUDE and other not in allowed:
            faults.append(f"{room} must not include {other}: {header}")
        if is_torch(header) and room in WITHOUT_TORCH:
            faults.append(f"{room} must not include LibTorch: {header}")
        if header.startswith("nlohmann/") and room not in WITH_JSON:
            faults.append(f"{room} must not include JSON: {header}")
    return faults


def file_faults(path: pathlib.Path, source_folder: pathlib.Path) -> list[str]:
    room = path.relative_to(source_folder).parts[0]
    text = path.read_text()
    faults = room_faults(room, INCLUDE.findall(text))
    product = PRODUCTS.search(COMMENT.sub("", text))
    if product and room not in MAY_NAME_PRODUCTS:
        faults.append(f"{room} must not name a product: {product.group()}")
    return faults


class LayeringTest(unittest.TestCase):
    def test_rooms_include_only_what_they_may(self) -> None:
        files = sources(ROOT / "src")
        self.assertGreater(len(files), 50)
        faults = [f"{path.relative_to(ROOT)}: {fault}" for path in files for fault in file_faults(path, ROOT / "src")]
        self.assertEqual(faults, [])

    def test_public_headers_need_neither_torch_nor_json(self) -> None:
        for path in sources(ROOT / "include"):
            if path.parent.name == "torch":
                continue
            for header in INCLUDE.findall(path.read_text()):
                self.assertFalse(is_torch(header) or header.startswith("nlohmann/"), f"{path}: {header}")

    def test_examples_use_public_headers_only(self) -> None:
        rooms = tuple(room + "/" for room in MAY_INCLUDE)
        for path in sources(ROOT / "examples"):
            for header in INCLUDE.findall(path.read_text()):
                self.assertFalse(header.startswith(rooms), f"{path}: {header}")

    def test_broken_arrows_are_found(self) -> None:
        self.assertTrue(room_faults("schedulers", ["models/unet/unet_2d_condition.h"]))
        self.assertTrue(room_faults("models", ["loading/source.h"]))
        self.assertTrue(room_faults("kernels", ["ATen/ATen.h"]))
        self.assertTrue(room_faults("pipeline", ["nlohmann/json.hpp"]))
        self.assertTrue(room_faults("cli", ["core/check.h"]))
        self.assertTrue(room_faults("attic", []))
        self.assertFalse(room_faults("models", ["nn/layers.h", "core/check.h", "vector"]))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "models" / "unet.cpp"
            path.parent.mkdir()
            path.write_text("// as in SDXL\nbool is_sdxl;\nint sdxl = 1;\n")
            self.assertEqual(len(file_faults(path, pathlib.Path(folder))), 1)


if __name__ == "__main__":
    sys.exit(unittest.main())
