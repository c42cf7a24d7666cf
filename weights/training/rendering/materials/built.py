"""Materials that people lay: (grid, base colour) -> picture that wraps around at all four sides."""

import numpy as np

from ..pixels import POINTS, colour, mix, ramp, smoothstep, to_edge


def brick(grid, base):
    rows = grid.pick([4, 6, 8])
    columns = rows // 2
    y = grid.tile_y * rows
    row = np.floor(y).astype(int)
    x = grid.tile_x * columns + (row % 2) * .5
    edge = np.minimum(*(np.minimum(f, 1 - f) * k for f, k in ((x - np.floor(x), 2), (y - row, 1))))
    edge = edge + (grid.noise(8, 2) - .5) * .08
    shade = grid.shades(rows, columns, row, np.floor(x).astype(int))
    grain = grid.noise(8, 4)
    tone = .28 + .26 * shade + .24 * (grain - .5) + .9 * grid.lit(smoothstep(.04, .3, edge), 1.2)
    mortar = ramp(mix(colour(.62, .6, .56), base * .5, np.float32(.25)), .42 + .3 * (grain - .5))
    return mix(mortar * .85, ramp(base, tone), smoothstep(.06, .13, edge)[..., None])


def cobblestone(grid, base):
    count = grid.pick([4, 5, 6])
    near, second, index = grid.cells(count)
    edge = second - near + (grid.noise(8, 2) - .5) * .12
    shade = grid.rng.random(count * count).astype(np.float32)[index]
    grain = grid.noise(8, 4)
    tone = .3 + .26 * shade + .28 * (grain - .5) + 1.1 * grid.lit(smoothstep(.03, .6, edge), 1.6)
    return mix(ramp(base, np.full_like(edge, .1)), ramp(base, tone), smoothstep(.06, .2, edge)[..., None])


def tiles(grid, base):
    count = grid.pick([2, 3, 4])
    x, y, column, row = grid.squares(count, count)
    edge = to_edge(x, y)
    shade = grid.shades(count, count, row, column)
    point = count / POINTS
    grain = grid.noise(4, 5)
    tone = .36 + .16 * shade + .26 * (grain - .5) + .7 * grid.lit(smoothstep(0, 6 * point, edge), 1.2)
    joint = smoothstep(1 * point, 2.2 * point, edge)[..., None]
    return mix(ramp(base, np.full_like(edge, .08)), ramp(base, tone), joint)


def planks(grid, base):
    count = grid.pick([3, 4, 5])
    upright = grid.rng.random() < .4
    y = grid.tile_y * count
    row = np.floor(y).astype(int)
    inside = y - row
    offset = grid.rng.random(count).astype(np.float32)[row % count]
    seam = np.abs(((grid.tile_x + offset) % 1) - .5)
    edge = np.minimum(np.minimum(inside, 1 - inside) / count, seam) * POINTS
    shade = grid.rng.random(count).astype(np.float32)[row % count]
    grain = grid.noise(2, 4, .6, 1, 8)
    rings = np.sin((grid.noise(2, 2, .5, 1, 2) * 5 + y * 2) * 6.28 + offset * 20) * .5 + .5
    tone = .3 + .22 * shade + .34 * (grain - .5) + .12 * (rings - .5) + .6 * grid.lit(smoothstep(0, 5, edge), 1.2)
    nail = np.minimum(*(np.hypot(seam - .045, (inside - at) / count) for at in (.25, .75))) * POINTS
    tone = tone - .35 * (1 - smoothstep(1.2, 2.4, nail))
    picture = mix(ramp(base, np.full_like(edge, .02)), ramp(base, tone), smoothstep(.8, 2.2, edge)[..., None])
    return picture.transpose(1, 0, 2) if upright else picture


def metal(grid, base):
    count = grid.pick([1, 2, 2, 3])
    x, y, column, row = grid.squares(count, count)
    point = count / POINTS
    edge = to_edge(x, y)
    brushed = grid.noise(1, 5, .8, 1, 16)
    shade = grid.shades(count, count, row, column)
    tone = (.42 + .1 * shade + .16 * (brushed - .5) + .12 * (.5 - y) +
            .8 * grid.lit(smoothstep(1 * point, 4 * point, edge), .9))
    inset, radius = 9 * point, 4.2
    rivet = np.hypot(*(np.minimum(np.abs(f - inset), np.abs(1 - f - inset)) / point for f in (x, y)))
    dome = np.sqrt(np.clip(1 - (rivet / radius) ** 2, 0, 1))
    tone = np.where(rivet < radius, .42 + 1.1 * grid.lit(dome, 1.5),
                    tone - .22 * (1 - smoothstep(radius, radius + 2, rivet)))
    return ramp(base, tone * smoothstep(.3 * point, 1.6 * point, edge))


def checkerboard(grid, base):
    count = grid.pick([4, 6, 8])
    x, y, column, row = grid.squares(count, count)
    edge = to_edge(x, y) / count * POINTS
    grain = grid.noise(4, 4)
    other = colour(.93, .92, .88) if base.mean() < .62 else colour(.13, .13, .15)
    tone = (.5 + .2 * (grain - .5) + .15 * (.5 - x) + .5 * grid.lit(smoothstep(0, 4, edge), .8) -
            .25 * (1 - smoothstep(.4, 1.4, edge)))
    return np.where(((column + row) % 2)[..., None] > .5, ramp(base, tone), ramp(other, tone))


def roof_tiles(grid, base):
    count = grid.pick([4, 6])  # an odd number of rows would not wrap
    y = grid.tile_y * count
    grain = grid.noise(8, 3)
    drawn, tone = np.zeros(y.shape, bool), np.full(y.shape, .05, np.float32)
    for from_above in (True, False):  # the row above hangs its rounded ends over this one
        row = np.floor(y).astype(int) - from_above
        x = grid.tile_x * count + (row % 2) * .5
        across, down = x - np.floor(x) - .5, y - row
        rounded = np.hypot(across, (down - .95) / 1.1)
        inside = ((down < .95) | (rounded < .52)) & (down < 1.55)
        edge = .52 - np.where(down > .95, rounded, np.abs(across))
        shade = np.random.default_rng(count).random((count, count)).astype(np.float32)
        here = (.36 + .24 * shade[row % count, np.floor(x).astype(int) % count] + .2 * (grain - .5) + .22 * (down - .7) -
                .3 * (1 - smoothstep(0, .09, edge)))
        if not from_above:
            here = here - .22 * (1 - smoothstep(0, .3, down - .45))
        tone = np.where(inside & ~drawn, here, tone)
        drawn |= inside
    return ramp(base, tone)


def mosaic(grid, base):
    count = grid.pick([7, 8, 9])
    near, second, index = grid.cells(count, .6)
    edge = second - near
    shade = grid.rng.random(count * count).astype(np.float32)[index]
    pale = grid.rng.random(count * count)[index] < .25
    tone = .3 + .45 * shade + .8 * grid.lit(smoothstep(.1, .3, edge), .5)
    chips = np.where(pale[..., None], ramp(colour(.9, .86, .76), tone), ramp(base, tone))
    return mix(colour(.82, .8, .74) + 0 * chips, chips, smoothstep(.1, .2, edge)[..., None])


def honeycomb(grid, base):
    columns = grid.pick([4, 5, 6])
    rows = 2 * round(columns / 1.732)  # even, nearly those of regular hexagons
    points = np.array([((column + .5 * (row % 2) + .25) / columns, (row + .5) / rows)
                       for row in range(rows) for column in range(columns)], np.float32)
    near, second, index = grid.nearest(points, columns)
    edge = second - near
    shade = grid.rng.random(len(points)).astype(np.float32)[index]
    tone = .18 + .3 * shade + .35 * near + .12 * (grid.noise(8, 3) - .5)
    wall = ramp(base, .74 + .2 * (.5 - edge * 3))
    return mix(wall, ramp(base, tone), smoothstep(.16, .3, edge)[..., None])


def bamboo(grid, base):
    count = grid.pick([5, 6, 8])
    x, _, column, _ = grid.squares(count, 1)
    offset = grid.rng.random(count).astype(np.float32)[column % count]
    shade = grid.rng.random(count).astype(np.float32)[column % count]
    along = (grid.tile_y * 2 + offset * 2) % 1
    knot = np.minimum(along, 1 - along) / 2 * POINTS
    rounded = 1 - ((x - .42) * 2.1) ** 2
    fibres = grid.noise(4, 3, .6, 8, 1)
    tone = .12 + .42 * rounded + .16 * shade + .14 * (fibres - .5)
    tone = tone - .38 * (1 - smoothstep(.6, 1.8, knot)) + .18 * smoothstep(1.5, 2.5, knot) * (1 - smoothstep(3, 5, knot))
    return ramp(base, tone * smoothstep(0, .1, np.minimum(x, 1 - x)))
