"""Load time and peak memory of a Stable-Diffusion-1.5-sized pipeline: fjord, diffusers, and reading the bytes alone.

The three run in turn, round by round, each in a process of its own, so that a drift of the machine touches all alike;
ratios are taken within a round. Cold rounds drop the files from the page cache first, warm rounds do not.
Run: python benchmarks/load/run.py MODEL_FOLDER [--rounds 5] [--out benchmarks/results/load.md]
(the folder comes from make_model.py; the programs from a build with -DFJORD_BENCHMARKS=ON)
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def commands(folder: pathlib.Path, programs: pathlib.Path) -> dict:
    return {
        "read and convert": [programs / "bench_read", folder],
        "fjord": [programs / "bench_load", folder],
        "diffusers": [sys.executable, HERE / "diffusers_load.py", folder],
    }


def drop_from_cache(folder: pathlib.Path) -> None:
    for path in folder.rglob("*.safetensors"):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(command: list) -> dict:
    """One process: what it says of its own loading, and its peak memory as the system counts it."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed")
    return {"seconds": json.loads(said)["seconds"], "peak_gib": usage.ru_maxrss / 2**20}


def spread(values: list, digits: int = 2) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def table(rounds: list) -> str:
    lines = ["| | load, s | against diffusers | against read and convert | peak memory, GiB |", "|---|---|---|---|---|"]
    for name in rounds[0]:
        cells = [spread([one[name]["seconds"] for one in rounds])]
        for base in ("diffusers", "read and convert"):
            cells.append(spread([one[name]["seconds"] / one[base]["seconds"] for one in rounds]))
        cells.append(spread([one[name]["peak_gib"] for one in rounds]))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "benchmarks/results/load.md")
    options = parser.parse_args()
    size = sum(path.stat().st_size for path in options.folder.rglob("*.safetensors"))
    text = ["# Loading a pipeline of Stable Diffusion 1.5's size", "",
            f"{size / 1e9:.2f} GB of random float16 weights; {processor()}, {os.cpu_count()} cores. Median (least to "
            f"most) of {options.rounds} rounds, a process each; imports are not counted.",
            "Made by `benchmarks/load/run.py`.", ""]
    for dtype in ("float32", "bfloat16"):
        for cold in (True, False):
            rounds = []
            for number in range(options.rounds + 1):
                measured = {}
                for name, command in commands(options.folder, options.programs).items():
                    if cold:
                        drop_from_cache(options.folder)
                    measured[name] = run([*command, dtype])
                if number:  # the first round warms up
                    rounds.append(measured)
                print(dtype, "cold" if cold else "warm", number, measured, flush=True)
            text += [f"## {dtype}, files {'not in' if cold else 'in'} the page cache", "", table(rounds), ""]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(text))


if __name__ == "__main__":
    main()
