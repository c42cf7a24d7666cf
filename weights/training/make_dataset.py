"""Renders pictures with captions: DATA/images.npy (uint8 [count, 128, 128, 3]) and DATA/scenes.json.

24,000 pictures take about three minutes on one core. Held-out pictures: the same with another --first.
Run: python weights/training/make_dataset.py DATA --count 24000
"""

import argparse
import dataclasses
import json
import pathlib

import numpy as np

from rendering.pixels import SIZE
from rendering.scenes import Scene, sample

FIRST_SEED = 1_000_000


def make(folder: pathlib.Path, first: int, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, SIZE, SIZE, 3))
    scenes = []
    for i in range(count):
        images[i], _, scene = sample(first + i)
        scenes.append(dataclasses.asdict(scene))
        if (i + 1) % 2000 == 0:
            print(f"{i + 1} of {count} pictures", flush=True)
    images.flush()
    (folder / "scenes.json").write_text(json.dumps(scenes))


def load_images(folder: pathlib.Path) -> np.ndarray:
    return np.load(folder / "images.npy", mmap_mode="r")


def load_scenes(folder: pathlib.Path) -> list:
    return [Scene(**fields) for fields in json.loads((folder / "scenes.json").read_text())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=24000)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help=f"seed of the first picture (default: {FIRST_SEED})")
    options = parser.parse_args()
    make(options.data, options.first, options.count)


if __name__ == "__main__":
    main()
