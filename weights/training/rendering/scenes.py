"""From a seed to a picture and its caption: what can be in a scene, how a caption says it, how it is painted."""

import dataclasses

import numpy as np

from . import objects
from .landscapes import TERRAINS, TIMES, draw_landscape
from .materials import MATERIALS, WEATHERINGS, draw_material
from .pixels import COLOURS, X, Y, ramp, varied
from .shapes import Canvas, ellipse

METALS = ["gold", "silver"]
# Objects and their colours; a colour that stands several times is drawn as often.
OBJECTS = {
    "gem": COLOURS, "potion": COLOURS, "coin": METALS * 3 + ["brown", "red", "blue", "green"],
    "sword": ["silver"] * 3 + ["gold", "blue", "red", "green", "purple", "black"], "shield": COLOURS,
    "key": METALS * 3 + ["red", "blue", "green", "purple"], "heart": COLOURS, "star": ["gold"] + COLOURS,
    "chest": ["brown"] * 3 + ["red", "blue", "green", "purple", "gray", "black"], "mushroom": COLOURS, "orb": COLOURS,
    "tree": ["green"] * 4 + ["orange", "yellow", "red", "pink", "blue", "purple", "white"],
    "crown": ["gold"] * 4 + ["silver"] * 2 + ["red", "blue"], "flower": [name for name in COLOURS if name != "green"],
    "slime": COLOURS, "house": COLOURS,
}
# Objects whose usual colour a caption may leave out.
OF_USUAL_COLOUR = ("tree", "chest", "sword", "crown", "key", "coin")
SYNONYMS = {"gem": ["gem", "jewel"], "orb": ["orb", "ball"], "chest": ["chest", "treasure chest"],
            "slime": ["slime", "slime monster"], "potion": ["potion", "potion bottle"]}
BACKGROUND_COLOURS = ["black", "white", "gray", "blue", "red", "green", "purple", "yellow", "brown", "teal", "pink",
                      "orange"]
BACKGROUND_MATERIALS = {
    "grass": ["on grass", "on the grass"], "planks": ["on wooden planks", "on a wooden floor"],
    "cobble": ["on a stone floor", "on cobblestone"], "brick": ["in front of a brick wall", "on a brick wall"],
    "sand": ["on sand"], "water": ["on water"], "lava": ["on lava"], "ice": ["on ice"],
    "checker": ["on a checkered floor"], "dirt": ["on dirt"],
}
PLURALS = ("bricks", "square tiles", "wooden planks", "grass", "dirt", "sand", "lava", "water", "ice", "marble",
           "roof tiles", "shingles", "cobblestone", "wood", "woven cloth", "fabric")


@dataclasses.dataclass
class Scene:
    """What is in a picture. `kind`: material, object, two objects, landscape; fields of other kinds stay empty."""

    kind: str = ""
    material: str = ""
    material_colour: str = ""
    weathering: str = ""
    object: str = ""
    object_colour: str = ""
    background_colour: str = ""
    background_material: str = ""
    second_object: str = ""
    second_colour: str = ""
    terrain: str = ""
    time: str = ""
    size: str = ""


def choose(rng, values):
    return values[int(rng.integers(len(values)))]


def with_article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def join(*words: str) -> str:
    return " ".join(word for word in words if word)


def draw_material_scene(rng) -> Scene:
    name = choose(rng, list(MATERIALS))
    usual = MATERIALS[name].colours[0]
    scene = Scene("material", name, usual if rng.random() < .3 else choose(rng, MATERIALS[name].colours))
    weatherings = [weathering for weathering, materials in WEATHERINGS.items() if name in materials]
    if weatherings and rng.random() < .4:
        scene.weathering = choose(rng, weatherings)
    return scene


def draw_object_scene(rng) -> Scene:
    scene = Scene("object", object=choose(rng, list(OBJECTS)))
    scene.object_colour = choose(rng, OBJECTS[scene.object])
    scene.size = choose(rng, ["small", "", "", "large"])
    if rng.random() < .68:
        contrast = rng.random() < .4
        scene.background_colour = choose(rng, ["black", "white"] if contrast else BACKGROUND_COLOURS)
    else:
        scene.background_material = choose(rng, list(BACKGROUND_MATERIALS))
    if scene.background_colour == scene.object_colour:
        scene.background_colour = "white" if scene.object_colour != "white" else "black"
    return scene


def draw_two_object_scene(rng) -> Scene:
    first, second = rng.choice(list(OBJECTS), 2, replace=rng.random() < .15)
    scene = Scene("two objects", object=str(first), second_object=str(second))
    scene.object_colour = choose(rng, OBJECTS[scene.object])
    scene.second_colour = choose(rng, OBJECTS[scene.second_object])
    free = [name for name in ("black", "white", "gray", "blue", "green", "brown")
            if name not in (scene.object_colour, scene.second_colour)]
    scene.background_colour = choose(rng, free)
    return scene


def draw_scene(rng) -> Scene:
    """A random scene: 36 % materials, 40 % objects, 12 % two objects, 12 % landscapes."""
    kind = rng.random()
    if kind < .36:
        return draw_material_scene(rng)
    if kind < .76:
        return draw_object_scene(rng)
    if kind < .88:
        return draw_two_object_scene(rng)
    return Scene("landscape", terrain=choose(rng, list(TERRAINS)), time=choose(rng, list(TIMES)))


def material_caption(rng, scene: Scene) -> str:
    name = choose(rng, MATERIALS[scene.material].names)
    usual = scene.material_colour == MATERIALS[scene.material].colours[0]
    says_colour = not (usual and rng.random() < .6)
    words = join(scene.weathering, scene.material_colour if says_colour else "", name)
    phrase = words if name in PLURALS else with_article(words)
    form = rng.random()
    if form < .6:
        return phrase
    if form < .75:
        return words
    return phrase + " texture" if form < .85 else "a texture of " + phrase


def object_words(rng, name: str, colour_name: str, size: str = "") -> str:
    return join(size, colour_name, choose(rng, SYNONYMS.get(name, [name])))


def object_caption(rng, scene: Scene) -> str:
    usual = scene.object_colour == OBJECTS[scene.object][0] and scene.object in OF_USUAL_COLOUR
    colour_name = "" if rng.random() < (.35 if usual else .06) else scene.object_colour
    size = scene.size if rng.random() < .75 else ""
    words = object_words(rng, scene.object, colour_name, size)
    phrase = with_article(words) if rng.random() < .85 else words
    if not scene.background_colour:
        return phrase + " " + choose(rng, BACKGROUND_MATERIALS[scene.background_material])
    if rng.random() >= .85:
        return phrase
    dark = "dark" if scene.background_colour == "black" else scene.background_colour
    return f"{phrase} on {with_article(dark if rng.random() < .5 else scene.background_colour)} background"


def two_object_caption(rng, scene: Scene) -> str:
    rng.random()  # one object draws here whether its size is said; both kinds take the same course
    first = with_article(object_words(rng, scene.object, scene.object_colour))
    link = choose(rng, [" and ", " next to "])
    second = with_article(object_words(rng, scene.second_object, scene.second_colour))
    background = f" on {with_article(scene.background_colour)} background"
    return first + link + second + (background if rng.random() < .5 else "")


def caption(rng, scene: Scene) -> str:
    """One of the many ways to say it. What is left out was free, or is as usual."""
    if scene.kind == "material":
        return material_caption(rng, scene)
    if scene.kind == "object":
        return object_caption(rng, scene)
    if scene.kind == "two objects":
        return two_object_caption(rng, scene)
    return choose(rng, TERRAINS[scene.terrain]) + " " + choose(rng, TIMES[scene.time])


def full_caption(scene: Scene) -> str:
    """Every attribute is stated, always in the same words."""
    if scene.kind == "material":
        return join(scene.weathering, scene.material_colour, MATERIALS[scene.material].names[0])
    if scene.kind == "landscape":
        return TERRAINS[scene.terrain][0] + " " + TIMES[scene.time][0]
    background = f"on {with_article(scene.background_colour)} background" if scene.background_colour else ""
    first = with_article(join(scene.size, scene.object_colour, scene.object))
    if scene.kind == "two objects":
        second = with_article(join(scene.second_colour, scene.second_object))
        return f"{first} and {second} {background}"
    return first + " " + (background or BACKGROUND_MATERIALS[scene.background_material][0])


def place(canvas, name: str, colour_name: str, centre_x: float, centre_y: float, scale: float, rng) -> None:
    u, v = (X - centre_x) / scale, (Y - centre_y) / scale
    canvas.shade(ellipse(u - .08, v - .92, .8, .2), .42, .18)
    base = varied(rng, colour_name, .045)
    getattr(objects, name)(canvas, u.astype(np.float32), v.astype(np.float32), base, scale, rng)


def background(rng, scene: Scene) -> np.ndarray:
    if scene.background_colour:
        return ramp(varied(rng, scene.background_colour, .04), .56 - .16 * np.hypot(X, Y + .1) ** 2)
    usual = MATERIALS[scene.background_material].colours[0]
    return draw_material(rng, scene.background_material, usual) * .92


def place_one(canvas, rng, scene: Scene) -> None:
    sizes = {"small": rng.uniform(.36, .46), "": rng.uniform(.54, .68), "large": rng.uniform(.76, .86)}
    scale = sizes[scene.size]
    room = .95 - scale
    centre_x, centre_y = rng.uniform(-1, 1) * min(room, .25), rng.uniform(-1, 1) * min(room, .2)
    place(canvas, scene.object, scene.object_colour, centre_x, centre_y, scale, rng)


def place_two(canvas, rng, scene: Scene) -> None:
    scale = rng.uniform(.36, .43)
    for side, name, colour_name in ((-.49, scene.object, scene.object_colour),
                                    (.49, scene.second_object, scene.second_colour)):
        centre_x, centre_y = side + rng.normal() * .02, rng.normal() * .06
        place(canvas, name, colour_name, centre_x, centre_y, scale, rng)


def render(rng, scene: Scene) -> np.ndarray:
    """float32 [SIZE, SIZE, 3] in 0..1."""
    if scene.kind == "material":
        return draw_material(rng, scene.material, scene.material_colour, scene.weathering)
    if scene.kind == "landscape":
        return draw_landscape(rng, scene.terrain, scene.time)
    canvas = Canvas(background(rng, scene))
    (place_one if scene.kind == "object" else place_two)(canvas, rng, scene)
    return np.clip(canvas.picture, 0, 1)


def sample(seed: int) -> tuple:
    """The picture (uint8 [SIZE, SIZE, 3]), a caption and the scene of this seed."""
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng)
    words = caption(rng, scene)
    return (render(rng, scene) * 255 + .5).astype(np.uint8), words, scene
