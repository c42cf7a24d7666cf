"""Signed distances to flat shapes (negative inside), and the canvas that paints with them."""

import numpy as np

from .pixels import SIZE, mix, smoothstep


def circle(u, v, radius):
    return np.hypot(u, v) - radius


def box(u, v, half_width, half_height, rounding=0.):
    x, y = np.abs(u) - half_width + rounding, np.abs(v) - half_height + rounding
    return np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - rounding


def ellipse(u, v, half_width, half_height):
    return (np.hypot(u / half_width, v / half_height) - 1) * min(half_width, half_height)


def segment(u, v, start, end, radius):
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    x, y = u - start[0], v - start[1]
    part = np.clip((x * along_x + y * along_y) / (along_x * along_x + along_y * along_y), 0, 1)
    return np.hypot(x - along_x * part, y - along_y * part) - radius


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


class Canvas:
    """A picture that shapes are painted on; `scale` is half the size of the shape's own unit square in the picture."""

    def __init__(self, picture):
        self.picture = picture.copy()

    def paint(self, distance, rgb, scale, opacity=1.):
        """Where the distance is negative, with an edge one pixel wide."""
        covered = np.clip(.5 - distance * scale * SIZE / 2, 0, 1)[..., None] * opacity
        self.picture = mix(self.picture, rgb, covered)

    def shade(self, distance, depth=.45, softness=.16):
        self.picture = self.picture * (1 - (depth * (1 - smoothstep(-softness, softness, distance)))[..., None])
