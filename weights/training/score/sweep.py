"""Scores one model over many settings of the fjord program, the same prompts and seeds for all: what docs/claims.md says of
schedulers and of guidance. Appends one line for each setting to OUT (JSON lines); settings that are there already are left out.
"""

import argparse
import json
import pathlib

from rendering.render import render, to_bytes
from score.measures import blockiness
from score.program import pictures_of, scenes_to_draw, score
from score.train import load_classifier

DPM = "DPMSolverMultistepScheduler"
FIRST_ORDER_SOLVER = ["--scheduler-option", "algorithm_type=dpmsolver", "--scheduler-option", "final_sigmas_type=sigma_min"]


def scheduler_settings() -> dict:
    """Name -> options of the program."""
    rows = [("DDPM", "DDPMScheduler", (1000, 250, 100, 50), []), ("DDIM", "DDIMScheduler", (100, 50, 20, 10, 5), []),
            ("DPM-Solver", DPM, (20, 10, 5), FIRST_ORDER_SOLVER), ("DPM-Solver++", DPM, (50, 20, 10, 5), []),
            ("Euler", "EulerDiscreteScheduler", (50, 20, 10, 5), []), ("UniPC", "UniPCMultistepScheduler", (20, 10, 5), [])]
    return {f"{name}, {steps} steps": ["--scheduler", scheduler, *more, "--steps", str(steps)]
            for name, scheduler, all_steps, more in rows for steps in all_steps}


def guidance_settings() -> dict:
    remedies = {"": [], ", rescale 0.7": ["--guidance-rescale", "0.7"], ", thresholding to 4": ["--mimic-scale", "4"]}
    return {f"guidance {scale}{remedy}": ["--scheduler", DPM, "--steps", "20", "--guidance", str(scale), *options]
            for scale in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12) for remedy, options in remedies.items() if scale >= 4 or not remedy}


SWEEPS = {"schedulers": scheduler_settings, "guidance": guidance_settings}


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("classifier", "program", "model", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--sweep", choices=SWEEPS, required=True)
    parser.add_argument("--count", type=int, default=128, help="prompts for each setting (default: 128)")
    parser.add_argument("--only", default="", help="only settings whose name contains this")


def run(options) -> None:
    drawn, classifier = scenes_to_draw(options.count), load_classifier(options.classifier)
    scenes = [scene for _, scene in drawn]
    done = {json.loads(line)["setting"] for line in options.out.read_text().splitlines()} if options.out.exists() else set()
    for name, arguments in SWEEPS[options.sweep]().items():
        if name in done or options.only not in name:
            continue
        pictures = pictures_of(options.program, options.model, scenes, arguments)
        renders = [to_bytes(render(scene, [seed, 2], pictures[0].shape[0])) for seed, scene in drawn]
        scores = score(classifier, pictures, renders, scenes)
        scores["blockiness"] = sum(map(blockiness, pictures)) / len(pictures)
        line = json.dumps({"setting": name, "arguments": arguments, **scores})
        with open(options.out, "a") as out:
            out.write(line + "\n")
        print(line, flush=True)
