"""Contact sheets of what the renderer can draw, to be looked at.

Run: python -m rendering.contact_sheet OUT_FOLDER --size 128     (in weights/training)
"""

import argparse
import pathlib

import numpy as np
from PIL import Image, ImageDraw

from .filters import FILTERS
from .landscapes import TERRAINS, TIMES
from .materials import MATERIALS
from .objects import OBJECTS
from .render import render, sample, to_bytes
from .scene import LIGHTS, Scene

TEXT_HEIGHT = 12


def sheet(pictures: list, words: list, columns: int) -> Image.Image:
    """Pictures (uint8 [size, size, 3]) in rows, each over its words."""
    size = len(pictures[0])
    rows = -(-len(pictures) // columns)
    image = Image.new("RGB", (columns * (size + 4), rows * (size + TEXT_HEIGHT + 4)), (28, 28, 32))
    draw = ImageDraw.Draw(image)
    for i, (picture, text) in enumerate(zip(pictures, words)):
        x, y = i % columns * (size + 4), i // columns * (size + TEXT_HEIGHT + 4)
        image.paste(Image.fromarray(picture), (x, y))
        draw.text((x + 1, y + size), text[:size // 6], fill=(220, 220, 220))
    return image


def tiled(pictures: list, columns: int) -> Image.Image:
    """Pictures (uint8, of one shape) in full rows, without words and gaps."""
    rows = [np.concatenate(pictures[begin:begin + columns], 1) for begin in range(0, len(pictures), columns)]
    return Image.fromarray(np.concatenate(rows))


def object_scenes() -> list:
    backgrounds = ("white", "gray", "teal", "black", "brown")
    return [Scene("object", object=name, object_colour=thing.colours[0], size="large",
                  background_colour=next(c for c in backgrounds[i % 5:] + backgrounds if c != thing.colours[0]))
            for i, (name, thing) in enumerate(OBJECTS.items())]


def look_scenes() -> list:
    gem = {"kind": "object", "object": "gem", "object_colour": "red", "background_colour": "gray"}
    out = [Scene(**gem, light=light) for light in LIGHTS]
    out += [Scene(**{**gem, "object": name}, style=style) for style in ("pixel art", "icon", *FILTERS) for name in ("gem", "duck")]
    out += [Scene("landscape", terrain=terrain, time=time) for terrain in TERRAINS for time in TIMES]
    return out + [Scene("landscape", terrain="hills", time="day", style=style) for style in ("pixel art", *FILTERS)]


def write(out: pathlib.Path, name: str, scenes: list, size: int, columns: int) -> None:
    words = [scene.object or scene.material or scene.terrain for scene in scenes]
    pictures = [to_bytes(render(scene, [i, 2], size)) for i, scene in enumerate(scenes)]
    sheet(pictures, words, columns).save(out / f"{name}_{size}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    materials = [Scene("material", name, material.colours[i]) for name, material in MATERIALS.items() for i in (0, 1)]
    write(options.out, "objects", object_scenes(), options.size, 8)
    write(options.out, "materials", materials, options.size, 8)
    write(options.out, "looks", look_scenes(), options.size, 8)
    drawn = [sample(seed, options.size) for seed in range(40)]
    pictures, words, _ = zip(*drawn)
    sheet(pictures, words, 8).save(options.out / f"random_{options.size}.png")


if __name__ == "__main__":
    main()
