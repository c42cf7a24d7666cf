"""How far the pictures of some models, precisions or settings are from the float32 pictures of a model: PSNR in dB.

Run: python benchmarks/quality/compare.py REFERENCE_MODEL [NAME=MODEL[,OPTION...]]... [--pictures 16]
     e.g. ... weights/tiny "int8 bfloat16=/tmp/tiny-int8,--dtype,bfloat16"
Pictures are made by build/release/bin/fjord and kept in --folder, so that they can be looked at.
"""

import argparse
import pathlib
import statistics
import subprocess

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
OBJECTS = ("crown", "potion", "chest", "sword", "shield", "key", "ring", "coin")
MATERIALS = ("gold", "blue glass", "wooden", "red", "green", "silver", "copper", "purple")
PLACES = ("on red cloth", "on sand", "in the snow", "on stone")


def prompts(count: int) -> list:
    return [f"a {MATERIALS[(3 * i + i // 8) % 8]} {OBJECTS[i % 8]} {PLACES[(i + i // 4) % 4]}" for i in range(count)]


def render(program: pathlib.Path, model: str, options: list, prompt: str, seed: int, out: pathlib.Path) -> np.ndarray:
    command = [program, "txt2img", "--model", model, "--prompt", prompt, "--seed", str(seed), "--out", out,
               "--progress", "none", *options]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return np.asarray(Image.open(out)).astype(np.float64)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a - b) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("cases", nargs="*", metavar="NAME=MODEL[,OPTION...]")
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out/quality")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/fjord")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    texts = prompts(options.pictures)
    exact = [render(options.program, options.reference, [], text, i, options.folder / f"reference-{i}.png")
             for i, text in enumerate(texts)]
    print("| | PSNR, dB: median | least | most |\n|---|---|---|---|")
    for case in options.cases:
        name, _, rest = case.partition("=")
        model, *extra = rest.split(",")
        stem = name.replace(" ", "-")
        values = [psnr(exact[i], render(options.program, model, extra, text, i, options.folder / f"{stem}-{i}.png"))
                  for i, text in enumerate(texts)]
        print(f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f} |", flush=True)


if __name__ == "__main__":
    main()
