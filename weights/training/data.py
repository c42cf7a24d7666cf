"""Rendered pictures in a folder: images.npy (uint8 [count, size, size, 3]), scenes.json, and later latents.npy.

The pictures have the seeds first, first + 1, ...; seeds whose scenes are of other kinds than wanted are left out. The same
seed gives the same picture. Some are seen through a style filter, as the VAE must know styles that the text encoder and the
U-Net learn later.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib

import numpy as np

from rendering.filters import FILTERS
from rendering.render import render, scene_of, to_bytes
from rendering.scene import KINDS, Scene

FIRST_SEED = 1_000_000  # of training pictures; held-out ones begin at 0


def styled_scene(seed: int, styled: float, filters: tuple = tuple(FILTERS)) -> Scene:
    """The scene of a seed, with one of the filters in the share `styled` of the cases."""
    scene = scene_of(seed)
    rng = np.random.default_rng([seed, 3])
    if rng.random() < styled:
        scene.style = filters[int(rng.integers(len(filters)))]
    return scene


@dataclasses.dataclass
class Choice:
    """Which pictures a folder holds."""

    first: int = FIRST_SEED
    count: int = 24000
    size: int = 128
    styled: float = 0.  # share of pictures seen through a style filter
    filters: tuple = tuple(FILTERS)
    kinds: tuple = tuple(KINDS)


def chosen_scenes(choice: Choice):
    """(seed, scene), without end."""
    for seed in itertools.count(choice.first):
        scene = styled_scene(seed, choice.styled, choice.filters)
        if scene.kind in choice.kinds:
            yield seed, scene


def make(folder: pathlib.Path, choice: Choice) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (choice.count, choice.size, choice.size, 3)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, shape)
    scenes = []
    for i, (seed, scene) in enumerate(itertools.islice(chosen_scenes(choice), choice.count)):
        images[i] = to_bytes(render(scene, [seed, 2], choice.size))
        scenes.append(dataclasses.asdict(scene))
        if (i + 1) % 1000 == 0:
            print(f"{i + 1} of {choice.count} pictures", flush=True)
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
    parser.add_argument("--filters", nargs="+", choices=FILTERS, default=list(FILTERS), help="the filters (default: all)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="kinds of scenes (default: all)")


def run(options) -> None:
    make(options.data, Choice(options.first, options.count, options.size, options.styled, tuple(options.filters),
                              tuple(options.kinds)))
