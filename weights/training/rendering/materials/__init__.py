"""Twenty-eight materials and three weatherings. Every picture wraps around at all four sides."""

import dataclasses
from collections.abc import Callable

import numpy as np

from . import built, cloth, ground
from ..pixels import Grid, POINTS, colour, mix, ramp, smoothstep, varied


@dataclasses.dataclass(frozen=True)
class Material:
    draw: Callable
    colours: tuple  # the first is the usual one
    names: tuple  # how captions call it


def _material(draw, colours: str, *names: str) -> Material:
    return Material(draw, tuple(colours.split()), names)


MATERIALS = {
    "brick": _material(built.brick, "red brown gray white orange blue purple green yellow black teal pink", "brick wall",
                       "bricks"),
    "cobble": _material(built.cobblestone, "gray brown blue green purple red black white teal", "stone floor", "cobblestone",
                        "stone wall"),
    "tiles": _material(built.tiles, "gray white blue green teal red brown black yellow pink purple", "tile floor",
                       "square tiles"),
    "planks": _material(built.planks, "brown gray red blue green white black orange", "wooden planks", "wooden floor", "wood"),
    "metal": _material(built.metal, "gray blue brown green red gold black teal", "metal plate", "metal panel"),
    "checker": _material(built.checkerboard, "black red blue green purple yellow pink teal brown", "checkered floor",
                         "checkerboard"),
    "roof": _material(built.roof_tiles, "red brown blue gray green orange purple teal", "roof tiles", "shingles"),
    "mosaic": _material(built.mosaic, "blue teal red green purple black orange brown", "mosaic", "mosaic floor"),
    "honeycomb": _material(built.honeycomb, "yellow orange gold brown gray blue", "honeycomb"),
    "bamboo": _material(built.bamboo, "green yellow brown", "bamboo", "bamboo wall"),
    "grass": _material(ground.grass, "green yellow teal blue purple", "grass", "lawn"),
    "straw": _material(ground.straw, "yellow gold brown gray", "straw", "hay"),
    "dirt": _material(ground.dirt, "brown gray red black", "dirt", "dirt ground"),
    "gravel": _material(ground.gravel, "gray brown white black", "gravel", "pebbles"),
    "sand": _material(ground.sand, "yellow white orange red pink gray", "sand"),
    "snow": _material(ground.snow, "white blue teal pink", "snow"),
    "lava": _material(ground.lava, "orange red green blue purple", "lava"),
    "water": _material(ground.water, "blue teal green purple", "water"),
    "ice": _material(ground.ice, "blue teal white purple pink", "ice"),
    "marble": _material(ground.marble, "white gray green black pink blue red", "marble"),
    "bark": _material(ground.bark, "brown gray black white", "tree bark", "bark"),
    "cloth": _material(cloth.cloth, "red blue purple green brown white yellow pink gray teal", "woven cloth", "fabric", "cloth"),
    "knit": _material(cloth.knitted, "red blue green purple white yellow pink gray teal orange", "knitted wool", "wool"),
    "plaid": _material(cloth.plaid, "red blue green purple yellow brown teal", "plaid cloth", "tartan"),
    "stripes": _material(cloth.stripes, "blue red green purple black pink orange teal yellow", "stripes", "striped wallpaper"),
    "dots": _material(cloth.dots, "red blue green purple black pink orange teal yellow", "polka dots", "dots"),
    "leather": _material(cloth.leather, "brown black red gray green", "leather"),
    "scales": _material(cloth.scales, "green red blue purple black gold teal", "dragon scales", "scales"),
}
WEATHERINGS = {
    "mossy": ("brick", "cobble", "tiles", "planks", "roof", "metal", "bark"),
    "cracked": ("brick", "tiles", "marble", "ice", "cobble", "dirt", "mosaic"),
    "snowy": ("brick", "cobble", "tiles", "planks", "grass", "roof", "dirt", "gravel"),
}


def weathered(grid: Grid, picture, weathering: str):
    if weathering == "mossy":
        patches, detail = grid.noise(3, 4, .6), grid.noise(16, 3, .7)
        moss = smoothstep(.5, .62, patches + (detail - .5) * .25)
        return mix(picture, ramp(colour(.3, .52, .12), .2 + .55 * detail), (moss * .93)[..., None])
    if weathering == "snowy":
        patches, detail = grid.noise(3, 4, .55), grid.noise(8, 3)
        tone = .45 + .4 * (detail - .5) + .25 * smoothstep(.45, .7, patches)
        return mix(picture, ramp(colour(.86, .91, .97), tone), smoothstep(.45, .54, patches)[..., None])
    if weathering == "cracked":
        count = grid.pick([2, 3])
        wobble = (grid.noise(4, 4) - .5) * .3
        near, second, _ = grid.cells(count, 1.)
        edge = (second - near + wobble) * POINTS / count
        crack = (1 - smoothstep(.8, 3.2, np.abs(edge))) * .9
        return picture * (1 - crack[..., None] * .85)
    return picture


def draw_material(grid: Grid, name: str, colour_name: str, weathering: str = "") -> np.ndarray:
    picture = MATERIALS[name].draw(grid, varied(grid.rng, colour_name))
    return np.clip(weathered(grid, picture, weathering), 0, 1).astype(np.float32)
