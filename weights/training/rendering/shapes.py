"""Signed distances to flat shapes (negative inside), and the canvas that paints with them."""

import numpy as np

from .pixels import Grid, colour, mix, ramp, smoothstep

OUTLINE = colour(.06, .05, .09)


def circle(u, v, radius):
    return np.hypot(u, v) - radius


def box(u, v, half_width, half_height, rounding=0.):
    x, y = np.abs(u) - half_width + rounding, np.abs(v) - half_height + rounding
    return np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - rounding


def ellipse(u, v, half_width, half_height):
    """The distance is approximate, best near the rim."""
    part = np.hypot(u / half_width, v / half_height)
    slope = np.hypot(u / half_width ** 2, v / half_height ** 2)
    return np.where(part > .05, part * (part - 1) / np.maximum(slope, 1e-6), -min(half_width, half_height))


def segment(u, v, start, end, radius):
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    x, y = u - start[0], v - start[1]
    part = np.clip((x * along_x + y * along_y) / (along_x * along_x + along_y * along_y), 0, 1)
    return np.hypot(x - along_x * part, y - along_y * part) - radius


def path(u, v, points, radius):
    """A line through points."""
    return union(*(segment(u, v, a, b, radius) for a, b in zip(points, points[1:])))


def arc(u, v, radius, thickness):
    """A ring."""
    return np.abs(circle(u, v, radius)) - thickness


def polygon(u, v, corners):
    distance = np.full(u.shape, 1e9, np.float32)
    sign = np.ones(u.shape, np.float32)
    for i, (ax, ay) in enumerate(corners):
        bx, by = corners[i - 1]
        edge_x, edge_y, x, y = bx - ax, by - ay, u - ax, v - ay
        part = np.clip((x * edge_x + y * edge_y) / (edge_x * edge_x + edge_y * edge_y), 0, 1)
        distance = np.minimum(distance, (x - edge_x * part) ** 2 + (y - edge_y * part) ** 2)
        below, above, left = v >= ay, v < by, edge_x * y > edge_y * x
        sign = np.where((below & above & left) | (~below & ~above & ~left), -sign, sign)
    return sign * np.sqrt(distance)


def union(*distances):
    return np.minimum.reduce(distances)


def both(*distances):
    """The intersection."""
    return np.maximum.reduce(distances)


def without(distance, hole):
    return np.maximum(distance, -hole)


def turned(u, v, degrees: float):
    """u and v of a frame turned clockwise."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return u * cosine + v * sine, v * cosine - u * sine


def ball(u, v, radius):
    """Tone of a ball lit from the upper left, with a highlight."""
    z = np.sqrt(np.clip(1 - (u * u + v * v) / (radius * radius), 0, 1))
    highlight = np.exp(-((u / radius + .38) ** 2 + (v / radius + .42) ** 2) * 22)
    return np.clip(.12 + .75 * (-.5 * u / radius - .6 * v / radius + .62 * z), 0, 1) + .5 * highlight


class Canvas:
    """A picture that shapes are painted on. After `place`, u and v run from -1 to 1 over the object's own square.

    A flat canvas (icons) knows three tones only.
    """

    def __init__(self, grid: Grid, picture: np.ndarray, flat: bool = False):
        self.grid, self.rng, self.picture, self.flat = grid, grid.rng, picture.copy(), flat
        self.place(0, 0, 1)

    def place(self, centre_x: float, centre_y: float, scale: float) -> None:
        self.u, self.v, self.scale = (self.grid.x - centre_x) / scale, (self.grid.y - centre_y) / scale, scale

    def paint(self, distance, rgb, tone=None, opacity: float = 1.) -> None:
        """Where the distance is negative, with an edge one pixel wide. With a tone, rgb is the base of a ramp."""
        if tone is not None:
            tone = np.clip(tone + self.u * 0, 0, 1)
            rgb = ramp(rgb, .25 + .25 * np.round(tone * 2) if self.flat else tone)
        covered = np.clip(.5 - distance * self.scale * self.grid.size / 2, 0, 1)[..., None] * opacity
        self.picture = mix(self.picture, rgb, covered).astype(np.float32)

    def outline(self, distance, width: float = .06, opacity: float = 1.) -> None:
        self.paint(distance - width, OUTLINE, opacity=opacity)

    def solid(self, distance, rgb, tone, width: float = .06) -> None:
        """A shape with its outline."""
        self.outline(distance, width)
        self.paint(distance, rgb, tone)

    def shade(self, distance, depth: float = .45, softness: float = .16) -> None:
        self.picture = self.picture * (1 - (depth * (1 - smoothstep(-softness, softness, distance)))[..., None])

    def glow(self, distance, rgb, strength: float = .44, reach: float = 5.5) -> None:
        light = rgb * strength * np.exp(-np.maximum(distance, 0) * reach)[..., None]
        self.picture = np.clip(self.picture + light, 0, 1)
