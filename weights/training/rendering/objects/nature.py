"""Plants, fruits and animals. An object is a function (canvas, u, v, base colour)."""

import numpy as np

from ..pixels import colour
from ..shapes import OUTLINE, arc, ball, both, box, circle, ellipse, path, polygon, segment, turned, union
from .treasure import WHITE, WOOD

GREEN, CREAM = colour(.2, .58, .18), colour(.93, .88, .76)


def eye(canvas, u, v, x, y, radius=.13):
    canvas.paint(circle(u - x, v - y, radius), colour(.98, .98, .98))
    canvas.paint(circle(u - x - radius * .15, v - y, radius * .6), OUTLINE)
    canvas.paint(circle(u - x + radius * .15, v - y + radius * .25, radius * .22), WHITE)


def mushroom(canvas, u, v, base):
    stem = union(box(u, v - .42, .24, .42, .1), ellipse(u, v - .75, .34, .16))
    cap = both(ellipse(u, v - .1, .95, .95), v - .14 - .06 * np.cos(u * 3))
    canvas.outline(union(stem, cap))
    canvas.paint(stem, CREAM, .55 - .7 * u)
    canvas.paint(ellipse(u, v - .14, .6, .1), colour(.8, .7, .58), .35)
    canvas.paint(cap, base, .1 + .85 * ball(u, v - .1, 1.02))
    for x, y, radius in ((-.45, -.3, .17), (.12, -.52, .19), (.52, -.14, .15), (-.08, -.08, .12), (-.78, -.0, .09)):
        canvas.paint(both(circle(u - x, v - y, radius), cap + .03), colour(.96, .95, .9), .62 - .4 * u)


def tree(canvas, u, v, base):
    canvas.solid(polygon(u, v, [(-.13, .15), (.13, .15), (.22, .95), (-.22, .95)]), WOOD, .48 - 1.4 * u)
    tufts = [(0, -.5, .46), (-.46, -.1, .42), (.46, -.1, .42), (0, .02, .46)]
    ragged = (canvas.grid.value_noise(16) - .5) * .12
    crown = union(*(circle(u - x, v - y, radius) for x, y, radius in tufts)) + ragged
    leaves = canvas.grid.noise(16, 2)
    tone = np.maximum.reduce([np.where(circle(u - x, v - y, radius) < .06, ball(u - x, v - y, radius + .1), 0)
                              for x, y, radius in tufts])
    canvas.solid(crown, base, .1 + .6 * np.clip(tone, 0, .9) - .16 * v + .4 * (leaves - .5))


def flower(canvas, u, v, base):
    stem = segment(u, v, (0, 0), (.02, .95), .05)
    left = ellipse(*turned(u - .25, v - .62, 37), .27, .1)
    right = ellipse(*turned(u + .25, v - .7, -37), .27, .1)
    canvas.solid(union(stem, left, right), GREEN, .5 - .5 * u, .05)
    count, first_angle = canvas.grid.pick([5, 6]), canvas.rng.random() * 360
    petals = []
    for i in range(count):
        x, y = turned(u, v + .25, first_angle + i * 360 / count)
        petals.append(ellipse(x - .38, y, .33, .24 if count == 5 else .2))
    canvas.outline(union(*petals))
    for petal in petals:
        canvas.paint(petal - .015, base, .22)
        canvas.paint(petal + .03, base, .52 - .3 * v + 1.1 * petal)
    canvas.outline(circle(u, v + .25, .2), .04, .8)
    yellowish = base[0] >= .9 and base[1] >= .7 and base[2] <= .6  # the middle must differ from the petals
    canvas.paint(circle(u, v + .25, .2), colour(.55, .33, .12) if yellowish else colour(.98, .8, .2), ball(u, v + .25, .25))


def apple(canvas, u, v, base):
    body = union(ellipse(u + .28, v - .15, .5, .66), ellipse(u - .28, v - .15, .5, .66))
    dip = ellipse(u, v + .52, .22, .16)
    canvas.solid(path(u, v, [(0, -.4), (.04, -.65), (.12, -.85)], .05), WOOD, .45)
    canvas.solid(ellipse(*turned(u - .4, v + .68, -25), .28, .13), GREEN, .6 - .6 * v - .4)
    canvas.solid(body, base, .12 + .78 * ball(u, v - .12, .9))
    canvas.paint(both(dip, body), base, .16, .7)


def cherry(canvas, u, v, base):
    stems = union(path(u, v, [(-.42, .3), (-.25, -.3), (.15, -.82)], .045), path(u, v, [(.48, .4), (.4, -.2), (.15, -.82)], .045))
    canvas.solid(stems, GREEN, .4, .04)
    canvas.solid(ellipse(*turned(u - .48, v + .74, 15), .34, .14), GREEN, .55 - .8 * (v + .74), .05)
    for x, y in ((-.44, .42), (.48, .5)):
        canvas.solid(circle(u - x, v - y, .4), base, .05 + .85 * ball(u - x, v - y, .42))


def pumpkin(canvas, u, v, base):
    lobes = [ellipse(u - x, v - .18, width, .64) for x, width in ((-.52, .4), (.52, .4), (-.26, .42), (.26, .42), (0, .34))]
    canvas.solid(path(u, v, [(0, -.4), (.03, -.65), (.16, -.8)], .1), colour(.35, .45, .16), .5 - u)
    canvas.outline(union(*lobes))
    for lobe, x in zip(lobes, (-.52, .52, -.26, .26, 0)):
        canvas.paint(lobe - .012, base, .2)
        canvas.paint(lobe + .025, base, .56 - .4 * u - .3 * v - .7 * (u - x) ** 2 - .25 * np.exp(lobe * 9))
    for x in (-.28, .28):
        canvas.paint(polygon(u - x, v - .08, [(-.15, .1), (0, -.16), (.15, .1)]), OUTLINE)
    canvas.paint(both(ellipse(u, v - .36, .42, .22), .36 - v), OUTLINE)


def carrot(canvas, u, v, base):
    for angle in (-28, 0, 28):
        x, y = turned(u + .02, v + .42, angle)
        canvas.solid(ellipse(x, y + .3, .12, .34), GREEN, .5 - .6 * u, .05)
    body = polygon(u, v, [(-.34, -.38), (.34, -.38), (.2, .3), (0, .92), (-.2, .3)]) - .06
    canvas.solid(body, base, .58 - .9 * u)
    for y, x, width in ((-.12, -.2, .14), (.14, .16, .1), (.38, -.08, .1), (.0, .28, .08)):
        canvas.paint(both(segment(u, v, (x - width, y), (x + width, y), .025), body), base, .22, .9)


def cactus(canvas, u, v, base):
    pot = polygon(u, v, [(-.46, .45), (.46, .45), (.34, .95), (-.34, .95)]) - .02
    trunk = box(u, v + .1, .24, .72, .24)
    left = union(box(u + .42, v - .02, .26, .11, .1), box(u + .58, v + .2, .12, .32, .12))
    right = union(box(u - .42, v + .16, .26, .11, .1), box(u - .58, v + .38, .12, .32, .12))
    whole = union(trunk, left, right)
    canvas.solid(whole, base, .56 - .5 * u + .14 * np.sin(u * 38))
    canvas.solid(pot, colour(.76, .4, .24), .56 - .6 * u)
    canvas.paint(box(u, v - .5, .5, .08, .03), colour(.76, .4, .24), .75 - .4 * u)
    canvas.solid(circle(u, v + .84, .1), colour(.98, .5, .7), .7, .04)


def leaf(canvas, u, v, base):
    x, y = turned(u, v, -45)
    blade = both(circle(x - .05, y - .62, .98), circle(x - .05, y + .62, .98))
    canvas.solid(segment(x, y, (-1.1, 0), (-.6, 0), .045), base, .3, .05)
    canvas.solid(blade, base, np.where(y < 0, .66, .44) - .1 * x)
    canvas.paint(both(segment(x, y, (-.8, 0), (.75, 0), .03), blade), base, .18)
    for start in (-.45, -.15, .15, .42):
        for side in (-1, 1):
            vein = segment(x, y, (start, 0), (start + .26, side * .3), .018)
            canvas.paint(both(vein, blade + .04), base, .22)


def slime(canvas, u, v, base):
    body = both(ellipse(u, v - .55, .9, 1.12), v - .62 - .06 * np.cos(u * 6))
    canvas.solid(body, base, .25 + .6 * ball(u, v - .3, 1.05))
    for x in (-.32, .32):
        canvas.paint(ellipse(u - x, v - .12, .15, .2), colour(.98, .98, .98))
        canvas.paint(ellipse(u - x - .02, v - .16, .08, .12), OUTLINE)
        canvas.paint(circle(u - x + .03, v - .1, .035), WHITE)
    canvas.paint(both(arc(u, v - .26, .16, .035), .3 - v), OUTLINE)
    canvas.paint(ellipse(u + .45, v + .22, .1, .15), WHITE, opacity=.75)


def fish(canvas, u, v, base):
    body = ellipse(u + .15, v, .74, .48)
    tail = polygon(u, v, [(.42, 0), (.95, -.5), (.82, 0), (.95, .5)]) - .03
    fin = polygon(u, v, [(-.35, -.36), (.1, -.78), (.3, -.34)]) - .02
    for part in (tail, fin):
        canvas.solid(part, base, .42 + .25 * np.sin(u * 22 + v * 10))
    scale = np.cos(u * 16) * np.cos(v * 16 + np.floor(u * 5) * 1.6)
    canvas.solid(body, base, .6 - .75 * v + .1 * scale * (u > -.35))
    canvas.paint(both(arc(u + .62, v, .36, .025), .62 + u - .2, body), base, .2)
    eye(canvas, u, v, -.55, -.1, .13)
    canvas.paint(segment(u, v, (-.86, .12), (-.7, .16), .025), OUTLINE)


def duck(canvas, u, v, base):
    body = union(ellipse(u - .1, v - .42, .78, .42), polygon(u, v, [(.5, .2), (.92, -.08), (.85, .45)]) - .05)
    head = circle(u + .38, v + .32, .4)
    beak = union(ellipse(u + .84, v + .22, .2, .1), polygon(u, v, [(-.72, -.34), (-1., -.2), (-.72, -.12)]))
    canvas.solid(beak, colour(.98, .55, .1), .5 - 1.5 * (v + .22))
    canvas.outline(union(body, head))
    canvas.paint(body, base, .62 - .6 * (v - .2) - .1 * u)
    canvas.paint(head, base, .3 + .5 * ball(u + .38, v + .32, .5))
    wing = both(ellipse(u - .22, v - .36, .42, .24), -1 + 0 * u)
    canvas.outline(wing, .03, .7)
    canvas.paint(wing, base, .45 - .5 * (v - .36))
    eye(canvas, u, v, -.48, -.42, .1)


def cat(canvas, u, v, base):
    ears = [polygon(u, v, [(x - .26, -.3), (x + .12 * side, -.95), (x + .26, -.3)]) - .03 for x, side in ((-.48, -1), (.48, 1))]
    head = ellipse(u, v - .12, .84, .7)
    canvas.outline(union(head, *ears))
    for ear, x in zip(ears, (-.5, .5)):
        canvas.paint(ear, base, .5)
        canvas.paint(ear + .13, colour(.96, .62, .66))
    canvas.paint(head, base, .3 + .45 * ball(u, v - .1, 1.))
    for x in (-.36, .36):
        canvas.paint(ellipse(u - x, v - .02, .17, .2), colour(.72, .9, .25))
        canvas.paint(ellipse(u - x, v - .02, .06, .17), OUTLINE)
        for y in (.3, .44):
            side = np.sign(x)
            canvas.paint(segment(u, v, (side * .34, y), (side * .98, y - .12 + (y - .3)), .02), OUTLINE)
    canvas.paint(polygon(u, v, [(-.11, .26), (.11, .26), (0, .38)]), colour(.95, .5, .55))
    canvas.paint(path(u, v, [(-.16, .52), (0, .42), (.16, .52)], .025), OUTLINE)


def butterfly(canvas, u, v, base):
    x = np.abs(u)
    upper, lower = ellipse(*turned(x - .5, v + .32, -30), .48, .36), ellipse(*turned(x - .4, v - .38, 30), .36, .28)
    canvas.outline(union(upper, lower))
    for wing in (lower, upper):
        canvas.paint(wing - .01, OUTLINE)
        canvas.paint(wing + .05, base, .6 - .3 * v + .5 * wing)
    canvas.paint(circle(x - .55, v + .36, .15), colour(.98, .95, .85))
    canvas.paint(circle(x - .45, v - .4, .1), colour(.98, .95, .85))
    canvas.paint(path(x, v, [(.03, -.45), (.14, -.72), (.26, -.86)], .03), OUTLINE)
    canvas.paint(ellipse(u, v, .1, .58), OUTLINE)
    canvas.paint(ellipse(u, v, .05, .5), colour(.35, .28, .22))
