"""What every picture is made of: colours, ramps, and the grid of pixels with its noise, light and cells.

Pictures are float32 [size, size, 3] in 0..1. How often the random generator is asked does not depend on the size, so a
seed gives the same scene at any size. Lengths called points are 1/128 of the picture.
"""

import functools

import numpy as np
from PIL import Image

POINTS = 128  # a picture is so many points wide, whatever its size in pixels

RGB = {
    "red": (.82, .13, .12), "orange": (.95, .5, .1), "yellow": (.96, .83, .18), "green": (.2, .62, .18),
    "blue": (.14, .34, .88), "purple": (.5, .18, .72), "pink": (.96, .52, .72), "brown": (.47, .29, .15),
    "white": (.94, .94, .93), "gray": (.52, .52, .54), "black": (.11, .11, .13), "teal": (.1, .68, .66),
    "gold": (.95, .73, .2), "silver": (.76, .79, .84),
}
COLOURS = [name for name in RGB if name not in ("gold", "silver")]
FLAT = .55  # how much light falls on flat ground


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
    tone = np.clip(np.asarray(tone, np.float32), 0, 1)[..., None]
    dark = base * colour(.28, .26, .38)
    light = base + (colour(1, .98, .9) - base) * .6
    return np.where(tone < .5, mix(dark, base, tone * 2), mix(base, light, tone * 2 - 1)).astype(np.float32)


def luminance(picture: np.ndarray) -> np.ndarray:
    return picture @ colour(.3, .59, .11)


@functools.lru_cache(4)
def _axes(size: int) -> tuple:
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    return (columns + .5) / size, (rows + .5) / size


class Grid:
    """The pixels of a square picture, and the generator that decides about it.

    x and y run from -1 to 1, tile_x and tile_y from 0 to 1. Everything made from the latter wraps around at the sides.
    """

    def __init__(self, size: int, rng: np.random.Generator):
        self.size, self.rng = size, rng
        self.tile_x, self.tile_y = _axes(size)
        self.x, self.y = self.tile_x * 2 - 1, self.tile_y * 2 - 1

    def pick(self, values) -> int:
        return int(self.rng.choice(values))

    def value_noise(self, columns: int, rows: int = 0) -> np.ndarray:
        """Smooth noise in 0..1 from a wrapping grid of random values."""
        rows = rows or columns
        values = np.pad(self.rng.random((rows, columns)).astype(np.float32), 2, mode="wrap")
        box = (2, 2, 2 + columns, 2 + rows)
        return np.asarray(Image.fromarray(values).resize((self.size, self.size), Image.BICUBIC, box=box))

    def noise(self, cells: int = 4, octaves: int = 4, gain: float = .55, stretch_x: int = 1, stretch_y: int = 1):
        """A sum of value noises, each octave twice as fine; contrast is raised, range 0..1."""
        total, weight, weights = np.zeros((self.size, self.size), np.float32), 1, 0
        for octave in range(octaves):
            columns, rows = (min(cells * stretch * 2 ** octave, POINTS) for stretch in (stretch_x, stretch_y))
            total += weight * self.value_noise(columns, rows)
            weights += weight
            weight *= gain
        return np.clip((total / weights - .5) * 1.7 + .5, 0, 1)

    def lit(self, height: np.ndarray, steepness: float) -> np.ndarray:
        """How much light from the upper left falls on a wrapping height map, less that on flat ground."""
        steepness = steepness * self.size / POINTS
        slope_x = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * steepness
        slope_y = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * steepness
        light = (slope_x * -.55 + slope_y * -.65 + FLAT) / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
        return light - FLAT

    def cells(self, count: int, jitter: float = .85) -> tuple:
        """A wrapping Voronoi diagram of count x count points: distance to the nearest, to the second, index of the nearest."""
        places = np.arange(count)
        columns, rows = np.meshgrid(places, places)
        offsets = jitter * (self.rng.random((2, count, count)) - .5)
        points = np.stack([(columns + .5 + offsets[0]) / count, (rows + .5 + offsets[1]) / count], -1).reshape(-1, 2)
        return self.nearest(points.astype(np.float32), count)

    def nearest(self, points: np.ndarray, per_side: float) -> tuple:
        """The same for given points [count, 2] in 0..1; distances in units of 1/per_side."""
        best = np.full((self.size, self.size), 9, np.float32)
        second, index = best.copy(), np.zeros((self.size, self.size), int)
        for i, (x, y) in enumerate(points):
            away_x, away_y = (np.abs(axis[line] - at) for axis, line, at in
                              ((self.tile_x, np.s_[:1, :], x), (self.tile_y, np.s_[:, :1], y)))
            away_x, away_y = np.minimum(away_x, 1 - away_x), np.minimum(away_y, 1 - away_y)
            squared = away_x * away_x + away_y * away_y
            closer = squared < best
            second = np.where(closer, best, np.minimum(second, squared))
            best = np.where(closer, squared, best)
            index[closer] = i
        return np.sqrt(best) * per_side, np.sqrt(second) * per_side, index

    def squares(self, count_x: float, count_y: float) -> tuple:
        """A regular grid: position inside the square (x, y in 0..1) and the square's column and row."""
        u, v = self.tile_x * count_x, self.tile_y * count_y
        column, row = np.floor(u), np.floor(v)
        return u - column, v - row, column.astype(int), row.astype(int)

    def shades(self, rows: int, columns: int, row, column):
        """One random shade for each cell of a wrapping grid."""
        return self.rng.random((rows, columns)).astype(np.float32)[row % rows, column % columns]


def to_edge(x, y):
    """Distance to the nearest side of the unit square."""
    return np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
