"""Rendered pictures in a folder: images.npy (uint8 [count, size, size, 3]), scenes.json, and later latents.npy.

Picture i has the seed first + i; the same seed gives the same picture. Some are seen through a style filter, as the VAE
must know styles that the text encoder and the U-Net learn later.
"""

import argparse
import dataclasses
import json
import pathlib

import numpy as np

from rendering.filters import FILTERS
from rendering.render import render, scene_of, to_bytes
from rendering.scene import Scene

FIRST_SEED = 1_000_000  # of training pictures; held-out ones begin at 0


def styled_scene(seed: int, styled: float) -> Scene:
    """The scene of a seed, with a filter in the share `styled` of the cases."""
    scene = scene_of(seed)
    rng = np.random.default_rng([seed, 3])
    if rng.random() < styled:
        scene.style = list(FILTERS)[int(rng.integers(len(FILTERS)))]
    return scene


def make(folder: pathlib.Path, first: int, count: int, size: int = 128, styled: float = 0.) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, size, size, 3))
    scenes = []
    for i in range(count):
        scene = styled_scene(first + i, styled)
        images[i] = to_bytes(render(scene, [first + i, 2], size))
        scenes.append(dataclasses.asdict(scene))
        if (i + 1) % 1000 == 0:
            print(f"{i + 1} of {count} pictures", flush=True)
    images.flush()
    (folder / "scenes.json").write_text(json.dumps(scenes))


def load_images(folder: pathlib.Path) -> np.ndarray:
    return np.load(folder / "images.npy", mmap_mode="r")


def load_scenes(folder: pathlib.Path) -> list:
    return [Scene(**fields) for fields in json.loads((folder / "scenes.json").read_text())]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=24000)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help=f"seed of the first picture (default: {FIRST_SEED})")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--styled", type=float, default=0., help="share of pictures seen through a style filter (default: 0)")


def run(options) -> None:
    make(options.data, options.first, options.count, options.size, options.styled)
