"""Scores a model: draws prompts in which every attribute is stated, runs the fjord program, and reads its pictures.

Reports the share of right attributes and of wholly right pictures, the distance to renders of the same scenes, the
saturation of both, and the seam error of materials. With --old only the grammar of the first edition is used, with
--style every prompt asks for that style, as a LoRA knows it (give the LoRA after --).
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

from rendering.captions import full_caption
from rendering.filters import FILTERS
from rendering.materials import MATERIALS
from rendering.render import render, to_bytes
from rendering.scene import Scene, draw_scene
from score.attributes import labels
from score.classifier import read, shares
from score.measures import frechet_distance, saturation, seam_error
from score.train import load_classifier, show
from train_vae import to_batch

FIRST_SEED = 500_000_000  # scenes of prompts: far from those of any training
OLD_OBJECTS = frozenset("gem potion coin sword shield key heart star chest mushroom orb tree crown flower slime house".split())
OLD_MATERIALS = frozenset("brick cobble tiles planks grass dirt sand lava water ice metal marble checker roof cloth".split())
OLD_LANDS = frozenset("hills mountains desert sea".split())


def is_old(scene: Scene) -> bool:
    """Whether the first edition's grammar can say it."""
    objects = {scene.object, scene.second_object} - {""}
    material = scene.background_material
    usual_background = not material or (material in OLD_MATERIALS - {"marble", "cloth"} and
                                        scene.background_colour == MATERIALS[material].colours[0])
    return (objects <= OLD_OBJECTS and {scene.material} - {""} <= OLD_MATERIALS and {scene.terrain} - {""} <= OLD_LANDS and
            usual_background and not scene.light and not scene.style and scene.time != "fog")


def scenes_to_draw(count: int, old: bool = False, style: str = "") -> list:
    """[(seed, scene)]; with a style, the scenes that have none and no light, in that style."""
    out, seed = [], FIRST_SEED
    while len(out) < count:
        scene = draw_scene(np.random.default_rng([seed, 0]))
        if (not old or is_old(scene)) and not (style and (scene.style or scene.light)):
            scene.style = style or scene.style
            out.append((seed, scene))
        seed += 1
    return out


def picture_of(program, model, prompt: str, seed: int, arguments: list) -> np.ndarray:
    """One run of the program: uint8 [height, width, 3]."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "picture.png"
        subprocess.run([program, "txt2img", "--model", model, "--prompt", prompt, "--seed", str(seed), "--progress", "none",
                        "--out", file, *arguments], check=True, stdout=subprocess.DEVNULL)
        return np.asarray(Image.open(file).convert("RGB"))


def pictures_of(program, model, scenes: list, arguments: list) -> list:
    """One for every scene, with the seeds 0, 1, 2, ..."""
    return [picture_of(program, model, full_caption(scene), seed, arguments) for seed, scene in enumerate(scenes)]


def renders_of(drawn: list, size: int) -> list:
    """What the renderer draws for [(seed, scene)]."""
    return [to_bytes(render(scene, [seed, 2], size)) for seed, scene in drawn]


def score(classifier, pictures: list, renders: list, scenes: list) -> dict:
    """Everything that is measured; `renders` are the renderer's pictures of the same scenes."""
    found, features = read(classifier, (to_batch(pictures[i:i + 32]) for i in range(0, len(pictures), 32)))
    _, wanted_features = read(classifier, (to_batch(renders[i:i + 32]) for i in range(0, len(renders), 32)))
    seams = [seam_error(picture) for picture, scene in zip(pictures, scenes) if scene.kind == "material" and not scene.style]
    return {"shares": shares(found, np.array([labels(scene) for scene in scenes])), "sample": len(pictures),
            "distance": frechet_distance(features, wanted_features), "saturation": saturation(np.array(pictures)),
            "saturation of renders": saturation(np.array(renders)), "seam error": float(np.mean(seams)) if seams else None}


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("classifier", "program", "model"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--old", action="store_true", help="only the grammar of the first edition")
    parser.add_argument("--style", choices=FILTERS, default="")
    parser.add_argument("--out", type=pathlib.Path, help="also write the figures to this JSON file")
    parser.set_defaults(rest=[])
    parser.epilog = "Options for the program follow after --."


def run(options) -> None:
    drawn = scenes_to_draw(options.count, options.old, options.style)
    scenes = [scene for _, scene in drawn]
    pictures = pictures_of(options.program, options.model, scenes, options.rest)
    renders = renders_of(drawn, pictures[0].shape[0])
    scores = score(load_classifier(options.classifier), pictures, renders, scenes)
    print(show(scores["shares"]))
    print("\n".join(f"{name}: {value}" for name, value in scores.items() if name != "shares"))
    if options.out:
        options.out.write_text(json.dumps(scores, indent=1) + "\n")
