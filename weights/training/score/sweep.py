"""Scores one model over many settings of the fjord program, the same prompts and seeds for all: what docs/claims.md says of
schedulers, guidance, quantisation and LoRAs. Appends one line for each setting to OUT (JSON lines); settings that are there already
are left out.
"""

import argparse
import functools
import itertools
import json
import pathlib
import subprocess
import tempfile

from rendering.contact_sheet import tiled
from score.measures import blockiness
from score.program import pictures_of, renders_of, scenes_to_draw, score
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


# Options of `fjord quantize` by name.
QUANTIZED = {
    "int8": [], "int8, only first and last layers kept": ["--keep", "conv_in", "--keep", "conv_out"],
    "int8 everywhere": ["--keep", "none"], "int8 weights only": ["--inputs", "unchanged"], "int4 weights only": ["--bits", "4"],
}


def of_the_model_itself(settings: dict) -> dict:
    return {name: (arguments, None) for name, arguments in settings.items()}


def quantization_settings() -> dict:
    return (of_the_model_itself({name: ["--dtype", name] for name in ("float32", "bfloat16")}) |
            {name: (["--dtype", "float32"], options) for name, options in QUANTIZED.items()})


def lora_settings(folder: pathlib.Path) -> dict:
    """None, each LoRA in the folder, and all pairs: what they do to prompts that do not ask for their style."""
    files = sorted(folder.glob("*-kohya.safetensors"))
    chosen = [()] + [group for count in (1, 2) for group in itertools.combinations(files, count)]
    return {" and ".join(file.name.removesuffix("-kohya.safetensors") for file in group) or "no LoRA":
            ["--scheduler", DPM, "--steps", "20", *(word for file in group for word in ("--lora", str(file)))] for group in chosen}


# Sweep -> its settings: name -> (options of the program, options of `fjord quantize`, which makes the model first, or None).
SWEEPS = {"schedulers": lambda options: of_the_model_itself(scheduler_settings()),
          "guidance": lambda options: of_the_model_itself(guidance_settings()),
          "quantization": lambda options: quantization_settings(),
          "loras": lambda options: of_the_model_itself(lora_settings(options.loras))}


def pictures_of_setting(options, scenes: list, arguments: list, quantize: list | None) -> list:
    if quantize is None:
        return pictures_of(options.program, options.model, scenes, arguments)
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model"
        subprocess.run([options.program, "quantize", options.model, model, *quantize], check=True, stdout=subprocess.DEVNULL)
        return pictures_of(options.program, model, scenes, arguments)


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("classifier", "program", "model", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--sweep", choices=SWEEPS, required=True)
    parser.add_argument("--loras", type=pathlib.Path, help="with --sweep loras: their folder")
    parser.add_argument("--count", type=int, default=128, help="prompts for each setting (default: 128)")
    parser.add_argument("--old", action="store_true", help="only the grammar of the first edition")
    parser.add_argument("--sheets", type=pathlib.Path, help="a folder for a PNG of the first sixteen pictures of each setting")
    parser.add_argument("--only", default="", help="only settings whose name contains this")


def write_sheet(pictures: list, file: pathlib.Path) -> None:
    """Up to sixteen pictures in two rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = min(len(pictures) // 2, 8)
    tiled(pictures[:2 * half], half).save(file)


def run(options) -> None:
    drawn, classifier = scenes_to_draw(options.count, options.old), load_classifier(options.classifier)
    scenes = [scene for _, scene in drawn]
    renders = functools.cache(lambda size: renders_of(drawn, size))  # the same for all settings
    done = {json.loads(line)["setting"] for line in options.out.read_text().splitlines()} if options.out.exists() else set()
    for name, (arguments, quantize) in SWEEPS[options.sweep](options).items():
        if name in done or options.only not in name:
            continue
        pictures = pictures_of_setting(options, scenes, arguments, quantize)
        if options.sheets:
            write_sheet(pictures, options.sheets / f"{name.replace(' ', '-').replace(',', '')}.png")
        scores = score(classifier, pictures, renders(pictures[0].shape[0]), scenes)
        scores["blockiness"] = sum(map(blockiness, pictures)) / len(pictures)
        line = json.dumps({"setting": name, "quantize": quantize, "arguments": arguments, **scores})
        with open(options.out, "a") as out:
            out.write(line + "\n")
        print(line, flush=True)
