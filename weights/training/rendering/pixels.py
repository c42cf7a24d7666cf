"""What every picture is made of: the pixel grid, colours, ramps, noise, light, and cells.

Pictures are float32 [SIZE, SIZE, 3] in 0..1. X and Y run from -1 to 1, TILE_X and TILE_Y from 0 to 1. Everything drawn
from TILE_X and TILE_Y here wraps around, so that materials tile without a seam.
"""

import numpy as np
from PIL import Image

SIZE = 128

_rows, _columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
X = (_columns + .5) / SIZE * 2 - 1
Y = (_rows + .5) / SIZE * 2 - 1
TILE_X = (_columns + .5) / SIZE
TILE_Y = (_rows + .5) / SIZE

RGB = {
    "red": (.82, .13, .12), "orange": (.95, .5, .1), "yellow": (.96, .83, .18), "green": (.2, .62, .18),
    "blue": (.14, .34, .88), "purple": (.5, .18, .72), "pink": (.96, .52, .72), "brown": (.47, .29, .15),
    "white": (.94, .94, .93), "gray": (.52, .52, .54), "black": (.11, .11, .13), "teal": (.1, .68, .66),
    "gold": (.95, .73, .2), "silver": (.76, .79, .84),
}
COLOURS = [name for name in RGB if name not in ("gold", "silver")]


def colour(*channels: float) -> np.ndarray:
    return np.array(channels, np.float32)


def varied(rng: np.random.Generator, name: str, amount: float = .05) -> np.ndarray:
    """The named colour, shifted a little in hue and in brightness."""
    hue = rng.normal(0, amount * .6, 3).astype(np.float32)
    brightness = np.float32(rng.normal(0, amount * .6))
    return np.clip(colour(*RGB[name]) + hue + brightness, .03, .98)


def smoothstep(low, high, x):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a, b, t):
    return a + (b - a) * t


def ramp(base: np.ndarray, tone) -> np.ndarray:
    """Dark, base, light as tone goes 0, 0.5, 1: shadows turn to blue, lights to warm. tone [H, W] -> [H, W, 3]."""
    tone = np.clip(tone, 0, 1)[..., None]
    dark = base * colour(.28, .26, .38)
    light = base + (colour(1, .98, .9) - base) * .6
    return np.where(tone < .5, mix(dark, base, tone * 2), mix(base, light, tone * 2 - 1)).astype(np.float32)


def value_noise(rng: np.random.Generator, columns: int, rows: int = 0) -> np.ndarray:
    """Smooth noise in 0..1 from a wrapping grid of random values."""
    rows = rows or columns
    grid = np.pad(rng.random((rows, columns)).astype(np.float32), 2, mode="wrap")
    picture = Image.fromarray(grid).resize((SIZE, SIZE), Image.BICUBIC, box=(2, 2, 2 + columns, 2 + rows))
    return np.asarray(picture)


def fractal_noise(rng, cells: int = 4, octaves: int = 4, gain: float = .55, stretch_x: int = 1, stretch_y: int = 1):
    """A sum of value noises, each octave twice as fine; contrast is raised, range 0..1."""
    total, weight, weights = np.zeros((SIZE, SIZE), np.float32), 1, 0
    for octave in range(octaves):
        finer = 2 ** octave
        total += weight * value_noise(rng, min(cells * stretch_x * finer, SIZE), min(cells * stretch_y * finer, SIZE))
        weights += weight
        weight *= gain
    total /= weights
    return np.clip((total - .5) * 1.7 + .5, 0, 1)


def lit(height: np.ndarray, steepness: float) -> np.ndarray:
    """How much light from the upper left falls on a wrapping height map; flat ground gives .55."""
    slope_x = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * steepness
    slope_y = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * steepness
    return (slope_x * -.55 + slope_y * -.65 + .55) / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)


def cells(rng: np.random.Generator, count: int, jitter: float = .85) -> tuple:
    """A wrapping Voronoi diagram of count x count points: distance to the nearest, to the second, index of the nearest."""
    grid = np.arange(count)
    columns, rows = np.meshgrid(grid, grid)
    offsets = jitter * (rng.random((count, count)) - .5), jitter * (rng.random((count, count)) - .5)
    points = np.stack([(columns + .5 + offsets[0]) / count, (rows + .5 + offsets[1]) / count], -1)
    points = points.reshape(-1, 2).astype(np.float32)
    distance_x = np.abs(TILE_X[..., None] - points[:, 0])
    distance_y = np.abs(TILE_Y[..., None] - points[:, 1])
    distance_x = np.minimum(distance_x, 1 - distance_x)
    distance_y = np.minimum(distance_y, 1 - distance_y)
    distance = np.sqrt(distance_x * distance_x + distance_y * distance_y)
    two = np.partition(distance, 1, -1)
    return two[..., 0] * count, two[..., 1] * count, distance.argmin(-1)


def grid_cells(count_x: float, count_y: float) -> tuple:
    """A regular grid: position inside the cell (x, y in 0..1) and the cell's column and row."""
    u, v = TILE_X * count_x, TILE_Y * count_y
    column, row = np.floor(u), np.floor(v)
    return u - column, v - row, column.astype(int), row.astype(int)


def to_edge(x, y):
    """Distance to the nearest side of the unit square."""
    return np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
