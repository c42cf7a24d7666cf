"""Whole pictures with models of published sizes: does it run end to end, how long, with how much memory at most.

Every row is one run of `fjord txt2img` in a process of its own; its peak memory is the system's figure for the process.
Run: python benchmarks/load/pictures.py ROW... [--out benchmarks/results/full-size.md]
ROW: NAME=FOLDER:STEPS:DTYPE[:PIXELS], for example "Stable Diffusion 1.5=/tmp/sd15:20:float32" (folders: make_model.py)
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from run import ROOT, processor

HEAD = """# Whole pictures with models of published sizes

Random float16 weights of the published shapes; {processor}, {cores} cores. A picture from a prompt with guidance, that is two evaluations of the U-Net
a step, in a process of its own. Peak memory is the system's figure for the whole process. The point is that it runs, and in how much memory: the
times are those of a shared machine, see [peers.md](peers.md) for figures that compare. Made by `benchmarks/load/pictures.py`.

| model | weights on disk, GB | precision | pixels | steps | load, s | picture, s | peak memory, GiB |
|---|---|---|---|---|---|---|---|
"""


def measure(program: pathlib.Path, name: str, folder: pathlib.Path, steps: int, dtype: str, pixels: int) -> str:
    disk = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e9
    with tempfile.TemporaryDirectory() as out:
        command = [program, "txt2img", "--model", folder, "--prompt", "a gold crown on red cloth", "--steps", steps, "--dtype", dtype,
                   "--width", pixels, "--height", pixels, "--guidance", 5, "--progress", "json", "--out", f"{out}/a.png"]
        child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
        begin, lines = os.times().elapsed, child.stdout.read().splitlines()
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            raise SystemExit(f"{name}: the program failed")
        whole = os.times().elapsed - begin
    seconds = json.loads(lines[-1])["seconds"]
    return (f"| {name} | {disk:.2f} | {dtype} | {pixels}x{pixels} | {steps} | {whole - seconds:.1f} | {seconds:.1f} | "
            f"{usage.ru_maxrss / 2**20:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/fjord")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "benchmarks/results/full-size.md")
    options = parser.parse_args()
    text = HEAD.format(processor=processor(), cores=os.cpu_count())
    for row in options.rows:
        name, rest = row.split("=")
        folder, steps, dtype, *pixels = rest.split(":")
        text += measure(options.program, name, pathlib.Path(folder), int(steps), dtype, int(pixels[0]) if pixels else 512) + "\n"
        options.out.write_text(text)
        print(text.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
