"""Four kinds of land at three times of day."""

import numpy as np

from .pixels import SIZE, TILE_Y, X, Y, colour, fractal_noise, mix, ramp
from .shapes import Canvas, circle, ellipse

TERRAINS = {
    "hills": ("green hills", "hills", "grassy hills"),
    "mountains": ("mountains", "snowy mountains"),
    "desert": ("a desert", "desert dunes"),
    "sea": ("the sea", "an ocean"),
}
TIMES = {
    "day": ("under a blue sky", "at noon", "on a sunny day"),
    "sunset": ("at sunset", "under an orange sky"),
    "night": ("at night", "under a starry sky"),
}
SKY = {
    "day": (colour(.25, .55, .95), colour(.75, .9, 1.)),
    "sunset": (colour(.35, .2, .5), colour(1., .6, .25)),
    "night": (colour(.03, .04, .13), colour(.12, .15, .35)),
}
BRIGHTNESS = {"day": 1., "sunset": .72, "night": .34}
TINT = {"day": colour(1, 1, 1), "sunset": colour(1.15, .8, .75), "night": colour(.7, .8, 1.25)}
# Far, middle and near ridge.
RIDGES = {
    "hills": ((.45, .68, .42), (.3, .6, .24), (.2, .5, .15)),
    "mountains": ((.55, .6, .7), (.42, .46, .55), (.25, .4, .22)),
    "desert": ((.9, .72, .45), (.88, .64, .32), (.8, .54, .24)),
}


def draw_night_sky(canvas, rng, sun_x):
    for _ in range(45):
        x, y = rng.uniform(-1, 1), rng.uniform(-1, .3)
        canvas.paint(circle(X - x, Y - y, rng.uniform(.008, .02)), colour(.95, .95, 1), 1, .9)
    moon = circle(X - sun_x, Y + .6, .15)
    canvas.picture = canvas.picture + .22 * np.exp(-np.maximum(moon, 0) * 6)[..., None]
    canvas.paint(moon, colour(.95, .94, .84), 1)
    canvas.paint(circle(X - sun_x - .04, Y + .57, .045), colour(.8, .8, .72), 1)


def draw_bright_sky(canvas, rng, sun_x, horizon, time):
    is_day = time == "day"
    light = colour(1, .95, .6) if is_day else colour(1, .85, .35)
    sun = circle(X - sun_x, Y - (-.58 if is_day else horizon - .18), .16 if is_day else .22)
    glow = light * .4 * np.exp(-np.maximum(sun, 0) * 4)[..., None]
    canvas.picture = np.clip(canvas.picture + glow, 0, 1)
    canvas.paint(sun, light, 1)
    if not is_day:
        return
    for _ in range(rng.integers(1, 4)):
        x, y = rng.uniform(-.9, .9), rng.uniform(-.8, -.2)
        puffs = ((0, 0, .26, .08), (-.1, -.05, .12, .1), (.08, -.07, .13, .12))
        cloud = np.minimum.reduce([ellipse(X - x - dx, Y - y - dy, width, height) for dx, dy, width, height in puffs])
        canvas.paint(cloud, colour(1, 1, 1), 1, .92)


def draw_sea(canvas, rng, sun_x, horizon, time):
    depth = Y - horizon
    waves = np.sin(np.sqrt(np.clip(depth, 0, 2) + .02) * 55 + fractal_noise(rng, 4, 3) * 7)
    base = np.clip(colour(.08, .36, .68) * BRIGHTNESS[time] * TINT[time], 0, 1)
    reflection = np.exp(-((X - sun_x) / .22) ** 2) * (.25 if time == "day" else .5)
    light = colour(.7, .75, .8) if time == "night" else colour(1, .8, .45)
    water = ramp(base, .4 + .16 * waves - .12 * depth) + (reflection * (.5 + .5 * waves))[..., None] * light
    canvas.paint(-depth, np.clip(water, 0, 1), 1)


def rolling_line(rng, bumps: int, height: float):
    values = rng.random(bumps + 3)
    position = np.linspace(0, bumps, SIZE)
    left = position.astype(int)
    part = position - left
    part = part * part * (3 - 2 * part)
    return ((values[left] * (1 - part) + values[left + 1] * part) - .5) * 2 * height


def peaks(rng, ridge: int):
    """Heights of a mountain range over the columns."""
    tops = np.sort(rng.uniform(-1.1, 1.1, 4 - ridge))
    heights = rng.uniform(.35, .75, len(tops)) * (1 if ridge == 0 else .7)
    profile = np.max([height - np.abs(X[0] - top) * rng.uniform(.9, 1.3) for top, height in zip(tops, heights)], 0)
    return np.maximum(profile, 0) + (fractal_noise(rng, 8, 2)[0] - .5) * .06


def draw_ridge(canvas, rng, terrain, time, horizon, ridge):
    level = horizon + (.0, .28, .58)[ridge]
    rocky = terrain == "mountains" and ridge < 2
    top = level - (peaks(rng, ridge) if rocky else rolling_line(rng, (3, 3, 2)[ridge], (.16, .14, .1)[ridge]))
    distance = top[None] - Y
    base = np.clip(colour(*RIDGES[terrain][ridge]) * BRIGHTNESS[time] * TINT[time], 0, 1)
    grain = fractal_noise(rng, 8, 3)
    slope = np.gradient(top)[None] * SIZE / 2
    tone = .5 + .28 * (grain - .5) - .2 * np.clip(Y - top[None], 0, 1) + np.clip(-slope * .2, -.18, .18) * -1
    canvas.paint(distance, ramp(base, tone), 1)
    if rocky:
        snow = np.maximum(distance, (Y - (top.min() + .22)) + (grain - .5) * .25)
        white = ramp(colour(.92, .95, 1.), .5 + np.clip(slope * .3, -.3, .2)) * max(BRIGHTNESS[time], .45)
        canvas.paint(snow, np.clip(white * mix(colour(1, 1, 1), TINT[time], np.float32(.6)), 0, 1), 1)


def draw_landscape(rng, terrain: str, time: str) -> np.ndarray:
    upper, lower = SKY[time]
    sky = mix(upper, lower, np.clip(TILE_Y[..., None] * 1.7, 0, 1)) + np.zeros((SIZE, SIZE, 3), np.float32)
    sun_x, horizon = rng.uniform(-.65, .65), rng.uniform(.0, .2)
    canvas = Canvas(sky.astype(np.float32))
    if time == "night":
        draw_night_sky(canvas, rng, sun_x)
    else:
        draw_bright_sky(canvas, rng, sun_x, horizon, time)
    if terrain == "sea":
        draw_sea(canvas, rng, sun_x, horizon, time)
    else:
        for ridge in range(3):
            draw_ridge(canvas, rng, terrain, time, horizon, ridge)
    return np.clip(canvas.picture, 0, 1)
