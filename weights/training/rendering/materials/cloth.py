"""Cloth, skins and printed patterns: (grid, base colour) -> picture that wraps around at all four sides."""

import numpy as np

from ..pixels import POINTS, colour, mix, ramp, smoothstep


def light_or_dark(base):
    """What a pattern is printed on: pale under dark colours, dark under pale ones."""
    return colour(.93, .91, .86) if base.mean() < .62 else colour(.16, .16, .2)


def weave(grid, count: int = 32):
    """Tone of fine threads, -0.5..0.5."""
    x, y, column, row = grid.squares(count, count)
    over = (column + row) % 2 > .5
    return np.where(over, 1 - ((y - .5) * 2) ** 2, 1 - ((x - .5) * 2) ** 2) - .5


def cloth(grid, base):
    return ramp(base, .36 + .36 * weave(grid, grid.pick([12, 16])) + .3 * (grid.noise(4, 4) - .5))


def knitted(grid, base):
    columns = grid.pick([6, 7, 8])
    rows = columns + 2
    x, _, _, _ = grid.squares(columns, 1)
    slant = np.abs(x - .5)
    y = grid.tile_y * rows + slant * 1.3
    inside = y - np.floor(y)
    across = np.minimum(slant, .5 - slant) * 4
    height = (1 - ((inside - .5) * 2) ** 2) * np.clip(across * 2.2, 0, 1)
    return ramp(base, .14 + .5 * height + .18 * (grid.noise(8, 3) - .5))


def plaid(grid, base):
    count = grid.pick([2, 3])
    x, y, _, _ = grid.squares(count, count)
    other = light_or_dark(base)
    wide = [(np.abs(axis - .5) < .26).astype(np.float32) for axis in (x, y)]
    thin = [(np.abs(axis - .04) < .03).astype(np.float32) for axis in (x, y)]
    covered = (wide[0] + wide[1]) / 2
    picture = mix(other + 0 * x[..., None], base, covered[..., None])
    picture = mix(picture, other * .8 + base * .2, (np.maximum(*thin) * .8)[..., None])
    return np.clip(picture * (1 + .14 * weave(grid, 64) + .1 * (grid.noise(4, 3) - .5))[..., None], 0, 1)


def stripes(grid, base):
    count = grid.pick([3, 4, 5, 6])
    direction = grid.pick([0, 1, 2])
    along = (grid.tile_x, grid.tile_y, grid.tile_x + grid.tile_y)[direction] * count
    distance = np.abs((along % 1) - .5) - .25
    tone = .5 + .16 * (grid.noise(4, 4) - .5)
    point = count / POINTS
    return mix(ramp(base, tone), ramp(light_or_dark(base), tone), smoothstep(-.6 * point, .6 * point, distance)[..., None])


def dots(grid, base):
    count = grid.pick([2, 3, 4])
    radius = .27
    distance = np.full(grid.x.shape, 9, np.float32)
    for shift in (0, .5):
        x, y = ((axis * count + shift) % 1 - .5 for axis in (grid.tile_x, grid.tile_y))
        distance = np.minimum(distance, np.hypot(x, y) - radius)
    tone = .5 + .14 * (grid.noise(4, 4) - .5)
    point = count / POINTS
    return mix(ramp(light_or_dark(base), tone), ramp(base, tone), smoothstep(-.7 * point, .7 * point, distance)[..., None])


def leather(grid, base):
    count = grid.pick([12, 14])
    near, second, _ = grid.cells(count, .9)
    crease = smoothstep(.0, .35, second - near + (grid.noise(16, 2) - .5) * .2)
    cloud = grid.noise(2, 3)
    x, y, _, _ = grid.squares(1, 1)
    seam = np.abs(y - .5) * POINTS
    stitch = (np.abs(np.abs(seam) - 5) < 1.1) & ((x * 16) % 1 < .6)
    tone = .26 + .2 * crease + .2 * (cloud - .5) + .3 * grid.lit(crease, .5) - .3 * (1 - smoothstep(.6, 1.8, seam))
    return np.where(stitch[..., None], ramp(base, np.full_like(tone, .85)), ramp(base, tone))


def scales(grid, base):
    count = grid.pick([6, 8])
    tone = np.full(grid.x.shape, .1, np.float32)
    y = grid.tile_y * count
    for above in (1, 0):  # every row lies over the one below it
        row = np.floor(y).astype(int) + above
        x = grid.tile_x * count + (row % 2) * .5
        across, down = x - np.floor(x) - .5, y - row + 1
        distance = np.hypot(across, down - .35) - .66
        inside = distance < 0
        shade = .15 * (np.cos(across * 5) - .5) - .35 * (down - .5)
        here = .5 + shade - .3 * (1 - smoothstep(0, .12, -distance)) + .25 * np.exp(-((across + .15) ** 2 + (down - .5) ** 2) * 25)
        tone = np.where(inside, here, tone)
    return ramp(base, tone + .12 * (grid.noise(4, 3) - .5))
