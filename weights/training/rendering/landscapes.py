"""Six kinds of land at four times of day and weathers."""

import numpy as np

from .pixels import Grid, colour, mix, ramp
from .shapes import Canvas, box, circle, ellipse, polygon, union

TERRAINS = {
    "hills": ("green hills", "hills", "grassy hills"),
    "mountains": ("mountains", "snowy mountains"),
    "desert": ("a desert", "desert dunes"),
    "sea": ("the sea", "an ocean"),
    "forest": ("a forest", "a pine forest", "woods"),
    "city": ("a city", "a city skyline"),
}
TIMES = {
    "day": ("under a blue sky", "at noon", "on a sunny day"),
    "sunset": ("at sunset", "under an orange sky"),
    "night": ("at night", "under a starry sky"),
    "fog": ("in fog", "on a foggy day"),
}
SKY = {
    "day": (colour(.25, .55, .95), colour(.75, .9, 1.)),
    "sunset": (colour(.35, .2, .5), colour(1., .6, .25)),
    "night": (colour(.03, .04, .13), colour(.12, .15, .35)),
    "fog": (colour(.7, .73, .76), colour(.82, .84, .85)),
}
BRIGHTNESS = {"day": 1., "sunset": .72, "night": .34, "fog": .85}
TINT = {"day": colour(1, 1, 1), "sunset": colour(1.15, .8, .75), "night": colour(.7, .8, 1.25), "fog": colour(1, 1, 1)}
# Far, middle and near ridge.
RIDGES = {
    "hills": ((.45, .68, .42), (.3, .6, .24), (.2, .5, .15)),
    "mountains": ((.55, .6, .7), (.42, .46, .55), (.25, .4, .22)),
    "desert": ((.9, .72, .45), (.88, .64, .32), (.8, .54, .24)),
    "forest": ((.3, .5, .36), (.16, .4, .22), (.1, .3, .13)),
    "city": ((.55, .58, .66), (.4, .42, .52), (.26, .27, .36)),
}
FOG = (.78, .6, .35)  # how much of it lies over each ridge
POINTS_OF_LINE = 128


def draw_night_sky(canvas, x, y, sun_x):
    rng = canvas.rng
    for _ in range(45):
        star_x, star_y = rng.uniform(-1, 1), rng.uniform(-1, .3)
        canvas.paint(circle(x - star_x, y - star_y, rng.uniform(.008, .02)), colour(.95, .95, 1), opacity=.9)
    moon = circle(x - sun_x, y + .6, .15)
    canvas.glow(moon, colour(1, 1, 1), .22, 6)
    canvas.paint(moon, colour(.95, .94, .84))
    canvas.paint(circle(x - sun_x - .04, y + .57, .045), colour(.8, .8, .72))


def draw_bright_sky(canvas, x, y, sun_x, horizon, time):
    is_day, rng = time == "day", canvas.rng
    light = colour(1, .95, .6) if is_day else colour(1, .85, .35)
    sun = circle(x - sun_x, y - (-.58 if is_day else horizon - .18), .16 if is_day else .22)
    canvas.glow(sun, light, .4, 4)
    canvas.paint(sun, light)
    if not is_day:
        return
    for _ in range(rng.integers(1, 4)):
        cloud_x, cloud_y = rng.uniform(-.9, .9), rng.uniform(-.8, -.2)
        puffs = ((0, 0, .26, .08), (-.1, -.05, .12, .1), (.08, -.07, .13, .12))
        cloud = union(*(ellipse(x - cloud_x - dx, y - cloud_y - dy, width, height) for dx, dy, width, height in puffs))
        canvas.paint(cloud, colour(1, 1, 1), opacity=.92)


def shaded(rgb, time, ridge: int = 2):
    """A colour in the light of the time; fog lies over far things."""
    lit = np.clip(rgb * BRIGHTNESS[time] * TINT[time], 0, 1)
    return mix(lit, SKY["fog"][1], np.float32(FOG[ridge])) if time == "fog" else lit


def draw_sea(canvas, x, y, sun_x, horizon, time):
    depth = y - horizon
    waves = np.sin(np.sqrt(np.clip(depth, 0, 2) + .02) * 55 + canvas.grid.noise(4, 3) * 7)
    reflection = np.exp(-((x - sun_x) / .22) ** 2) * {"day": .25, "fog": 0}.get(time, .5)
    light = colour(.7, .75, .8) if time == "night" else colour(1, .8, .45)
    water = ramp(shaded(colour(.08, .36, .68), time), .4 + .16 * waves - .12 * depth)
    canvas.paint(-depth, np.clip(water + (reflection * (.5 + .5 * waves))[..., None] * light, 0, 1))


def across(canvas, values) -> np.ndarray:
    """Values at equal steps over the picture's width, for every column."""
    return np.interp(canvas.grid.tile_x[0], np.linspace(0, 1, len(values)), values).astype(np.float32)


def rolling_line(rng, bumps: int, height: float):
    values = rng.random(bumps + 3)
    position = np.linspace(0, bumps, POINTS_OF_LINE)
    left = position.astype(int)
    part = position - left
    part = part * part * (3 - 2 * part)
    return ((values[left] * (1 - part) + values[left + 1] * part) - .5) * 2 * height


def peaks(rng, ridge: int):
    """Heights of a mountain range over the columns."""
    x = np.linspace(-1, 1, POINTS_OF_LINE)
    tops = np.sort(rng.uniform(-1.1, 1.1, 4 - ridge))
    heights = rng.uniform(.35, .75, len(tops)) * (1 if ridge == 0 else .7)
    profile = np.max([height - np.abs(x - top) * rng.uniform(.9, 1.3) for top, height in zip(tops, heights)], 0)
    crags = np.interp(x, np.linspace(-1, 1, 25), rng.random(25) - .5)
    return np.maximum(profile, 0) + crags * .09


def draw_ridge(canvas, y, terrain, time, horizon, ridge):
    level = horizon + (.0, .28, .58)[ridge]
    rocky = terrain == "mountains" and ridge < 2
    line = peaks(canvas.rng, ridge) if rocky else rolling_line(canvas.rng, (3, 3, 2)[ridge], (.16, .14, .1)[ridge])
    top = level - across(canvas, line)[None]
    base, grain = shaded(colour(*RIDGES[terrain][ridge]), time, ridge), canvas.grid.noise(8, 3)
    slope = np.gradient(top[0])[None] * canvas.grid.size / 2
    tone = .5 + .28 * (grain - .5) - .2 * np.clip(y - top, 0, 1) + np.clip(slope * .2, -.18, .18)
    canvas.paint(top - y, base, tone)
    if rocky:
        snow = np.maximum(top - y, (y - (top.min() + .22)) + (grain - .5) * .25)
        white = ramp(shaded(colour(.92, .95, 1.), time, ridge) + .1, .5 + np.clip(slope * .3, -.3, .2))
        canvas.paint(snow, np.clip(white, 0, 1))


def draw_trees(canvas, x, y, time, horizon, ridge):
    """A row of firs; nearer rows are larger."""
    height, rng = (.34, .5, .72)[ridge], canvas.rng
    foot = horizon + (.22, .5, .95)[ridge]
    base = shaded(colour(*RIDGES["forest"][ridge]), time, ridge)
    canvas.paint(foot - .08 - y, base, .4)
    for place in np.linspace(-1.1, 1.1, (15, 10, 6)[ridge]) + rng.normal(0, .03, (15, 10, 6)[ridge]):
        tall = height * rng.uniform(.75, 1.2)
        u, v = (x - place) / tall, (y - foot) / tall
        layers = [polygon(u, v, [(-width, bottom), (0, bottom - .5), (width, bottom)])
                  for width, bottom in ((.34, .02), (.27, -.24), (.19, -.5))]
        canvas.paint(union(*layers) * tall, base, .58 - .7 * u + .1 * rng.normal() - .2 * v - .1)


def draw_houses(canvas, x, y, time, horizon, ridge):
    """A row of towers with windows, lit in the evening."""
    rng, width = canvas.rng, (.11, .15, .2)[ridge]
    base = shaded(colour(*RIDGES["city"][ridge]), time, ridge)
    window = {"day": colour(.75, .88, .95), "fog": colour(.72, .76, .8)}.get(time, colour(1, .85, .4))
    place = -1.1
    while place < 1.1:
        half = width * rng.uniform(.7, 1.1)
        top = horizon + (.2, .45, .75)[ridge] - rng.uniform(.35, 1.) * (1.05, .95, .8)[ridge]
        tower = box(x - place - half, y - (top + 1.2), half * .96, 1.2)
        canvas.paint(tower, base, .52 - .25 * (x - place - half) / half + .06 * rng.normal())
        u, v = (x - place - half) / half * 2, (y - top) / .11
        lit = rng.random((24, 4)) < .6
        row, column = np.clip(v.astype(int), 0, 23), np.clip(np.floor(u + 2).astype(int), 0, 3)
        pane = box((u + 2) % 1 - .5, v % 1 - .55, .27, .27) * .07
        canvas.paint(np.maximum(np.maximum(pane, tower + .02), np.where(lit[row, column] & (v > .1), -1., 1.)), window,
                     opacity=(.45, .65, .85)[ridge])
        place += 2 * half


def draw_landscape(grid: Grid, terrain: str, time: str) -> np.ndarray:
    x, y, rng = grid.x, grid.y, grid.rng
    upper, lower = SKY[time]
    sky = mix(upper, lower, np.clip(grid.tile_y[..., None] * 1.7, 0, 1)) + np.zeros((grid.size, grid.size, 3), np.float32)
    sun_x, horizon = rng.uniform(-.65, .65), rng.uniform(.0, .2)
    canvas = Canvas(grid, sky)
    if time == "night":
        draw_night_sky(canvas, x, y, sun_x)
    elif time != "fog":
        draw_bright_sky(canvas, x, y, sun_x, horizon, time)
    if terrain == "sea":
        draw_sea(canvas, x, y, sun_x, horizon, time)
    for ridge in range(3 if terrain != "sea" else 0):
        if terrain == "forest":
            draw_trees(canvas, x, y, time, horizon, ridge)
        elif terrain == "city":
            draw_houses(canvas, x, y, time, horizon, ridge)
        else:
            draw_ridge(canvas, y, terrain, time, horizon, ridge)
    return np.clip(canvas.picture, 0, 1)
