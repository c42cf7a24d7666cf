"""Weapons, tools and what stands on a table. An object is a function (canvas, u, v, base colour)."""

import numpy as np

from ..pixels import colour
from ..shapes import OUTLINE, arc, ball, both, box, circle, ellipse, path, polygon, segment, turned, union
from .treasure import GOLD, STEEL, WHITE, WOOD

CREAM, FLAME = colour(.95, .92, .82), colour(1., .62, .12)


def potion(canvas, u, v, base):
    glass = union(circle(u, v - .28, .62), box(u, v + .5, .2, .3, .05))
    canvas.outline(glass)
    canvas.paint(glass, colour(.82, .9, .95), opacity=.92)
    level = .05 + .2 * canvas.rng.random()
    liquid = both(circle(u, v - .28, .53), level - v - .03 * np.sin(u * 7))
    canvas.paint(liquid, base, ball(u, v - .28, .62) * .85 + .05)
    canvas.solid(box(u, v + .84, .17, .13, .04), WOOD, .55 - .9 * u, .05)
    canvas.paint(box(u, v + .62, .27, .06, .04), colour(.86, .93, .97))
    canvas.paint(ellipse(u + .28, v - .06, .08, .16), WHITE, opacity=.8)
    for _ in range(3):
        x, y = canvas.rng.uniform(-.3, .3), canvas.rng.uniform(.3, .65)
        canvas.paint(circle(u - x, v - y, .05), base, .85, .8)


def sword(canvas, u, v, base):
    along, across = turned(u, v, -45)  # the blade points to the upper right
    blade = polygon(along, across, [(-.35, -.15), (.95, -.13), (1.22, 0), (.95, .13), (-.35, .15)])
    guard = box(along + .42, across, .085, .42, .06)
    grip = segment(along, across, (-.95, 0), (-.45, 0), .09)
    pommel = circle(along + 1.02, across, .15)
    canvas.outline(union(blade, guard, grip, pommel))
    canvas.paint(blade, base, np.where(across < 0, .74, .36) + along * .1)
    canvas.paint(segment(along, across, (-.3, 0), (.85, 0), .02), base, .2, .8)
    canvas.paint(grip, WOOD, .45 + .25 * np.sin(along * 40))
    canvas.paint(guard, GOLD, .55 - .6 * across)
    canvas.paint(pommel, GOLD, ball(along + 1.02, across, .17))


def shield(canvas, u, v, base):
    corners = [(-.75, -.8), (0, -.68), (.75, -.8), (.75, .05), (.5, .52), (0, .92), (-.5, .52), (-.75, .05)]
    rim = polygon(u, v, corners) - .04
    field = rim + .14
    canvas.solid(rim, STEEL, .6 - .4 * u - .3 * v)
    canvas.outline(field, .03, .7)
    canvas.paint(field, base, .56 - .3 * u - .25 * v + (u > 0) * -.14)
    cross = union(box(u, v + .05, .09, .62), box(u, v + .18, .6, .09))
    metal = GOLD if base[2] < .6 or base[0] > .6 else colour(.93, .93, .95)
    canvas.paint(both(cross, field + .02), metal, .6 - .3 * u)


def axe(canvas, u, v, base):
    """The blade has the colour."""
    along, across = turned(u + .06, v - .16, -60)
    shaft = segment(along, across, (-1., 0), (.92, 0), .09)
    blade = both(polygon(along, across, [(.3, -.06), (.7, -.06), (1.12, -.7), (-.12, -.7)]) - .03, circle(along - .5, across, .78))
    back = box(along - .5, across - .17, .19, .15, .03)
    canvas.solid(shaft, WOOD, .5 - .8 * across)
    canvas.outline(union(blade, back, box(along - .5, across, .2, .1)))
    canvas.paint(union(back, box(along - .5, across, .2, .1)), base, .36)
    canvas.paint(blade, base, .56 - .25 * (along - .5))
    canvas.paint(both(.66 - np.hypot(along - .5, across), blade), base, .9)


def hammer(canvas, u, v, base):
    """The head has the colour."""
    along, across = turned(u, v, -45)
    shaft = segment(along, across, (-1.1, 0), (.6, 0), .1)
    head = box(along - .58, across, .29, .62, .07)
    canvas.solid(shaft, WOOD, .5 - .8 * across)
    canvas.solid(head, base, .62 - .9 * (along - .58) - .1 * across)
    for side in (-.44, .44):
        canvas.paint(box(along - .58, across - side, .29, .035), base, .18)


def bomb(canvas, u, v, base):
    x, y = turned(u, v, 30)
    canvas.solid(box(x, y + .55, .2, .18, .04), colour(.45, .45, .5), .5 - u)
    canvas.solid(circle(u, v - .2, .68), base, .06 + .8 * ball(u, v - .2, .72))
    fuse = path(u, v, [(.38, -.62), (.5, -.78), (.66, -.8)], .045)
    canvas.solid(fuse, colour(.85, .78, .6), .5, .04)
    canvas.glow(circle(u - .74, v + .8, .1), FLAME, .6, 9)
    canvas.paint(circle(u - .74, v + .8, .16), FLAME)
    canvas.paint(circle(u - .74, v + .8, .08), colour(1, .97, .7))


def book(canvas, u, v, base):
    cover = box(u, v, .66, .84, .06)
    pages = box(u - .06, v - .72, .58, .09)
    canvas.solid(cover, base, .58 - .2 * u - .25 * v)
    canvas.paint(box(u + .5, v, .1, .84, .04), base, .3)
    canvas.outline(pages, .03)
    canvas.paint(pages, CREAM, .55 + .2 * np.sin(v * 90))
    frame = np.abs(box(u - .1, v + .12, .4, .52)) - .025
    canvas.paint(frame, GOLD, .6 - .3 * v)
    canvas.paint(polygon(u - .1, v + .12, [(0, -.26), (.2, 0), (0, .26), (-.2, 0)]), GOLD, .7 - .8 * v)


def lantern(canvas, u, v, base):
    """The frame has the colour; it shines."""
    glass = box(u, v - .12, .44, .5, .08)
    canvas.glow(glass, FLAME, .5, 5)
    canvas.solid(arc(u, v + .68, .2, .045), base, .5, .05)
    canvas.outline(glass)
    canvas.paint(glass, colour(1., .82, .4), .85 - 1.1 * np.hypot(u, v - .2))
    canvas.paint(ellipse(u, v - .2, .13, .25), colour(1, .98, .85))
    cap = polygon(u, v, [(-.3, -.62), (.3, -.62), (.6, -.36), (-.6, -.36)]) - .02
    foot = box(u, v - .72, .58, .12, .04)
    for part in (cap, foot):
        canvas.solid(part, base, .6 - .5 * u)
    for x in (-.44, .44):
        canvas.solid(box(u - x, v - .12, .06, .5), base, .5 - .4 * u, .035)


def candle(canvas, u, v, base):
    """The wax has the colour."""
    wax = box(u, v - .28, .3, .5, .05)
    plate = ellipse(u, v - .8, .68, .16)
    canvas.glow(circle(u, v + .6, .2), FLAME, .5, 5)
    canvas.solid(plate, GOLD, .55 - .4 * u)
    drip = union(box(u + .18, v + .02, .07, .22, .07), box(u - .12, v - .06, .06, .26, .06))
    canvas.solid(wax, base, .58 - .9 * u)
    canvas.paint(ellipse(u, v + .2, .3, .07), base, .82)
    canvas.paint(drip, base, .75)
    canvas.paint(segment(u, v, (0, -.2), (0, -.36), .03), OUTLINE)
    flame = union(circle(u, v + .5, .15), polygon(u, v, [(-.14, -.54), (0, -.95), (.14, -.54)]))
    canvas.paint(flame - .03, colour(.9, .35, .05))
    canvas.paint(flame, FLAME)
    canvas.paint(ellipse(u, v + .5, .07, .13), colour(1, .97, .7))


def cup(canvas, u, v, base):
    handle = arc(u - .58, v - .08, .28, .085)
    body = box(u + .12, v - .1, .54, .66, .14)
    canvas.solid(handle, base, .45 - .3 * v)
    canvas.solid(body, base, .56 - .6 * u)
    canvas.outline(ellipse(u + .12, v + .62, .54, .16))
    canvas.paint(ellipse(u + .12, v + .62, .54, .16), base, .75)
    canvas.paint(ellipse(u + .12, v + .6, .44, .11), colour(.3, .17, .08), .4 - .3 * u)
    canvas.paint(ellipse(u + .45, v - .05, .06, .36), WHITE, opacity=.6)


def barrel(canvas, u, v, base):
    body = both(ellipse(u, v, .78, 1.6), np.abs(v) - .78)
    stave = np.abs((u / np.sqrt(np.clip(1.02 - .38 * v * v, .3, 2)) * 3.2) % 1 - .5)
    canvas.solid(body, base, .58 - .55 * u - .2 * (stave < .06))
    for y in (-.5, .5):
        hoop = both(np.abs(v - y - .05 * (1 - u * u)) - .1, body)
        canvas.outline(hoop, .025, .8)
        canvas.paint(hoop, colour(.55, .57, .62), .6 - .6 * u)
    lid = ellipse(u, v + .78, .68, .15)
    canvas.solid(lid, base, .7 - .2 * u)


def umbrella(canvas, u, v, base):
    stick = union(segment(u, v, (0, -.6), (0, .7), .05), both(arc(u - .15, v - .7, .15, .05), .7 - v))
    canvas.solid(stick, WOOD, .5)
    scallops = v - .05 + .1 * np.abs(np.sin((u + .92) * np.pi / .614))
    dome = both(circle(u, v - .05, .92), scallops)
    canvas.outline(union(dome, circle(u, v + .9, .06)))
    segments = np.floor(np.arctan2(u, .6 - v + .3) * 4.2 + 2.5)
    canvas.paint(dome, base, .6 - .25 * u - .2 * v - .18 * (segments % 2))
    canvas.paint(circle(u, v + .9, .06), base, .5)


def hat(canvas, u, v, base):
    """A wizard's hat."""
    cone = polygon(u, v, [(-.5, .5), (-.2, -.4), (.3, -.95), (.2, -.35), (.5, .5)]) - .03
    brim = ellipse(u, v - .58, .95, .24)
    canvas.solid(brim, base, .5 - .3 * u - .4 * (v - .5))
    canvas.solid(cone, base, .6 - .6 * u)
    band = both(np.abs(v - .38 - .1 * (1 - 4 * u * u)) - .1, cone)
    canvas.paint(band, GOLD, .6 - .5 * u)
    canvas.paint(box(u, v - .47, .1, .12), colour(.98, .9, .5))
    canvas.paint(circle(u - .05, v + .1, .08), colour(1, .95, .6))


def flag(canvas, u, v, base):
    pole = segment(u, v, (-.62, -.85), (-.62, .95), .06)
    wave = .1 * np.sin(u * 4.5 + .6)
    cloth = box(u - .14, v + .4 + wave, .74, .42)
    canvas.solid(cloth, base, .58 + .25 * np.cos(u * 4.5 + .6) - .1 * v)
    canvas.solid(pole, WOOD, .55 - 2 * (u + .62))
    canvas.solid(circle(u + .62, v + .9, .1), GOLD, .7)
