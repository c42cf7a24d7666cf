"""Fifteen materials and three weatherings. Every picture wraps around at all four sides.

A material is a function (rng, base colour) -> picture. The order in which the generator is asked is part of the recipe:
the shipped weights were trained on these pictures, and the tests hold their hashes.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from .pixels import (SIZE, TILE_X, TILE_Y, cells, colour, fractal_noise, grid_cells, lit, mix, ramp, smoothstep, to_edge,
                     varied)

TURN = 6.2832
FLAT = .55  # what pixels.lit gives for flat ground


def shade_of_cells(rng, rows, columns, row, column):
    """One random shade for each cell of a wrapping grid."""
    return rng.random((rows, columns)).astype(np.float32)[row % rows, column % columns]


def pick(rng, values) -> int:
    return int(rng.choice(values))


def brick(rng, base):
    rows = pick(rng, [4, 6, 8])
    columns = rows // 2
    y = TILE_Y * rows
    row = np.floor(y).astype(int)
    x = TILE_X * columns + (row % 2) * .5
    edge = np.minimum(*(np.minimum(f, 1 - f) * k for f, k in ((x - np.floor(x), 2), (y - row, 1))))
    edge = edge + (fractal_noise(rng, 8, 2) - .5) * .08
    shade = shade_of_cells(rng, rows, columns, row, np.floor(x).astype(int))
    grain = fractal_noise(rng, 8, 4)
    tone = .28 + .26 * shade + .24 * (grain - .5) + .9 * (lit(smoothstep(.04, .3, edge), 1.2) - FLAT)
    mortar = ramp(mix(colour(.62, .6, .56), base * .5, np.float32(.25)), .42 + .3 * (grain - .5))
    return mix(mortar * .85, ramp(base, tone), smoothstep(.06, .13, edge)[..., None])


def cobblestone(rng, base):
    count = pick(rng, [4, 5, 6])
    near, second, index = cells(rng, count)
    edge = second - near + (fractal_noise(rng, 8, 2) - .5) * .12
    shade = rng.random(count * count).astype(np.float32)[index]
    grain = fractal_noise(rng, 8, 4)
    tone = .3 + .26 * shade + .28 * (grain - .5) + 1.1 * (lit(smoothstep(.03, .6, edge), 1.6) - FLAT)
    return mix(ramp(base, np.full_like(edge, .1)), ramp(base, tone), smoothstep(.06, .2, edge)[..., None])


def tiles(rng, base):
    count = pick(rng, [2, 3, 4])
    x, y, column, row = grid_cells(count, count)
    edge = to_edge(x, y)
    shade = shade_of_cells(rng, count, count, row, column)
    pixel = count / SIZE
    grain = fractal_noise(rng, 4, 5)
    tone = .36 + .16 * shade + .26 * (grain - .5) + .7 * (lit(smoothstep(0, 6 * pixel, edge), 1.2) - FLAT)
    joint = smoothstep(1 * pixel, 2.2 * pixel, edge)[..., None]
    return mix(ramp(base, np.full_like(edge, .08)), ramp(base, tone), joint)


def planks(rng, base):
    count = pick(rng, [3, 4, 5])
    upright = rng.random() < .4
    y = TILE_Y * count
    row = np.floor(y).astype(int)
    inside = y - row
    offset = rng.random(count).astype(np.float32)[row % count]
    seam = np.abs(((TILE_X + offset) % 1) - .5)
    edge = np.minimum(np.minimum(inside, 1 - inside) / count * SIZE, seam * SIZE)
    shade = rng.random(count).astype(np.float32)[row % count]
    grain = fractal_noise(rng, 2, 4, .6, 1, 8)
    rings = np.sin((fractal_noise(rng, 2, 2, .5, 1, 2) * 5 + TILE_Y * count * 2) * 6.28 + offset * 20) * .5 + .5
    tone = (.3 + .22 * shade + .34 * (grain - .5) + .12 * (rings - .5) +
            .6 * (lit(smoothstep(0, 5, edge), 1.2) - FLAT))
    nail = np.minimum(*(np.hypot((seam - .045) * SIZE, (inside - at) / count * SIZE) for at in (.25, .75)))
    tone = tone - .35 * (1 - smoothstep(1.2, 2.4, nail))
    picture = mix(ramp(base, np.full_like(edge, .02)), ramp(base, tone), smoothstep(.8, 2.2, edge)[..., None])
    return picture.transpose(1, 0, 2) if upright else picture


def grass(rng, base):
    ground = .2 + .25 * fractal_noise(rng, 4, 3)
    blades = 260
    x = rng.random(blades) * SIZE
    y = np.sort(rng.random(blades)) * (SIZE + 12) - 2
    length = 6 + rng.random(blades) * 9
    lean = rng.normal(0, .35, blades)
    shade = rng.random(blades)
    # Drawn at twice the size, then averaged down.
    large = Image.fromarray((ground * 255).astype(np.uint8)).resize((2 * SIZE, 2 * SIZE))
    draw = ImageDraw.Draw(large)
    for i in range(blades):
        foot_x, foot_y = x[i] * 2, y[i] * 2
        tip_x, tip_y = foot_x + np.sin(lean[i]) * length[i] * 2, foot_y - np.cos(lean[i]) * length[i] * 2
        for shift in (-2 * SIZE, 0, 2 * SIZE):
            if -30 < foot_x + shift < 2 * SIZE + 30:
                draw.polygon([(foot_x + shift - 2.6, foot_y), (foot_x + shift + 2.6, foot_y), (tip_x + shift, tip_y)],
                             fill=int(255 * (.28 + .5 * shade[i])))
    return ramp(base, np.asarray(large.resize((SIZE, SIZE), Image.BOX), np.float32) / 255)


def dirt(rng, base):
    ground = fractal_noise(rng, 4, 5, .65)
    picture = ramp(base, .38 + .4 * (ground - .5) + .5 * (lit(ground, 2.5) - FLAT))
    near, _, index = cells(rng, 6, 1.)
    shade = rng.random(36).astype(np.float32)
    radius = ((.1 + .22 * shade) * (rng.random(36) < .6)).astype(np.float32)[index]
    pebble = 1 - smoothstep(radius - .08, radius + .02, near)
    height = np.sqrt(np.clip(1 - (near / np.maximum(radius, .01)) ** 2, 0, 1)) * .35
    stone = mix(base, colour(.55, .53, .5), np.float32(.55))
    tone = .35 + .2 * shade[index] + 1. * (lit(height, 2.) - FLAT)
    return mix(picture, ramp(stone, tone), (pebble * (radius > .05))[..., None])


def sand(rng, base):
    base = mix(base, colour(.86, .72, .46), np.float32(.45))
    bend = fractal_noise(rng, 2, 3)
    ripples = pick(rng, [6, 8, 10])
    wave = np.sin((TILE_Y * ripples + bend * 2.2 + TILE_X * pick(rng, [-1, 0, 1])) * TURN)
    grains = rng.random((SIZE, SIZE)).astype(np.float32)
    return ramp(base, .5 + .13 * wave + .1 * (fractal_noise(rng, 4, 4) - .5) + .08 * (grains - .5) - .08)


def lava(rng, base):
    near, second, _ = cells(rng, pick(rng, [3, 4, 5]))
    edge = second - near + (fractal_noise(rng, 4, 3) - .5) * .35
    crack = 1 - smoothstep(.02, .34, edge)
    grain = fractal_noise(rng, 8, 4)
    rock = ramp(colour(.2, .13, .12), .4 + .5 * (grain - .5) + .6 * (lit(grain, 2) - FLAT))
    hot = mix(base, colour(1, .93, .45), (smoothstep(.55, 1, crack) * .9)[..., None])
    glow = np.exp(-np.maximum(edge, 0) * 3.2)[..., None] * base * .45
    return np.clip(mix(rock + glow, hot, smoothstep(.12, .6, crack)[..., None]), 0, 1)


def water(rng, base):
    near, second, _ = cells(rng, pick(rng, [4, 5, 6]), 1.)
    edge = second - near + (fractal_noise(rng, 4, 2) - .5) * .25
    lines = (1 - smoothstep(0, .22, edge)) * .6
    return ramp(base, .3 + .25 * fractal_noise(rng, 2, 3) + .12 * near + lines * .6)


def ice(rng, base):
    cloud = fractal_noise(rng, 2, 4)
    near, second, index = cells(rng, 3, 1.)
    fine_near, fine_second, _ = cells(rng, 5, 1.)
    cracks = ((1 - smoothstep(.0, .06, second - near + (cloud - .5) * .05)) * .5 +
              (1 - smoothstep(0, .04, fine_second - fine_near)) * .22)
    shade = rng.random(9).astype(np.float32)[index]
    pale = mix(base, colour(.78, .92, 1.), np.float32(.55))
    return ramp(pale, .42 + .2 * (cloud - .5) + .16 * (shade - .5) + cracks + .1 * np.sin((TILE_X + TILE_Y) * 6.28))


def metal(rng, base):
    count = pick(rng, [1, 2, 2, 3])
    x, y, column, row = grid_cells(count, count)
    pixel = count / SIZE
    edge = to_edge(x, y)
    brushed = fractal_noise(rng, 1, 5, .8, 1, 16)
    shade = shade_of_cells(rng, count, count, row, column)
    tone = (.42 + .1 * shade + .16 * (brushed - .5) + .12 * (.5 - y) +
            .8 * (lit(smoothstep(1 * pixel, 4 * pixel, edge), .9) - FLAT))
    inset, radius = 9 * pixel, 4.2
    rivet = np.hypot(*(np.minimum(np.abs(f - inset), np.abs(1 - f - inset)) / pixel for f in (x, y)))
    dome = np.sqrt(np.clip(1 - (rivet / radius) ** 2, 0, 1))
    tone = np.where(rivet < radius, .42 + 1.1 * (lit(dome, 1.5) - FLAT),
                    tone - .22 * (1 - smoothstep(radius, radius + 2, rivet)))
    return ramp(base, tone * smoothstep(.3 * pixel, 1.6 * pixel, edge))


def marble(rng, base):
    cloud = fractal_noise(rng, 2, 5, .6)
    bands = pick(rng, [1, 2])
    vein = np.abs(np.sin((TILE_X * bands + TILE_Y * pick(rng, [1, 2]) + cloud * 1.6) * 3.1416 * 2))
    fine = 1 - np.abs(fractal_noise(rng, 4, 4) - .5) * 2
    return ramp(base, .6 - .5 * (1 - vein) ** 5 - .25 * smoothstep(.86, 1, fine) + .14 * (cloud - .5))


def checkerboard(rng, base):
    count = pick(rng, [4, 6, 8])
    x, y, column, row = grid_cells(count, count)
    edge = to_edge(x, y) / count * SIZE
    grain = fractal_noise(rng, 4, 4)
    other = colour(.93, .92, .88) if base.mean() < .62 else colour(.13, .13, .15)
    tone = (.5 + .2 * (grain - .5) + .25 * (.5 - x) * .6 + .5 * (lit(smoothstep(0, 4, edge), .8) - FLAT) -
            .25 * (1 - smoothstep(.4, 1.4, edge)))
    return np.where(((column + row) % 2)[..., None] > .5, ramp(base, tone), ramp(other, tone))


def roof_tiles(rng, base):
    count = pick(rng, [4, 5, 6])
    y = TILE_Y * count
    grain = fractal_noise(rng, 8, 3)
    drawn, tone = np.zeros((SIZE, SIZE), bool), np.full((SIZE, SIZE), .05, np.float32)
    for from_above in (True, False):  # the row above hangs its rounded ends over this one
        row = np.floor(y).astype(int) - from_above
        x = TILE_X * count + (row % 2) * .5
        across, down = x - np.floor(x) - .5, y - row
        rounded = np.hypot(across, (down - .95) / 1.1)
        inside = ((down < .95) | (rounded < .52)) & (down < 1.55)
        shades = np.random.default_rng(int(rng.integers(1 << 30)))
        shade = shade_of_cells(shades, count, count, row, np.floor(x).astype(int))
        edge = .52 - np.where(down > .95, rounded, np.abs(across))
        here = .36 + .24 * shade + .2 * (grain - .5) + .22 * (down - .7) - .3 * (1 - smoothstep(0, .09, edge))
        if not from_above:
            here = here - .22 * (1 - smoothstep(0, .3, down - .45))
        use = inside & ~drawn
        tone = np.where(use, here, tone)
        drawn |= use
    return ramp(base, tone)


def cloth(rng, base):
    x, y, column, row = grid_cells(*[pick(rng, [12, 16])] * 2)
    over = (column + row) % 2 > .5
    height = np.where(over, 1 - ((y - .5) * 2) ** 2, 1 - ((x - .5) * 2) ** 2)
    return ramp(base, .18 + .36 * height + .3 * (fractal_noise(rng, 4, 4) - .5))


@dataclasses.dataclass(frozen=True)
class Material:
    draw: Callable
    colours: tuple  # the first is the usual one
    names: tuple  # how captions call it


def _material(draw, colours: str, *names: str) -> Material:
    return Material(draw, tuple(colours.split()), names)


MATERIALS = {
    "brick": _material(brick, "red brown gray white orange blue purple green yellow black teal pink", "brick wall",
                       "bricks"),
    "cobble": _material(cobblestone, "gray brown blue green purple red black white teal", "stone floor", "cobblestone",
                        "stone wall"),
    "tiles": _material(tiles, "gray white blue green teal red brown black yellow pink purple", "tile floor", "square tiles"),
    "planks": _material(planks, "brown gray red blue green white black orange", "wooden planks", "wooden floor", "wood"),
    "grass": _material(grass, "green yellow teal blue purple", "grass"),
    "dirt": _material(dirt, "brown gray red black", "dirt", "dirt ground"),
    "sand": _material(sand, "yellow white orange red pink gray", "sand"),
    "lava": _material(lava, "orange red green blue purple", "lava"),
    "water": _material(water, "blue teal green purple", "water"),
    "ice": _material(ice, "blue teal white purple pink", "ice"),
    "metal": _material(metal, "gray blue brown green red gold black teal", "metal plate", "metal panel"),
    "marble": _material(marble, "white gray green black pink blue red", "marble"),
    "checker": _material(checkerboard, "black red blue green purple yellow pink teal brown", "checkered floor",
                         "checkerboard"),
    "roof": _material(roof_tiles, "red brown blue gray green orange purple teal", "roof tiles", "shingles"),
    "cloth": _material(cloth, "red blue purple green brown white yellow pink gray teal", "woven cloth", "fabric"),
}
WEATHERINGS = {
    "mossy": ("brick", "cobble", "tiles", "planks", "roof", "metal"),
    "cracked": ("brick", "tiles", "marble", "ice", "cobble", "dirt"),
    "snowy": ("brick", "cobble", "tiles", "planks", "grass", "roof", "dirt"),
}


def weathered(rng, picture, weathering: str):
    if weathering == "mossy":
        patches, detail = fractal_noise(rng, 3, 4, .6), fractal_noise(rng, 16, 3, .7)
        moss = smoothstep(.5, .62, patches + (detail - .5) * .25)
        return mix(picture, ramp(colour(.3, .52, .12), .2 + .55 * detail), (moss * .93)[..., None])
    if weathering == "snowy":
        patches, detail = fractal_noise(rng, 3, 4, .55), fractal_noise(rng, 8, 3)
        tone = .45 + .4 * (detail - .5) + .25 * smoothstep(.45, .7, patches)
        return mix(picture, ramp(colour(.86, .91, .97), tone), smoothstep(.45, .54, patches)[..., None])
    if weathering == "cracked":
        count = pick(rng, [2, 3])
        wobble = (fractal_noise(rng, 4, 4) - .5) * .3
        near, second, _ = cells(rng, count, 1.)
        edge = (second - near + wobble) * SIZE / count
        crack = (1 - smoothstep(.8, 3.2, np.abs(edge))) * .9
        return picture * (1 - crack[..., None] * .85)
    return picture


def draw_material(rng, name: str, colour_name: str, weathering: str = "") -> np.ndarray:
    picture = MATERIALS[name].draw(rng, varied(rng, colour_name))
    return np.clip(weathered(rng, picture, weathering), 0, 1).astype(np.float32)
