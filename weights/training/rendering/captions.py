"""The grammar: how a caption says what is in a scene."""

import re

from .landscapes import TERRAINS, TIMES
from .materials import MATERIALS, WEATHERINGS
from .objects import OBJECTS
from .pixels import RGB
from .scene import Scene, choose

COLOUR_WORDS = {"gray": ("gray", "gray", "grey"), "purple": ("purple", "purple", "violet"), "gold": ("gold", "gold", "golden"),
                "teal": ("teal", "teal", "turquoise")}
SIZE_WORDS = {"small": ("small", "small", "tiny", "little"), "large": ("large", "large", "big", "huge"), "": ("", )}
# Names of materials that take no article.
UNCOUNTED = frozenset("""bricks|cobblestone|square tiles|wooden planks|wood|roof tiles|shingles|mosaic|honeycomb|bamboo|grass|
straw|hay|dirt|gravel|pebbles|sand|snow|lava|water|ice|marble|tree bark|bark|woven cloth|fabric|cloth|knitted wool|wool|
plaid cloth|tartan|stripes|striped wallpaper|polka dots|dots|leather|dragon scales|scales""".replace("\n", "").split("|"))
LIGHT_FORMS = {"moonlight": ("{} in moonlight", "{}, moonlight"), "candlelight": ("{} in candlelight", "{} in warm light"),
               "spotlight": ("{} in a spotlight", "{} under a spotlight")}
STYLE_FORMS = {
    "pixel art": ("pixel art of {}", "{}, pixel art", "{} in pixel art style"),
    "icon": ("an icon of {}", "{}, flat icon"),
    "watercolor": ("{}, watercolor style", "a watercolor painting of {}"),
    "cyberpunk": ("{}, cyberpunk style", "a cyberpunk picture of {}"),
    "sketch": ("{}, sketch style", "a pencil sketch of {}"),
}
MATERIAL_FORMS = ("{0}", "{0}", "{0}", "{1}", "{0} texture", "a texture of {0}", "seamless {1} texture", "a seamless tile of {0}")
PAIR_FORMS = ("{0} and {1}", "{0} and {1}", "{0} next to {1}", "{0} beside {1}", "{0} to the left of {1}",
              "{1} to the right of {0}")


def with_article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def join(*words: str) -> str:
    return " ".join(word for word in words if word)


def colour_words(rng, name: str) -> str:
    return choose(rng, COLOUR_WORDS.get(name, (name, )))


def material_phrase(name: str, words: str) -> str:
    return words if name in UNCOUNTED else with_article(words)


def styled(rng, scene: Scene, words: str) -> str:
    if scene.light in LIGHT_FORMS:
        words = choose(rng, LIGHT_FORMS[scene.light]).format(words)
    return choose(rng, STYLE_FORMS[scene.style]).format(words) if scene.style else words


def material_caption(rng, scene: Scene) -> str:
    name = choose(rng, MATERIALS[scene.material].names)
    usual = scene.material_colour == MATERIALS[scene.material].colours[0]
    colour_name = "" if usual and rng.random() < .5 else colour_words(rng, scene.material_colour)
    words = join(scene.weathering, colour_name, name)
    return styled(rng, scene, choose(rng, MATERIAL_FORMS).format(material_phrase(name, words), words))


def object_phrase(rng, name: str, colour_name: str, scene: Scene = Scene(), always_colour: bool = False) -> str:
    usual = colour_name == OBJECTS[name].usual
    silent = rng.random() < (.35 if usual else .04) and not always_colour
    words = join("glowing" if scene.light == "glow" else "", choose(rng, SIZE_WORDS[scene.size]),
                 "" if silent else colour_words(rng, colour_name), choose(rng, OBJECTS[name].names))
    return words if words.endswith("cherries") else with_article(words)


def background_phrase(rng, scene: Scene) -> str:
    if not scene.background_material:
        dark = scene.background_colour == "black" and rng.random() < .3
        colour_name = "dark" if dark else colour_words(rng, scene.background_colour)
        return choose(rng, ("on {} background", "on {} background", "against {} backdrop")).format(with_article(colour_name))
    material = MATERIALS[scene.background_material]
    usual = scene.background_colour == material.colours[0]
    name = choose(rng, material.names)
    words = join("" if usual and rng.random() < .5 else colour_words(rng, scene.background_colour), name)
    return ("in front of " if name.endswith("wall") else "on ") + material_phrase(name, words)


def object_caption(rng, scene: Scene) -> str:
    words = object_phrase(rng, scene.object, scene.object_colour, scene)
    if scene.background_material or rng.random() < .88:
        words = join(words, background_phrase(rng, scene))
    return styled(rng, scene, words)


def two_object_caption(rng, scene: Scene) -> str:
    first = object_phrase(rng, scene.object, scene.object_colour, always_colour=True)
    second = object_phrase(rng, scene.second_object, scene.second_colour, always_colour=True)
    pair = choose(rng, PAIR_FORMS).format(first, second)
    return styled(rng, scene, join(pair, background_phrase(rng, scene) if rng.random() < .7 else ""))


def landscape_caption(rng, scene: Scene) -> str:
    return styled(rng, scene, join(choose(rng, TERRAINS[scene.terrain]), choose(rng, TIMES[scene.time])))


def caption(rng, scene: Scene) -> str:
    """One of the many ways to say it. What is left out was free, or is as usual."""
    return {"material": material_caption, "object": object_caption, "two objects": two_object_caption,
            "landscape": landscape_caption}[scene.kind](rng, scene)


def full_caption(scene: Scene) -> str:
    """Every attribute is stated, always in the same words: those that stand first in the tables."""
    return caption(_First(), scene)


class _First:
    """Stands for a generator: takes what comes first, and leaves nothing out."""

    def random(self) -> float:
        return .5

    def integers(self, count: int) -> int:
        return 0


def words_of_grammar() -> set:
    """Every word and sign that a caption can contain."""
    tables = [*COLOUR_WORDS.values(), *SIZE_WORDS.values(), *LIGHT_FORMS.values(), *STYLE_FORMS.values(), MATERIAL_FORMS,
              PAIR_FORMS, *TERRAINS.values(), *TIMES.values(), RGB, WEATHERINGS,
              *(named.names for table in (MATERIALS, OBJECTS) for named in table.values()),
              ("a an on against background backdrop dark in front of glowing", )]
    return {word for table in tables for phrase in table for word in re.findall(r"[a-z]+|[^\sa-z0-9{}]", phrase)}
