"""Materials that nature makes: (grid, base colour) -> picture that wraps around at all four sides."""

import numpy as np
from PIL import Image, ImageDraw

from ..pixels import POINTS, colour, mix, ramp, smoothstep

TURN = 6.2832


def blades(grid, count: int, ground, draw_blade):
    """A picture of tones with `count` shapes on it, drawn at twice the size, wrapping around at the sides."""
    size = 2 * grid.size
    large = Image.fromarray((ground * 255).astype(np.uint8)).resize((size, size))
    draw = ImageDraw.Draw(large)
    point = size / POINTS
    for i in range(count):
        corners, tone = draw_blade(i)
        for shift_x in (-POINTS, 0, POINTS):
            for shift_y in (-POINTS, 0, POINTS):
                placed = [((x + shift_x) * point, (y + shift_y) * point) for x, y in corners]
                draw.polygon(placed, fill=int(255 * tone))
    return np.asarray(large.resize((grid.size, grid.size), Image.BOX), np.float32) / 255


def grass(grid, base):
    count, rng = 420, grid.rng
    ground = .12 + .25 * grid.noise(4, 3)
    x, y = rng.random(count) * POINTS, np.sort(rng.random(count)) * POINTS
    length, lean, shade = 9 + rng.random(count) * 9, rng.normal(0, .3, count), rng.random(count)

    def blade(i):
        tip = x[i] + np.sin(lean[i]) * length[i], y[i] - np.cos(lean[i]) * length[i]
        return [(x[i] - 1.3, y[i]), (x[i] + 1.3, y[i]), tip], .22 + .55 * shade[i]

    return ramp(base, blades(grid, count, ground, blade))


def straw(grid, base):
    count, rng = 240, grid.rng
    x, y = rng.random((2, count)) * POINTS
    angle, length, shade = rng.normal(.5, .45, count), 14 + rng.random(count) * 16, rng.random(count)

    def stalk(i):
        along = np.array([np.cos(angle[i]), np.sin(angle[i])]) * length[i] / 2
        side = np.array([-along[1], along[0]]) / length[i] * 2.2
        middle = np.array([x[i], y[i]])
        return [middle + along + side, middle + along - side, middle - along - side, middle - along + side], .2 + .6 * shade[i]

    return ramp(base, blades(grid, count, np.full(grid.x.shape, .15), stalk))


def dirt(grid, base):
    ground = grid.noise(4, 5, .65)
    picture = ramp(base, .38 + .4 * (ground - .5) + .5 * grid.lit(ground, 2.5))
    near, _, index = grid.cells(6, 1.)
    shade = grid.rng.random(36).astype(np.float32)
    radius = ((.1 + .22 * shade) * (grid.rng.random(36) < .6)).astype(np.float32)[index]
    pebble = 1 - smoothstep(radius - .08, radius + .02, near)
    height = np.sqrt(np.clip(1 - (near / np.maximum(radius, .01)) ** 2, 0, 1)) * .35
    stone = mix(base, colour(.55, .53, .5), np.float32(.55))
    tone = .35 + .2 * shade[index] + 1. * grid.lit(height, 2.)
    return mix(picture, ramp(stone, tone), (pebble * (radius > .05))[..., None])


def gravel(grid, base):
    count = grid.pick([9, 11, 13])
    near, second, index = grid.cells(count, .95)
    edge = second - near
    shade = grid.rng.random(count * count).astype(np.float32)[index]
    tone = .2 + .5 * shade + .9 * grid.lit(smoothstep(0, .7, edge), 1.1) + .12 * (grid.noise(16, 2) - .5)
    return ramp(base, tone * smoothstep(-.05, .22, edge))


def sand(grid, base):
    base = mix(base, colour(.86, .72, .46), np.float32(.45))
    bend = grid.noise(2, 3)
    ripples = grid.pick([6, 8, 10])
    wave = np.sin((grid.tile_y * ripples + bend * 2.2 + grid.tile_x * grid.pick([-1, 0, 1])) * TURN)
    grains = grid.value_noise(POINTS)
    return ramp(base, .42 + .13 * wave + .1 * (grid.noise(4, 4) - .5) + .08 * (grains - .5))


def snow(grid, base):
    base = mix(base, colour(.92, .95, 1.), np.float32(.6))
    drifts = grid.noise(2, 3, .5)
    tone = .52 + .5 * grid.lit(drifts, 6) + .22 * (drifts - .5)
    sparkle = smoothstep(.8, .97, grid.value_noise(64))
    return np.clip(ramp(base, tone) + (.35 * sparkle)[..., None], 0, 1)


def lava(grid, base):
    near, second, _ = grid.cells(grid.pick([3, 4, 5]))
    edge = second - near + (grid.noise(4, 3) - .5) * .35
    crack = 1 - smoothstep(.02, .34, edge)
    grain = grid.noise(8, 4)
    rock = ramp(colour(.2, .13, .12), .4 + .5 * (grain - .5) + .6 * grid.lit(grain, 2))
    hot = mix(base, colour(1, .93, .45), (smoothstep(.55, 1, crack) * .9)[..., None])
    glow = np.exp(-np.maximum(edge, 0) * 3.2)[..., None] * base * .45
    return np.clip(mix(rock + glow, hot, smoothstep(.12, .6, crack)[..., None]), 0, 1)


def water(grid, base):
    near, second, _ = grid.cells(grid.pick([4, 5, 6]), 1.)
    edge = second - near + (grid.noise(4, 2) - .5) * .25
    lines = (1 - smoothstep(0, .22, edge)) * .6
    return ramp(base, .3 + .25 * grid.noise(2, 3) + .12 * near + lines * .6)


def ice(grid, base):
    cloud = grid.noise(2, 4)
    near, second, index = grid.cells(3, 1.)
    fine_near, fine_second, _ = grid.cells(5, 1.)
    cracks = ((1 - smoothstep(.0, .06, second - near + (cloud - .5) * .05)) * .5 +
              (1 - smoothstep(0, .04, fine_second - fine_near)) * .22)
    shade = grid.rng.random(9).astype(np.float32)[index]
    pale = mix(base, colour(.78, .92, 1.), np.float32(.55))
    sheen = .1 * np.sin((grid.tile_x + grid.tile_y) * TURN)
    return ramp(pale, .42 + .2 * (cloud - .5) + .16 * (shade - .5) + cracks + sheen)


def marble(grid, base):
    cloud = grid.noise(2, 4, .5)
    slant = grid.tile_x * grid.pick([1, 2]) + grid.tile_y * grid.pick([1, 2])
    vein = np.abs(np.sin((slant + cloud * 1.3) * TURN / 2))
    thin = np.abs(np.sin((slant * 2 + grid.noise(3, 3) * 1.6) * TURN / 2))
    tone = .62 - .5 * np.exp(-vein * 9) - .22 * np.exp(-thin * 14) + .16 * (cloud - .5)
    return ramp(base, tone)


def bark(grid, base):
    bend = (grid.noise(4, 3) - .5) * .35
    count = grid.pick([5, 6, 7])
    ridge = np.abs(np.sin((grid.tile_x * count + bend * 2.2 + .3 * np.sin(grid.tile_y * TURN * 2)) * TURN / 2))
    breaks = smoothstep(.72, .9, grid.noise(8, 2, .5, 1, 1))
    grain = grid.noise(4, 4, .6, 8, 1)
    height = smoothstep(.05, .6, ridge) * (1 - .6 * breaks)
    return ramp(base, .1 + .4 * height + .35 * (grain - .5) + .5 * grid.lit(height, .8))
