"""Forty-eight things, each painted with an outline in its own square."""

import dataclasses
from collections.abc import Callable

from . import figures, nature, tools, treasure
from ..pixels import COLOURS


@dataclasses.dataclass(frozen=True)
class Object:
    draw: Callable  # (canvas, u, v, base colour)
    colours: tuple  # a colour that stands several times is drawn as often
    names: tuple  # how captions call it
    usual: str = ""  # the colour that a caption may leave out


def _object(draw, colours: str, *synonyms: str, usual: str = "") -> Object:
    drawn = [name for name in colours.split() if name != "any"] + (COLOURS if "any" in colours.split() else [])
    return Object(draw, tuple(drawn), (draw.__name__, *synonyms), usual)


_ALL = [
    _object(treasure.gem, "any", "jewel"),
    _object(treasure.coin, "gold gold gold silver silver silver brown red blue green", usual="gold"),
    _object(treasure.key, "gold gold silver silver red blue green purple", usual="gold"),
    _object(treasure.heart, "any"), _object(treasure.star, "gold any"),
    _object(treasure.chest, "brown brown brown red blue green purple gray black", "treasure chest", usual="brown"),
    _object(treasure.crown, "gold gold gold gold silver silver red blue", usual="gold"),
    _object(treasure.ring, "gold gold gold silver silver red blue green purple black", usual="gold"),
    _object(treasure.bell, "gold gold gold silver red blue green", usual="gold"),
    _object(treasure.moon, "yellow silver gold blue purple orange white", "crescent moon", "crescent", usual="yellow"),
    _object(treasure.orb, "any", "ball"),
    _object(treasure.bolt, "yellow blue purple orange white red green", "lightning bolt", usual="yellow"),
    _object(tools.potion, "any", "potion bottle"),
    _object(tools.sword, "silver silver silver gold blue red green purple black", usual="silver"),
    _object(tools.shield, "any"),
    _object(tools.axe, "silver silver gold blue red green purple", usual="silver"),
    _object(tools.hammer, "gray silver brown gold blue red green purple", usual="gray"),
    _object(tools.bomb, "black black red blue green purple gray", usual="black"),
    _object(tools.book, "any"), _object(tools.lantern, "black gold brown red blue green purple gray", "lamp"),
    _object(tools.candle, "white white any", usual="white"),
    _object(tools.cup, "any", "mug"), _object(tools.barrel, "brown brown brown red blue green gray", usual="brown"),
    _object(tools.umbrella, "any"), _object(tools.hat, "any", "wizard hat"), _object(tools.flag, "any"),
    _object(nature.mushroom, "any"),
    _object(nature.tree, "green green green orange yellow red pink blue purple white", usual="green"),
    _object(nature.flower, "red orange yellow blue purple pink brown white gray black teal"),
    _object(nature.apple, "red red green green yellow blue purple gold", usual="red"),
    _object(nature.cherry, "red red red pink purple blue yellow black", "cherries", usual="red"),
    _object(nature.pumpkin, "orange orange orange white green purple blue red", usual="orange"),
    _object(nature.carrot, "orange orange orange purple yellow red white", usual="orange"),
    _object(nature.cactus, "green green green teal blue purple pink", usual="green"),
    _object(nature.leaf, "green green green orange red yellow brown purple blue", usual="green"),
    _object(nature.slime, "any", "slime monster"), _object(nature.fish, "any"),
    _object(nature.duck, "yellow yellow white brown blue green pink", "rubber duck", usual="yellow"),
    _object(nature.cat, "orange gray black white brown blue pink", "cat face"), _object(nature.butterfly, "any"),
    _object(figures.house, "any"), _object(figures.ghost, "white white any", usual="white"),
    _object(figures.skull, "white white white gray red green blue purple gold", usual="white"),
    _object(figures.robot, "any", "robot head"), _object(figures.rocket, "red red any", "spaceship"),
    _object(figures.car, "any"), _object(figures.boat, "any", "sailboat"),
    _object(figures.balloon, "any", "hot air balloon"),
]
OBJECTS = {thing.names[0]: thing for thing in _ALL}
