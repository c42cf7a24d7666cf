"""From a scene to its picture, and from a seed to both."""

import numpy as np

from .captions import caption
from .filters import FILTERS
from .landscapes import draw_landscape
from .looks import lit, pixel_art
from .materials import draw_material
from .objects import OBJECTS
from .pixels import Grid, colour, ramp, varied
from .scene import Scene, draw_scene
from .shapes import Canvas, box, circle, ellipse


def background(grid: Grid, scene: Scene) -> np.ndarray:
    if scene.background_material:
        return draw_material(grid, scene.background_material, scene.background_colour) * .92
    return ramp(varied(grid.rng, scene.background_colour, .04), .56 - .16 * np.hypot(grid.x, grid.y + .1) ** 2)


def put(canvas: Canvas, name: str, colour_name: str, centre_x: float, centre_y: float, scale: float, glows: bool = False):
    canvas.place(centre_x, centre_y, scale)
    base = varied(canvas.rng, colour_name, .045)
    if glows:
        canvas.glow(circle(canvas.u, canvas.v, .75), base * .8 + .2, .95, 2.4)
    elif not canvas.flat:
        canvas.shade(ellipse(canvas.u - .08, canvas.v - .92, .8, .2), .42, .18)
    OBJECTS[name].draw(canvas, canvas.u, canvas.v, base)


def draw_object(grid: Grid, scene: Scene) -> np.ndarray:
    canvas = Canvas(grid, background(grid, scene))
    low, high = {"small": (.36, .46), "": (.54, .68), "large": (.76, .86)}[scene.size]
    scale = grid.rng.uniform(low, high)
    room = .95 - scale
    centre_x, centre_y = grid.rng.uniform(-1, 1) * min(room, .25), grid.rng.uniform(-1, 1) * min(room, .2)
    put(canvas, scene.object, scene.object_colour, centre_x, centre_y, scale, scene.light == "glow")
    return canvas.picture


def draw_icon(grid: Grid, scene: Scene) -> np.ndarray:
    """Three flat tones on a rounded square of the background's colour."""
    margin = colour(.2, .2, .23) if scene.background_colour == "white" else colour(.97, .97, .97)
    canvas = Canvas(grid, np.zeros((grid.size, grid.size, 3), np.float32) + margin, flat=True)
    canvas.paint(box(grid.x, grid.y, .88, .88, .3), varied(grid.rng, scene.background_colour, .04), .5)
    put(canvas, scene.object, scene.object_colour, 0, 0, grid.rng.uniform(.58, .66))
    return canvas.picture


def draw_two_objects(grid: Grid, scene: Scene) -> np.ndarray:
    canvas = Canvas(grid, background(grid, scene))
    scale = grid.rng.uniform(.36, .43)
    for side, name, colour_name in ((-.49, scene.object, scene.object_colour), (.49, scene.second_object, scene.second_colour)):
        put(canvas, name, colour_name, side + grid.rng.normal() * .02, grid.rng.normal() * .06, scale)
    return canvas.picture


def draw_plain(grid: Grid, scene: Scene) -> np.ndarray:
    if scene.kind == "material":
        return draw_material(grid, scene.material, scene.material_colour, scene.weathering)
    if scene.kind == "landscape":
        return draw_landscape(grid, scene.terrain, scene.time)
    if scene.kind == "two objects":
        return draw_two_objects(grid, scene)
    return (draw_icon if scene.style == "icon" else draw_object)(grid, scene)


def render(scene: Scene, seed, size: int = 128) -> np.ndarray:
    """float32 [size, size, 3] in 0..1. The same seed gives the same picture at any size."""
    grid = Grid(size, np.random.default_rng(seed))
    picture = np.clip(lit(grid, draw_plain(grid, scene), scene.light), 0, 1)
    if scene.style == "pixel art":
        return pixel_art(picture)
    return FILTERS[scene.style](grid, picture) if scene.style in FILTERS else picture


def to_bytes(picture: np.ndarray) -> np.ndarray:
    return (picture * 255 + .5).astype(np.uint8)


def scene_of(seed: int) -> Scene:
    return draw_scene(np.random.default_rng([seed, 0]))


def sample(seed: int, size: int = 128) -> tuple:
    """The picture (uint8 [size, size, 3]), a caption and the scene of this seed."""
    scene = scene_of(seed)
    words = caption(np.random.default_rng([seed, 1]), scene)
    return to_bytes(render(scene, [seed, 2], size)), words, scene
