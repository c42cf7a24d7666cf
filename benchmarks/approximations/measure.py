"""What each approximation saves and what it costs: processor time of the denoising steps, and PSNR against the exact
picture of the same prompt and seed.

For every prompt all settings run in turn, each in a process of its own, so that a drift of the machine touches all
alike; a ratio of times is taken between the runs of one prompt, and its median over the prompts is told, with the
middle half. Run: python benchmarks/approximations/measure.py PROGRAM [--model FOLDER] [--size N] [--prompts N]
    [--only PART_OF_A_NAME ...] [--options OPTIONS OF THE PROGRAM]   (Linux)
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import tempfile

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPTS = (
    "a gold crown on red cloth", "a blue potion on sand", "a red gem on a white background", "mossy gray stone wall",
    "the sea at night", "a green slime on grass", "a silver sword on wooden planks", "mountains at sunset",
    "a red potion and a blue gem on a white background", "a yellow flower on a stone floor", "cracked lava",
    "a purple mushroom in front of a brick wall", "a brown treasure chest on sand", "red roof tiles",
    "a teal shield on a black background", "the desert on a sunny day",
)
# What the table calls it -> options of fjord txt2img.
SETTINGS = {
    "exact": (),
    "guidance 0.1 to 1": ("--guidance-interval", "0.1,1"),
    "guidance 0.2 to 0.8": ("--guidance-interval", "0.2,0.8"),
    "guidance 0 to 0.6": ("--guidance-interval", "0,0.6"),
    "guidance 0 to 0.4": ("--guidance-interval", "0,0.4"),
    "guidance every 2": ("--guidance-every", "2"),
    "guidance every 3": ("--guidance-every", "3"),
    "guidance every 5": ("--guidance-every", "5"),
    "DeepCache 2, branch 0": ("--cache-interval", "2"),
    "DeepCache 3, branch 0": ("--cache-interval", "3"),
    "DeepCache 2, branch 2": ("--cache-interval", "2", "--cache-branch", "2"),
    "DeepCache 3, branch 2": ("--cache-interval", "3", "--cache-branch", "2"),
    "DeepCache 5, branch 2": ("--cache-interval", "5", "--cache-branch", "2"),
    "T-GATE 0.8": ("--text-gate", "0.8"),
    "T-GATE 0.6": ("--text-gate", "0.6"),
    "T-GATE 0.4": ("--text-gate", "0.4"),
    "merging 0.25": ("--merge-ratio", "0.25"),
    "merging 0.5": ("--merge-ratio", "0.5"),
    "guidance every 3, DeepCache 3, branch 2": ("--guidance-every", "3", "--cache-interval", "3", "--cache-branch", "2"),
    "guidance every 3, DeepCache 3, branch 0": ("--guidance-every", "3", "--cache-interval", "3"),
}


def processor_seconds(child: subprocess.Popen) -> float:
    """Time that the child's first thread has spent on a processor."""
    return int(pathlib.Path(f"/proc/{child.pid}/schedstat").read_text().split()[0]) / 1e9


def run(program: pathlib.Path, arguments: list) -> tuple[float, np.ndarray]:
    """Processor time of all denoising steps on one thread, and the picture."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "a.png"
        command = [program, "txt2img", "--threads", 1, "--progress", "json", "--out", out, *arguments]
        child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        times = []
        for line in child.stdout:
            if line.startswith(b"{") and json.loads(line)["phase"] == "denoise":
                times.append(processor_seconds(child))
        if child.wait() != 0:
            raise RuntimeError(f"{command} ended with {child.returncode}")
        return times[-1] - times[0], np.asarray(Image.open(out).convert("RGB"), dtype=np.float64)


def psnr(picture: np.ndarray, exact: np.ndarray) -> float:
    """In dB against 255; equal pictures count as 99."""
    error = ((picture - exact) ** 2).mean()
    return 99.0 if error == 0 else min(99.0, 10 * math.log10(255 ** 2 / error))


def measure(options) -> dict:
    """Setting -> [(exact seconds / seconds, PSNR) for every prompt]."""
    chosen = {name: setting for name, setting in SETTINGS.items() if any(part in name for part in options.only)}
    found = {name: [] for name in chosen}
    for seed, prompt in enumerate(PROMPTS[:options.prompts]):
        request = ["--model", options.model, "--prompt", prompt, "--seed", seed, *options.arguments]
        if options.size:
            request += ["--width", options.size, "--height", options.size]
        exact_seconds, exact = run(options.program, request)
        for name, setting in chosen.items():
            seconds, picture = run(options.program, [*request, *setting])
            found[name].append((exact_seconds / seconds, psnr(picture, exact)))
    return found


def row(name: str, results: list) -> str:
    ratios, qualities = zip(*results)
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return (f"| {name} | {' '.join(SETTINGS[name])} | {middle:.2f} ({low:.2f} to {high:.2f}) | "
            f"{statistics.median(qualities):.1f} | {min(qualities):.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "weights/tiny")
    parser.add_argument("--size", type=int, default=0, help="width and height in pixels; 0: the model's")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--only", nargs="+", default=[""], help="settings whose name contains one of these")
    parser.add_argument("--options", dest="arguments", nargs=argparse.REMAINDER, default=[],
                        help="the rest of the line: more options for the program")
    options = parser.parse_args()
    print("| what | options | speed of the steps, times exact (middle half) | PSNR, median dB | PSNR, worst dB |")
    print("|---|---|---|---|---|")
    for name, results in measure(options).items():
        print(row(name, results))


if __name__ == "__main__":
    main()
