"""What the classifier reads: attributes of scenes as numbers."""

from rendering.filters import FILTERS
from rendering.landscapes import TERRAINS, TIMES
from rendering.materials import MATERIALS, WEATHERINGS
from rendering.objects import OBJECTS
from rendering.pixels import RGB
from rendering.scene import BACKGROUND_MATERIALS, KINDS, LIGHTS, STYLES, Scene

# Attribute -> its values. Those in WITH_EMPTY have "" as a value of their own, where the attribute applies.
ATTRIBUTES = {
    "kind": list(KINDS), "material": list(MATERIALS), "material_colour": list(RGB), "weathering": ["", *WEATHERINGS],
    "object": list(OBJECTS), "object_colour": list(RGB), "second_object": list(OBJECTS), "second_colour": list(RGB),
    "background_material": ["", *BACKGROUND_MATERIALS], "background_colour": list(RGB), "terrain": list(TERRAINS),
    "time": list(TIMES), "light": list(LIGHTS), "style": [*STYLES, *FILTERS],
}
WITH_EMPTY = {"weathering": ("material", ), "background_material": ("object", "two objects"), "light": ("object", ),
              "style": tuple(KINDS)}
NONE = -100  # the scene does not have this attribute
# Under these filters colours cannot be read.
COLOURLESS = ("cyberpunk", "sketch")


def labels(scene: Scene) -> list:
    out = []
    for name, values in ATTRIBUTES.items():
        value = getattr(scene, name)
        applies = value != "" or scene.kind in WITH_EMPTY.get(name, ())
        hidden = scene.style in COLOURLESS and (name.endswith("colour") or name in ("light", "time"))
        out.append(values.index(value) if applies and not hidden else NONE)
    return out
