"""How well a ControlNet is followed: edges of renders become maps, the fjord program paints them with and without the
ControlNet, and the edges of its pictures are compared with the maps: intersection over union, a point (1/128) of tolerance.
"""

import argparse
import pathlib
import tempfile

import numpy as np
from PIL import Image, ImageFilter

from rendering.captions import full_caption
from rendering.render import render, to_bytes
from score.program import picture_of, scenes_to_draw
from train_control import edges_of


def grown(mask: np.ndarray) -> np.ndarray:
    """The mask and all pixels beside it."""
    return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))) > 0


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks of edges, where an edge is met if the other's is at most a pixel away."""
    met = (first & grown(second)).sum() + (second & grown(first)).sum()
    total = first.sum() + second.sum()
    f_score = met / total if total else 1.
    return float(f_score / (2 - f_score))  # the identity between the two for sets


def overlaps(options, scenes: list, arguments: list) -> list:
    """For every scene, the overlap of map and picture with the program's further arguments; {map} stands for the map's file."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "map.png"
        for number, (seed, scene) in enumerate(scenes):
            wanted = edges_of(to_bytes(render(scene, [seed, 2])))
            Image.fromarray(np.repeat(wanted[..., None], 3, 2).astype(np.uint8) * 255).save(file)
            filled = [argument.replace("{map}", str(file)) for argument in arguments]
            picture = picture_of(options.program, options.model, full_caption(scene), number, filled)
            out.append(overlap(wanted, edges_of(picture)))
    return out


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("program", "model", "control"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=64)


def run(options) -> None:
    scenes = [(seed, scene) for seed, scene in scenes_to_draw(4 * options.count) if "object" in scene.kind][:options.count]
    free = np.mean(overlaps(options, scenes, []))
    led = np.mean(overlaps(options, scenes, ["--control", f"{options.control}={{map}}"]))
    print(f"overlap of edges over {len(scenes)} pictures: {led:.3f} with the ControlNet, {free:.3f} without")
