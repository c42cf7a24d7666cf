"""Sixteen things, each painted with an outline, in their own unit square: u and v from -1 to 1, v downwards.

An object is a function (canvas, u, v, base colour, scale, rng).
"""

import numpy as np

from .pixels import RGB, colour, fractal_noise, ramp, value_noise
from .shapes import box, circle, ellipse, polygon, segment

OUTLINE = colour(.06, .05, .09)
WHITE = colour(1, 1, 1)
GOLD, STEEL, WOOD = colour(.95, .73, .2), colour(.74, .78, .84), colour(.48, .3, .16)
DIAGONAL = .7071


def ball(u, v, radius):
    """Tone of a ball lit from the upper left, with a highlight."""
    z = np.sqrt(np.clip(1 - (u * u + v * v) / (radius * radius), 0, 1))
    highlight = np.exp(-((u / radius + .38) ** 2 + (v / radius + .42) ** 2) * 22)
    return np.clip(.12 + .75 * (-.5 * u / radius - .6 * v / radius + .62 * z), 0, 1) + .5 * highlight


def bevel(distance, width):
    height = np.clip(-distance / width, 0, 1)
    slope_y, slope_x = np.gradient(height)
    return np.where(height < .999, (slope_x + slope_y) / (np.hypot(slope_x, slope_y) + 1e-6) * .24, 0)


def gem(canvas, u, v, base, scale, rng):
    outline = [(-.55, -.62), (.55, -.62), (.95, -.15), (0, .92), (-.95, -.15)]
    facets = [([(-.55, -.62), (.55, -.62), (.4, -.15), (-.4, -.15)], .85), ([(-.55, -.62), (-.4, -.15), (-.95, -.15)], .68),
              ([(.55, -.62), (.95, -.15), (.4, -.15)], .45), ([(-.95, -.15), (-.4, -.15), (0, .92)], .5),
              ([(-.4, -.15), (.4, -.15), (0, .92)], .62), ([(.4, -.15), (.95, -.15), (0, .92)], .24)]
    canvas.paint(polygon(u, v, outline) - .06, OUTLINE, scale)
    for corners, tone in facets:
        light = np.clip(tone - .12 * v + .04 * rng.normal(), 0, 1)
        canvas.paint(polygon(u, v, corners) - .012, ramp(base, light + u * 0), scale)
    canvas.paint(ellipse(u + .3, v + .42, .13, .05), WHITE, scale, .85)


def potion(canvas, u, v, base, scale, rng):
    glass = np.minimum(circle(u, v - .28, .62), box(u, v + .5, .2, .3, .05))
    cork = box(u, v + .84, .17, .13, .04)
    canvas.paint(glass - .06, OUTLINE, scale)
    canvas.paint(glass, colour(.82, .9, .95), scale, .92)
    level = .05 + .2 * rng.random()
    liquid = np.maximum(circle(u, v - .28, .53), -(v - level + .03 * np.sin(u * 7)))
    canvas.paint(liquid, ramp(base, ball(u, v - .28, .62) * .85 + .05), scale)
    canvas.paint(cork - .05, OUTLINE, scale)
    canvas.paint(cork, ramp(WOOD, .55 - .9 * u), scale)
    canvas.paint(box(u, v + .62, .27, .06, .04), colour(.86, .93, .97), scale)
    canvas.paint(ellipse(u + .28, v - .06, .08, .16), WHITE, scale, .8)
    for _ in range(3):
        bubble = circle(u - rng.uniform(-.3, .3), v - rng.uniform(.3, .65), .05)
        canvas.paint(bubble, ramp(base, u * 0 + .85), scale, .8)


def star_corners(outer, inner, shift=0.):
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2 == 0, outer, inner)
    return list(zip(radius * np.cos(angle), radius * np.sin(angle) + shift))


def coin(canvas, u, v, base, scale, rng):
    canvas.paint(circle(u, v, .86), OUTLINE, scale)
    canvas.paint(circle(u, v, .8), ramp(base, .55 - .35 * u - .45 * v), scale)
    canvas.paint(circle(u, v, .62), ramp(base, .3 + .3 * u + .35 * v), scale)
    canvas.paint(circle(u, v, .57), ramp(base, .52 - .2 * u - .25 * v), scale)
    corners = star_corners(.42, .19)
    canvas.paint(polygon(u - .03, v - .03, corners), ramp(base, u * 0 + .14), scale)
    canvas.paint(polygon(u, v, corners), ramp(base, .78 - .3 * v), scale)
    canvas.paint(segment(u, v, (-.55, -.42), (-.42, -.55), .04), WHITE, scale, .8)


def sword(canvas, u, v, base, scale, rng):
    along, across = (u - v) * DIAGONAL, (u + v) * DIAGONAL  # the blade points to the upper right
    blade = polygon(along, across, [(-.35, -.15), (.95, -.13), (1.22, 0), (.95, .13), (-.35, .15)])
    guard = box(along + .42, across, .085, .42, .06)
    grip = segment(along, across, (-.95, 0), (-.45, 0), .09)
    pommel = circle(along + 1.02, across, .15)
    canvas.paint(np.minimum(np.minimum(blade, guard), np.minimum(grip, pommel)) - .06, OUTLINE, scale)
    halves = np.where((across < 0)[..., None], ramp(base, .74 + along * .12), ramp(base, .36 + along * .1))
    canvas.paint(blade, halves, scale)
    canvas.paint(segment(along, across, (-.3, 0), (.85, 0), .02), ramp(base, u * 0 + .2), scale, .8)
    canvas.paint(grip, ramp(WOOD, .45 + .25 * np.sin(along * 40)), scale)
    canvas.paint(guard, ramp(GOLD, .55 - 1.2 * across * .5), scale)
    canvas.paint(pommel, ramp(GOLD, ball(along + 1.02, across, .17)), scale)


def shield(canvas, u, v, base, scale, rng):
    corners = [(-.75, -.8), (0, -.68), (.75, -.8), (.75, .05), (.5, .52), (0, .92), (-.5, .52), (-.75, .05)]
    rim = polygon(u, v, corners) - .04
    field = rim + .14
    canvas.paint(rim - .06, OUTLINE, scale)
    canvas.paint(rim, ramp(STEEL, .6 - .4 * u - .3 * v), scale)
    canvas.paint(field - .03, OUTLINE, scale, .7)
    canvas.paint(field, ramp(base, .56 - .3 * u - .25 * v + (u > 0) * -.14), scale)
    cross = np.minimum(box(u, v + .05, .09, .62), box(u, v + .18, .6, .09))
    metal = GOLD if base[2] < .6 or base[0] > .6 else colour(.93, .93, .95)
    canvas.paint(np.maximum(cross, field + .02), ramp(metal, .6 - .3 * u), scale)


def key(canvas, u, v, base, scale, rng):
    along, across = (u - v) * DIAGONAL, (u + v) * DIAGONAL
    ring = np.abs(circle(along - .55, across, .33)) - .1
    shaft = box(along + .3, across, .62, .085, .02)
    teeth = np.minimum(box(along + .8, across - .2, .08, .17, .02), box(along + .5, across - .16, .08, .13, .02))
    whole = np.minimum(ring, np.minimum(shaft, teeth))
    canvas.paint(whole - .065, OUTLINE, scale)
    canvas.paint(whole, ramp(base, .58 - .5 * across - .1 * along + bevel(whole, .1)), scale)


def heart(canvas, u, v, base, scale, rng):
    size = 1.45
    x, y = np.abs(u) / size, (.82 - v) / size
    half = .5 * np.maximum(x + y, 0)
    lower = np.sqrt(np.minimum(x ** 2 + (y - 1) ** 2, (x - half) ** 2 + (y - half) ** 2)) * np.sign(x - y)
    distance = np.where(x + y > 1, np.hypot(x - .25, y - .75) - .35355, lower) * size
    canvas.paint(distance - .07, OUTLINE, scale)
    canvas.paint(distance, ramp(base, .58 - .28 * u - .42 * v - .25 * np.exp(distance * 7)), scale)
    tilted_x, tilted_y = (u + .42) * .8 + (v + .4) * .6, (v + .4) * .8 - (u + .42) * .6
    canvas.paint(ellipse(tilted_x, tilted_y, .11, .2), WHITE, scale, .75)


def star(canvas, u, v, base, scale, rng):
    distance = polygon(u, v, star_corners(.98, .45, .05)) - .03
    canvas.paint(distance - .06, OUTLINE, scale)
    facet = np.floor((np.arctan2(v - .05, u) + np.pi / 2) / (np.pi / 5))
    canvas.paint(distance, ramp(base, .6 + .2 * np.where(facet % 2 == 0, 1, -1) - .22 * v - .1 * u), scale)


def chest(canvas, u, v, base, scale, rng):
    body = box(u, v - .3, .82, .48, .06)
    lid = np.minimum(np.maximum(ellipse(u, v + .12, .82, .62), v + .12), box(u, v + .15, .82, .06))
    whole = np.minimum(body, lid)
    plank = np.abs(((v * 3.2) % 1) - .5) * 2
    lock = box(u, v - .02, .17, .2, .04)
    canvas.paint(whole - .06, OUTLINE, scale)
    canvas.paint(body, ramp(base, .46 - .15 * u - .3 * v * .4 - .2 * (plank < .16)), scale)
    canvas.paint(lid, ramp(base, .68 - .15 * u + .35 * (-v - .5) * .6), scale)
    for x in (-.62, .62):
        canvas.paint(np.maximum(box(u - x, v, .09, 1.), whole), ramp(GOLD, .55 - .3 * v), scale)
    canvas.paint(np.maximum(box(u, v + .1, .82, .06), whole), ramp(GOLD, .4 + u * 0), scale)
    canvas.paint(lock - .03, OUTLINE, scale)
    canvas.paint(lock, ramp(GOLD, .68 - .6 * v), scale)
    canvas.paint(circle(u, v - .03, .055), OUTLINE, scale)


def mushroom(canvas, u, v, base, scale, rng):
    stem = np.minimum(box(u, v - .42, .24, .42, .1), ellipse(u, v - .75, .34, .16))
    cap = np.maximum(ellipse(u, v - .1, .95, .95), v - .14 - .06 * np.cos(u * 3))
    canvas.paint(np.minimum(stem, cap) - .06, OUTLINE, scale)
    canvas.paint(stem, ramp(colour(.93, .88, .76), .55 - .7 * u), scale)
    canvas.paint(ellipse(u, v - .14, .6, .1), ramp(colour(.8, .7, .58), u * 0 + .35), scale)
    canvas.paint(cap, ramp(base, .1 + .85 * ball(u, v - .1, 1.02)), scale)
    for x, y, radius in ((-.45, -.3, .17), (.12, -.52, .19), (.52, -.14, .15), (-.08, -.08, .12), (-.78, -.0, .09)):
        dot = np.maximum(circle(u - x, v - y, radius), cap + .03)
        canvas.paint(dot, ramp(colour(.96, .95, .9), .62 - .4 * u), scale)


def orb(canvas, u, v, base, scale, rng):
    distance = circle(u, v, .78)
    glow = base * .55 * np.exp(-np.maximum(distance, 0) * 5.5)[..., None] * .8
    canvas.picture = np.clip(canvas.picture + glow, 0, 1)
    canvas.paint(distance - .05, OUTLINE, scale)
    cloud = fractal_noise(rng, 2, 3)
    inner = .16 * np.exp(-((u - .3) ** 2 + (v - .35) ** 2) * 6)
    canvas.paint(distance, ramp(base, ball(u, v, .78) * .8 + .3 * (cloud - .5) + inner), scale)


def tree(canvas, u, v, base, scale, rng):
    trunk = polygon(u, v, [(-.13, .15), (.13, .15), (.22, .95), (-.22, .95)])
    canvas.paint(trunk - .06, OUTLINE, scale)
    canvas.paint(trunk, ramp(WOOD, .48 - 1.4 * u), scale)
    tufts = [(0, -.5, .46), (-.46, -.1, .42), (.46, -.1, .42), (0, .02, .46)]
    ragged = (value_noise(rng, 16) - .5) * .12
    crown_ = np.minimum.reduce([circle(u - x, v - y, radius) for x, y, radius in tufts]) + ragged
    canvas.paint(crown_ - .06, OUTLINE, scale)
    leaves = fractal_noise(rng, 16, 2)
    tone = np.maximum.reduce([np.where(circle(u - x, v - y, radius) < .06, ball(u - x, v - y, radius + .1), 0)
                              for x, y, radius in tufts])
    canvas.paint(crown_, ramp(base, .1 + .6 * np.clip(tone, 0, .9) - .16 * v + .4 * (leaves - .5)), scale)


def crown(canvas, u, v, base, scale, rng):
    corners = [(-.85, .6), (-.95, -.45), (-.45, .02), (0, -.72), (.45, .02), (.95, -.45), (.85, .6)]
    band = polygon(u, v, corners) - .03
    balls = [circle(u - x, v - y, .12) for x, y in ((-.95, -.5), (0, -.78), (.95, -.5))]
    canvas.paint(np.minimum(band, np.minimum.reduce(balls)) - .06, OUTLINE, scale)
    canvas.paint(band, ramp(base, .6 - .3 * u - .25 * v + .12 * np.sin(u * 9)), scale)
    for distance in balls:
        canvas.paint(distance, ramp(base, .75 + u * 0), scale)
    canvas.paint(box(u, v - .5, .84, .12, .03), ramp(base, .36 - .2 * u), scale)
    for x, name in ((-.5, "red"), (0, "blue"), (.5, "red")):
        jewel = circle(u - x, v - .5, .1)
        canvas.paint(jewel - .02, OUTLINE, scale, .8)
        canvas.paint(jewel, ramp(colour(*RGB[name]), .6 - 2 * (v - .5)), scale)


def flower(canvas, u, v, base, scale, rng):
    stem = segment(u, v, (0, 0), (.02, .95), .05)
    leaf_left = ellipse((u - .25) * .8 + (v - .62) * .6, (v - .62) * .8 - (u - .25) * .6, .27, .1)
    leaf_right = ellipse((u + .25) * .8 - (v - .7) * .6, (v - .7) * .8 + (u + .25) * .6, .27, .1)
    green = np.minimum(stem, np.minimum(leaf_left, leaf_right))
    canvas.paint(green - .05, OUTLINE, scale)
    canvas.paint(green, ramp(colour(.2, .58, .18), .5 - .5 * u), scale)
    count = int(rng.choice([5, 6]))
    first_angle = rng.random() * 6
    petals = []
    for i in range(count):
        angle = first_angle + i * 2 * np.pi / count
        cosine, sine = np.cos(angle), np.sin(angle)
        x, y = u * cosine + (v + .25) * sine, -u * sine + (v + .25) * cosine
        petals.append(ellipse(x - .38, y, .33, .24 if count == 5 else .2))
    canvas.paint(np.minimum.reduce(petals) - .06, OUTLINE, scale)
    for petal in petals:
        canvas.paint(petal - .015, ramp(base, u * 0 + .22), scale)
        canvas.paint(petal + .03, ramp(base, .62 - .3 * v - .1 + 1.1 * petal), scale)
    canvas.paint(circle(u, v + .25, .2) - .04, OUTLINE, scale, .8)
    yellowish = base[0] >= .9 and base[1] >= .7 and base[2] <= .6  # the middle must differ from the petals
    middle = colour(.55, .33, .12) if yellowish else colour(.98, .8, .2)
    canvas.paint(circle(u, v + .25, .2), ramp(middle, ball(u, v + .25, .25)), scale)


def slime(canvas, u, v, base, scale, rng):
    body = np.maximum(ellipse(u, v - .55, .9, 1.12), v - .62 - .06 * np.cos(u * 6))
    canvas.paint(body - .06, OUTLINE, scale)
    canvas.paint(body, ramp(base, .25 + .6 * ball(u, v - .3, 1.05)), scale)
    for x in (-.32, .32):
        canvas.paint(ellipse(u - x, v - .12, .15, .2), colour(.98, .98, .98), scale)
        canvas.paint(ellipse(u - x - .02, v - .16, .08, .12), OUTLINE, scale)
        canvas.paint(circle(u - x + .03, v - .1, .035), WHITE, scale)
    smile = np.maximum(np.abs(circle(u, v - .26, .16)) - .035, .3 - v)
    canvas.paint(smile, OUTLINE, scale)
    canvas.paint(ellipse(u + .45, v + .22, .1, .15), WHITE, scale, .75)


def house(canvas, u, v, base, scale, rng):
    wall = box(u, v - .4, .66, .48)
    roof = polygon(u, v, [(-.95, .0), (0, -.88), (.95, .0)]) - .02
    chimney = box(u - .48, v + .6, .12, .26)
    door, window = box(u + .25, v - .6, .16, .28, .02), box(u - .3, v - .42, .17, .15)
    canvas.paint(np.minimum(np.minimum(wall, roof), chimney) - .06, OUTLINE, scale)
    canvas.paint(chimney, ramp(colour(.6, .35, .28), .5 - u * .3), scale)
    canvas.paint(wall, ramp(colour(.93, .86, .7), .5 - .3 * u), scale)
    canvas.paint(roof, ramp(base, .58 - .25 * u - .28 * ((v * 6) % 1 < .22) - .1 * v), scale)
    canvas.paint(np.maximum(box(u, v - .04, .66, .06), wall), ramp(colour(.6, .5, .4), u * 0 + .3), scale)
    canvas.paint(door - .03, OUTLINE, scale)
    canvas.paint(door, ramp(WOOD, .5 - .3 * u), scale)
    canvas.paint(window - .035, OUTLINE, scale)
    canvas.paint(window, ramp(colour(.98, .85, .4), .6 - .5 * v), scale)
    canvas.paint(np.minimum(box(u - .3, v - .42, .02, .15), box(u - .3, v - .42, .17, .02)), OUTLINE, scale)
