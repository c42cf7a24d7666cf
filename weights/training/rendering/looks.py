"""How a finished picture is lit, and pixel art."""

import numpy as np
from PIL import Image

from .pixels import Grid, colour, luminance, mix

PIXEL_ART_CELLS, PIXEL_ART_COLOURS = 32, 20


def falloff(grid: Grid, x: float, y: float):
    """Light from a point outside or inside the picture, 0..1."""
    return np.exp(-(np.hypot(grid.x - x, grid.y - y) / 1.5) ** 2)[..., None]


def moonlight(grid: Grid, picture):
    """Blue, from the upper right."""
    pale = mix(luminance(picture)[..., None], picture, np.float32(.85))
    return pale * colour(.55, .68, 1.) * (.3 + .85 * falloff(grid, .9, -.9))


def candlelight(grid: Grid, picture):
    """Warm, from below; dark above."""
    return picture * colour(1.15, .85, .55) * (.2 + 1. * falloff(grid, 0, .9))


def spotlight(grid: Grid, picture):
    light = .14 + 1.05 * np.exp(-(np.hypot(grid.x, grid.y - .05) / .72) ** 4)
    return picture * light[..., None]


LIT = {"moonlight": moonlight, "candlelight": candlelight, "spotlight": spotlight}


def lit(grid: Grid, picture, light: str):
    return np.clip(LIT[light](grid, picture), 0, 1).astype(np.float32) if light in LIT else picture


def pixel_art(picture):
    """The picture in 32 x 32 squares of twenty colours."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + .5).astype(np.uint8))
    small = image.resize((PIXEL_ART_CELLS, PIXEL_ART_CELLS), Image.BOX)
    few = small.quantize(PIXEL_ART_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    return np.asarray(few.resize(image.size, Image.NEAREST), np.float32) / 255
