"""Style filters, teachers of the style LoRAs: pictures float32 [size, size, 3] in 0..1, and a grid with a generator of its own."""

import numpy as np
from PIL import Image, ImageFilter

from .pixels import POINTS, Grid, colour, luminance, mix, smoothstep


def blurred(picture, points: float):
    """A Gaussian blur whose radius is given in points."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(points * picture.shape[0] / POINTS)), np.float32) / 255


def edges(gray):
    """Steepness, in units of 0..1 per point."""
    slope_y, slope_x = np.gradient(gray)
    return np.hypot(slope_x, slope_y) * gray.shape[0] / POINTS


def warped(grid: Grid, picture, points: float):
    """Every pixel taken from a little beside it, as an unsteady hand would."""
    shifts = [(grid.value_noise(16) - .5) * points * grid.size / POINTS for _ in range(2)]
    rows, columns = (np.clip(np.indices(shift.shape)[axis] + shift, 0, grid.size - 1).round().astype(int)
                     for axis, shift in enumerate(shifts))
    return picture[rows, columns]


def watercolor(grid: Grid, picture):
    """Thin flat pigment that gathers at edges, on paper that stays white at the border."""
    image = Image.fromarray((picture * 255).astype(np.uint8))
    width = 2 * round(2 * grid.size / POINTS) + 1
    flat = np.asarray(image.filter(ImageFilter.MedianFilter(width)).filter(ImageFilter.ModeFilter(width)), np.float32) / 255
    flat = warped(grid, flat, 5)
    thin = 1 - (1 - mix(luminance(flat)[..., None], flat, np.float32(.85))) * .72
    thin = thin + (1 - thin) * (grid.noise(3, 4)[..., None] - .35) * .55
    rim = np.clip(edges(luminance(blurred(thin, 1.2))) * 7, 0, 1)
    thin = thin * (1 - blurred(rim[..., None].repeat(3, 2), .8)[..., :1] * .45) * (.93 + .1 * grid.noise(32, 2)[..., None])
    border = np.minimum(np.minimum(grid.tile_x, 1 - grid.tile_x), np.minimum(grid.tile_y, 1 - grid.tile_y)) * POINTS
    inside = smoothstep(2, 10, border + (grid.noise(8, 3) - .5) * 16)[..., None]
    return np.clip(mix(colour(.97, .96, .92), thin, inside), 0, 1).astype(np.float32)


def cyberpunk(grid: Grid, picture):
    """Night in violet and magenta, with neon edges, their glow, and the lines of a screen."""
    gray = luminance(picture)[..., None]
    dusk = np.where(gray < .5, mix(colour(.03, .01, .1), colour(.32, .05, .48), gray * 2),
                    mix(colour(.32, .05, .48), colour(.95, .25, .75), gray * 2 - 1))
    line = np.clip(edges(luminance(blurred(picture, .6))) * 6, 0, 1)[..., None]
    neon = mix(colour(.1, .95, 1.), colour(1., .15, .8), grid.tile_y[..., None]) * line
    lit = (dusk + (picture - gray) * .35) * .8 + neon * .95 + blurred(neon, 3) * .9
    screen = .9 + .1 * ((grid.tile_y * POINTS).astype(int) % 4 < 2)
    return np.clip(lit * screen[..., None], 0, 1).astype(np.float32)


def sketch(grid: Grid, picture):
    """Pencil: contours, and hatching where it is dark."""
    picture = warped(grid, picture, 3)
    gray = luminance(picture)
    around = blurred((1 - gray)[..., None].repeat(3, 2), 4)[..., 0]
    dodge = np.clip(gray / (1 - around + 1e-3), 0, 1) ** 1.6
    line = np.clip(edges(luminance(blurred(picture, .5))) * 7, 0, 1)
    wobble = (grid.noise(4, 2) - .5) * 5
    strokes = [.5 + .5 * np.sin((grid.tile_x * POINTS + sign * grid.tile_y * POINTS + wobble) * 1.25) for sign in (1, -1)]
    left = 1 - .55 * strokes[0] * (1 - smoothstep(.3, .6, gray)) - .45 * strokes[1] * (1 - smoothstep(.12, .38, gray))
    paper = .95 + .06 * grid.noise(32, 2)
    tone = np.clip(np.minimum(dodge * .5 + .5, 1) * (1 - .85 * line) * left * paper, 0, 1)[..., None]
    return np.clip(tone * colour(.98, .97, .94) + colour(.03, .03, .04) * (1 - left)[..., None], 0, 1).astype(np.float32)


FILTERS = {"watercolor": watercolor, "cyberpunk": cyberpunk, "sketch": sketch}
