"""Precious things. An object is a function (canvas, u, v, base colour); u and v run from -1 to 1, v downwards."""

import numpy as np

from ..pixels import RGB, colour
from ..shapes import OUTLINE, arc, ball, both, box, circle, ellipse, path, polygon, segment, turned, union, without

WHITE = colour(1, 1, 1)
GOLD, STEEL, WOOD = colour(.95, .73, .2), colour(.74, .78, .84), colour(.48, .3, .16)


def gem(canvas, u, v, base):
    outline = [(-.55, -.62), (.55, -.62), (.95, -.15), (0, .92), (-.95, -.15)]
    facets = [([(-.55, -.62), (.55, -.62), (.4, -.15), (-.4, -.15)], .85), ([(-.55, -.62), (-.4, -.15), (-.95, -.15)], .68),
              ([(.55, -.62), (.95, -.15), (.4, -.15)], .45), ([(-.95, -.15), (-.4, -.15), (0, .92)], .5),
              ([(-.4, -.15), (.4, -.15), (0, .92)], .62), ([(.4, -.15), (.95, -.15), (0, .92)], .24)]
    canvas.outline(polygon(u, v, outline))
    for corners, tone in facets:
        canvas.paint(polygon(u, v, corners) - .012, base, tone - .12 * v + .04 * canvas.rng.normal())
    canvas.paint(ellipse(u + .3, v + .42, .13, .05), WHITE, opacity=.85)


def star_corners(outer, inner, shift=0.):
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2 == 0, outer, inner)
    return list(zip(radius * np.cos(angle), radius * np.sin(angle) + shift))


def coin(canvas, u, v, base):
    canvas.paint(circle(u, v, .86), OUTLINE)
    canvas.paint(circle(u, v, .8), base, .55 - .35 * u - .45 * v)
    canvas.paint(circle(u, v, .62), base, .3 + .3 * u + .35 * v)
    canvas.paint(circle(u, v, .57), base, .52 - .2 * u - .25 * v)
    corners = star_corners(.42, .19)
    canvas.paint(polygon(u - .03, v - .03, corners), base, .14)
    canvas.paint(polygon(u, v, corners), base, .78 - .3 * v)
    canvas.paint(segment(u, v, (-.55, -.42), (-.42, -.55), .04), WHITE, opacity=.8)


def bevel(distance, width):
    height = np.clip(-distance / width, 0, 1)
    slope_y, slope_x = np.gradient(height)
    return np.where(height < .999, (slope_x + slope_y) / (np.hypot(slope_x, slope_y) + 1e-6) * .24, 0)


def key(canvas, u, v, base):
    along, across = turned(u, v, -45)
    shaft = box(along + .3, across, .62, .085, .02)
    teeth = union(box(along + .8, across - .2, .08, .17, .02), box(along + .5, across - .16, .08, .13, .02))
    whole = union(arc(along - .55, across, .33, .1), shaft, teeth)
    canvas.solid(whole, base, .58 - .5 * across - .1 * along + bevel(whole, .1), .065)


def heart_distance(u, v, size=1.45):
    x, y = np.abs(u) / size, (.82 - v) / size
    half = .5 * np.maximum(x + y, 0)
    lower = np.sqrt(np.minimum(x ** 2 + (y - 1) ** 2, (x - half) ** 2 + (y - half) ** 2)) * np.sign(x - y)
    return np.where(x + y > 1, np.hypot(x - .25, y - .75) - .35355, lower) * size


def heart(canvas, u, v, base):
    distance = heart_distance(u, v)
    canvas.solid(distance, base, .58 - .28 * u - .42 * v - .25 * np.exp(distance * 7), .07)
    canvas.paint(ellipse(*turned(u + .42, v + .4, 37), .11, .2), WHITE, opacity=.75)


def star(canvas, u, v, base):
    distance = polygon(u, v, star_corners(.98, .45, .05)) - .03
    facet = np.floor((np.arctan2(v - .05, u) + np.pi / 2) / (np.pi / 5))
    canvas.solid(distance, base, .6 + .2 * np.where(facet % 2 == 0, 1, -1) - .22 * v - .1 * u)


def chest(canvas, u, v, base):
    body = box(u, v - .3, .82, .48, .06)
    lid = union(both(ellipse(u, v + .12, .82, .62), v + .12), box(u, v + .15, .82, .06))
    whole = union(body, lid)
    plank = np.abs(((v * 3.2) % 1) - .5) * 2
    canvas.outline(whole)
    canvas.paint(body, base, .46 - .15 * u - .12 * v - .2 * (plank < .16))
    canvas.paint(lid, base, .68 - .15 * u + .21 * (-v - .5))
    for x in (-.62, .62):
        canvas.paint(both(box(u - x, v, .09, 1.), whole), GOLD, .55 - .3 * v)
    canvas.paint(both(box(u, v + .1, .82, .06), whole), GOLD, .4)
    canvas.solid(box(u, v - .02, .17, .2, .04), GOLD, .68 - .6 * v, .03)
    canvas.paint(circle(u, v - .03, .055), OUTLINE)


def crown(canvas, u, v, base):
    corners = [(-.85, .6), (-.95, -.45), (-.45, .02), (0, -.72), (.45, .02), (.95, -.45), (.85, .6)]
    band = polygon(u, v, corners) - .03
    balls = [circle(u - x, v - y, .12) for x, y in ((-.95, -.5), (0, -.78), (.95, -.5))]
    canvas.outline(union(band, *balls))
    canvas.paint(band, base, .6 - .3 * u - .25 * v + .12 * np.sin(u * 9))
    for distance in balls:
        canvas.paint(distance, base, .75)
    canvas.paint(box(u, v - .5, .84, .12, .03), base, .36 - .2 * u)
    for x, name in ((-.5, "red"), (0, "blue"), (.5, "red")):
        jewel = circle(u - x, v - .5, .1)
        canvas.outline(jewel, .02, .8)
        canvas.paint(jewel, colour(*RGB[name]), .6 - 2 * (v - .5))


def ring(canvas, u, v, base):
    """A ring with a diamond: the band has the colour."""
    band = arc(u, v - .3, .5, .11)
    canvas.solid(band, base, .55 - .5 * u - .4 * (v - .3) + bevel(band, .1), .065)
    stone = polygon(u, v + .52, [(-.2, -.3), (.2, -.3), (.38, -.08), (0, .36), (-.38, -.08)])
    canvas.solid(stone, colour(.72, .9, .98), .6 + .45 * np.sign(u) * -.5 - .5 * (v + .5), .065)
    canvas.paint(box(u, v + .6, .34, .015), WHITE, opacity=.7)


def bell(canvas, u, v, base):
    clapper = circle(u, v - .72, .17)
    dome = both(union(ellipse(u, v + .05, .5, .72), box(u, v - .25, .5, .3)), v - .35)
    rim = polygon(u, v, [(-.5, .2), (.5, .2), (.8, .58), (-.8, .58)]) - .05
    loop = arc(u, v + .82, .12, .05)
    canvas.solid(clapper, base, .35 - .4 * u)
    canvas.solid(loop, base, .5)
    canvas.outline(union(dome, rim))
    canvas.paint(union(dome, rim), base, .58 - .62 * u - .2 * v)
    canvas.paint(box(u, v - .52, .84, .035), base, .2)
    canvas.paint(ellipse(u + .26, v + .2, .07, .26), WHITE, opacity=.7)


def moon(canvas, u, v, base):
    """A crescent."""
    crescent = without(circle(u, v, .84), circle(u - .4, v + .12, .66))
    canvas.solid(crescent, base, .6 - .25 * u - .35 * v)
    for x, y, radius in ((-.5, -.12, .11), (-.42, .4, .14), (.08, .66, .07)):
        canvas.paint(both(circle(u - x, v - y, radius), crescent + .02), base, .34)


def orb(canvas, u, v, base):
    distance = circle(u, v, .78)
    canvas.glow(distance, base)
    canvas.outline(distance, .05)
    cloud = canvas.grid.noise(2, 3)
    inner = .16 * np.exp(-((u - .3) ** 2 + (v - .35) ** 2) * 6)
    canvas.paint(distance, base, ball(u, v, .78) * .8 + .3 * (cloud - .5) + inner)


def bolt(canvas, u, v, base):
    """A flash of lightning."""
    corners = [(.2, -.95), (-.58, .12), (-.08, .12), (-.3, .95), (.58, -.2), (.08, -.2), (.5, -.95)]
    distance = polygon(u, v, corners) - .03
    canvas.solid(distance, base, .62 - .4 * u - .2 * v)
    canvas.paint(path(u, v, [(.26, -.82), (-.36, .02)], .035), WHITE, opacity=.6)
