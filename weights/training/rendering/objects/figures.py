"""Figures, vehicles and buildings. An object is a function (canvas, u, v, base colour)."""

import numpy as np

from ..pixels import colour
from ..shapes import OUTLINE, ball, both, box, circle, ellipse, polygon, segment, union
from .treasure import STEEL, WHITE, WOOD

GLASS = colour(.6, .85, .98)


def house(canvas, u, v, base):
    wall = box(u, v - .4, .66, .48)
    roof = polygon(u, v, [(-.95, .0), (0, -.88), (.95, .0)]) - .02
    chimney = box(u - .48, v + .6, .12, .26)
    canvas.outline(union(wall, roof, chimney))
    canvas.paint(chimney, colour(.6, .35, .28), .5 - u * .3)
    canvas.paint(wall, colour(.93, .86, .7), .5 - .3 * u)
    canvas.paint(roof, base, .58 - .25 * u - .28 * ((v * 6) % 1 < .22) - .1 * v)
    canvas.paint(both(box(u, v - .04, .66, .06), wall), colour(.6, .5, .4), .3)
    canvas.solid(box(u + .25, v - .6, .16, .28, .02), WOOD, .5 - .3 * u, .03)
    canvas.solid(box(u - .3, v - .42, .17, .15), colour(.98, .85, .4), .6 - .5 * v, .035)
    canvas.paint(union(box(u - .3, v - .42, .02, .15), box(u - .3, v - .42, .17, .02)), OUTLINE)


def ghost(canvas, u, v, base):
    body = both(union(circle(u, v + .22, .66), box(u, v - .3, .66, .55)), v - .66 - .14 * np.cos(u * 14.2 + np.pi))
    canvas.solid(body, base, .66 - .4 * u - .15 * v)
    for x in (-.25, .25):
        canvas.paint(ellipse(u - x, v + .22, .12, .18), OUTLINE)
        canvas.paint(circle(u - x + .03, v + .3, .04), WHITE)
    canvas.paint(ellipse(u, v - .14, .11, .14), OUTLINE)


def skull(canvas, u, v, base):
    head, jaw = ellipse(u, v + .18, .78, .7), box(u, v - .5, .42, .36, .1)
    canvas.outline(union(head, jaw))
    canvas.paint(jaw, base, .5 - .35 * u)
    canvas.paint(head, base, .35 + .5 * ball(u, v + .18, .9))
    for x in (-.32, .32):
        canvas.paint(ellipse(u - x, v + .06, .21, .23), OUTLINE)
    canvas.paint(polygon(u, v, [(-.1, .34), (0, .14), (.1, .34)]), OUTLINE)
    for x in (-.21, 0, .21):
        canvas.paint(box(u - x, v - .68, .025, .17), OUTLINE)


def robot(canvas, u, v, base):
    head = box(u, v - .08, .7, .6, .14)
    antenna = segment(u, v, (0, -.5), (0, -.8), .05)
    for side in (-.78, .78):
        canvas.solid(box(u - side, v - .05, .12, .22, .04), STEEL, .5 - .3 * u)
    canvas.solid(antenna, STEEL, .5)
    canvas.solid(circle(u, v + .84, .12), colour(.95, .25, .2), .6)
    canvas.solid(head, base, .58 - .35 * u - .3 * v)
    for x in (-.3, .3):
        canvas.solid(circle(u - x, v + .08, .19), colour(.65, .98, .98), .75 - .8 * (v + .08), .05)
        canvas.paint(circle(u - x, v + .08, .07), OUTLINE)
    mouth = box(u, v - .42, .4, .11, .03)
    canvas.solid(mouth, colour(.9, .92, .94), .55, .04)
    canvas.paint(both(mouth, np.abs((u * 5) % 1 - .5) - .12), OUTLINE)


def rocket(canvas, u, v, base):
    """Fins and nose have the colour."""
    flame = polygon(u, v, [(-.22, .55), (.22, .55), (0, 1.05)])
    canvas.paint(flame - .03, colour(.95, .4, .05))
    canvas.paint(flame + .07, colour(1, .9, .4))
    for side in (-1, 1):
        canvas.solid(polygon(u * side, v, [(.2, .05), (.68, .62), (.2, .58)]) - .03, base, .5 - .4 * u)
    hull = both(ellipse(u, v + .05, .42, .92), v - .6)
    canvas.solid(hull, colour(.9, .91, .94), .58 - .8 * u)
    canvas.paint(both(hull, v + .42), base, .58 - .8 * u)
    canvas.paint(both(hull, .48 - v), base, .5 - .8 * u)
    canvas.solid(circle(u, v + .1, .18), GLASS, .7 - u - v, .05)


def car(canvas, u, v, base):
    cabin = polygon(u, v, [(-.5, -.02), (-.3, -.5), (.3, -.5), (.56, -.02)]) - .05
    body = box(u, v - .22, .94, .3, .14)
    canvas.outline(union(cabin, body))
    canvas.paint(union(cabin, body), base, .62 - .7 * v)
    for corners in ([(-.4, -.04), (-.25, -.42), (-.03, -.42), (-.03, -.04)], [(.06, -.04), (.06, -.42), (.27, -.42), (.44, -.04)]):
        canvas.solid(polygon(u, v, corners), GLASS, .65 - .5 * v - .4, .035)
    canvas.paint(box(u, v - .2, .94, .02), base, .25)
    canvas.paint(circle(u - .84, v - .14, .08), colour(1, .95, .6))
    for x in (-.5, .5):
        canvas.paint(circle(u - x, v - .5, .27), OUTLINE)
        canvas.paint(circle(u - x, v - .5, .13), STEEL, .6 - v + .5)


def boat(canvas, u, v, base):
    """The sails have the colour."""
    mast = segment(u, v, (0, -.9), (0, .4), .045)
    canvas.solid(mast, WOOD, .5)
    main, jib = polygon(u, v, [(.1, -.86), (.8, .28), (.1, .28)]), polygon(u, v, [(-.1, -.66), (-.1, .28), (-.68, .28)])
    for sail in (main, jib):
        canvas.solid(sail - .02, base, .66 - .2 * u - .25 * v)
    hull = polygon(u, v, [(-.92, .42), (.92, .42), (.62, .86), (-.62, .86)]) - .03
    canvas.solid(hull, WOOD, .6 - .9 * (v - .6))
    canvas.paint(both(box(u, v - .5, 1., .05), hull), colour(.92, .9, .84))


def balloon(canvas, u, v, base):
    """A hot-air balloon."""
    bag = union(circle(u, v + .25, .66), polygon(u, v, [(-.5, .18), (.5, .18), (.2, .58), (-.2, .58)]))
    for x in (-.16, .16):
        canvas.paint(segment(u, v, (x, .55), (x * .8, .78), .025), OUTLINE)
    canvas.outline(bag)
    gore = np.floor(np.arcsin(np.clip(u / np.sqrt(np.clip(.5 - (v + .25) ** 2, .08, 1)), -1, 1)) * 2.2 + 10.5) % 2
    canvas.paint(bag, base, .2 + .6 * ball(u, v + .25, .8) + 0 * gore)
    canvas.paint(both(bag, np.where(gore > .5, -1, 1) * np.ones_like(u)), colour(.95, .92, .85), .2 + .6 * ball(u, v + .25, .8))
    canvas.solid(box(u, v - .86, .18, .13, .03), WOOD, .55 - u)
