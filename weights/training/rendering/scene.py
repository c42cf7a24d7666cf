"""What can be in a picture, and random scenes."""

import dataclasses

from .landscapes import TERRAINS, TIMES
from .materials import MATERIALS, WEATHERINGS
from .objects import OBJECTS

KINDS = {"material": .28, "object": .44, "two objects": .18, "landscape": .1}  # and how often they are drawn
SIZES = ("small", "", "large")
LIGHTS = ("", "moonlight", "candlelight", "spotlight", "glow")
STYLES = ("", "pixel art", "icon")  # drawn by random scenes; filters.FILTERS are put on by those who ask for them
BACKGROUND_COLOURS = ("black", "white", "gray", "blue", "red", "green", "purple", "yellow", "brown", "teal", "pink", "orange")
BACKGROUND_MATERIALS = ("grass", "planks", "cobble", "brick", "sand", "water", "lava", "ice", "checker", "dirt", "cloth", "snow",
                        "marble", "gravel")
# Materials that can be recognised in 32 x 32 squares.
COARSE_MATERIALS = ("brick", "cobble", "tiles", "planks", "metal", "checker", "roof", "mosaic", "lava", "water", "ice", "stripes",
                    "dots", "grass", "scales", "bamboo", "honeycomb")
PALE = ("white", "yellow", "pink", "silver", "gold")  # nothing glows before these
# Pairs that are hard to tell apart when one lies on the other.
ALIKE = ({"gold", "yellow"}, {"gold", "orange"}, {"silver", "gray"}, {"silver", "white"}, {"gold", "brown"}, {"blue", "purple"},
         {"red", "orange"})


@dataclasses.dataclass
class Scene:
    """What is in a picture. `kind`: material, object, two objects, landscape; fields of other kinds stay empty.

    Behind objects there is a plain background_colour, or a background_material of that colour.
    """

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
    light: str = ""
    style: str = ""


def choose(rng, values):
    return values[int(rng.integers(len(values)))]


def clash(first: str, second: str) -> bool:
    return first == second or {first, second} in ALIKE


def some_material(rng, name: str) -> str:
    """A colour of the material, often the usual one."""
    colours = MATERIALS[name].colours
    return colours[0] if rng.random() < .3 else choose(rng, colours)


def draw_material_scene(rng) -> Scene:
    name = choose(rng, list(MATERIALS))
    scene = Scene("material", name, some_material(rng, name))
    weatherings = [weathering for weathering, materials in WEATHERINGS.items() if name in materials]
    if weatherings and rng.random() < .35:
        scene.weathering = choose(rng, weatherings)
    scene.style = "pixel art" if name in COARSE_MATERIALS and rng.random() < .15 else ""
    return scene


def draw_background(rng, scene: Scene) -> None:
    if rng.random() < .62:
        free = [name for name in BACKGROUND_COLOURS if not clash(name, scene.object_colour)]
        contrast = [name for name in free if name in ("black", "white", "gray")]
        scene.background_colour = choose(rng, contrast if rng.random() < .35 else free)
        return
    scene.background_material = choose(rng, BACKGROUND_MATERIALS)
    colours = MATERIALS[scene.background_material].colours
    free = [name for name in colours if not clash(name, scene.object_colour)]
    usual_is_free = free and free[0] == colours[0]
    scene.background_colour = free[0] if usual_is_free and rng.random() < .6 else choose(rng, free)


def draw_object_scene(rng) -> Scene:
    scene = Scene("object", object=choose(rng, list(OBJECTS)))
    scene.object_colour = choose(rng, OBJECTS[scene.object].colours)
    draw_background(rng, scene)
    look = rng.random()
    if look < .1 and not scene.background_material:
        scene.style = "icon"
        return scene
    if look > .9:
        scene.style = "pixel art"
    scene.size = choose(rng, ["", "", "large"] if scene.style else ["small", "", "", "large"])
    if rng.random() < .2 and not scene.style:
        scene.light = choose(rng, [light for light in LIGHTS[1:] if light != "glow" or scene.background_colour not in PALE])
    return scene


def draw_two_object_scene(rng) -> Scene:
    first, second = rng.choice(list(OBJECTS), 2, replace=rng.random() < .1)
    scene = Scene("two objects", object=str(first), second_object=str(second))
    scene.object_colour = choose(rng, OBJECTS[scene.object].colours)
    scene.second_colour = choose(rng, OBJECTS[scene.second_object].colours)
    free = [name for name in BACKGROUND_COLOURS
            if not clash(name, scene.object_colour) and not clash(name, scene.second_colour)]
    scene.background_colour = choose(rng, free)
    return scene


def draw_landscape_scene(rng) -> Scene:
    scene = Scene("landscape", terrain=choose(rng, list(TERRAINS)), time=choose(rng, list(TIMES)))
    scene.style = "pixel art" if rng.random() < .12 else ""
    return scene


def draw_scene(rng) -> Scene:
    draws = (draw_material_scene, draw_object_scene, draw_two_object_scene, draw_landscape_scene)
    return draws[int(rng.choice(4, p=list(KINDS.values())))](rng)
