"""The whole recipe, in order, into the folder WORK: what is finished is left out, what was stopped goes on. With --minutes it
stops after that time. A training without a state of its own starts from the weights in checkpoints/, if there are any.
"""

import argparse
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
CHECKPOINTS = HERE / "checkpoints"
FIRST_EDITION = HERE.parent / "tiny"


@dataclasses.dataclass
class Stage:
    name: str  # as run.py knows it
    result: str  # what it leaves in the work folder
    arguments: list
    steps: int = 0  # of a training, whose work folder is the result's name with -run
    start: pathlib.Path | None = None  # weights that a training without a state starts from


def start_of(name: str, otherwise: pathlib.Path | None) -> pathlib.Path | None:
    """Committed weights, or else."""
    return CHECKPOINTS / name if (CHECKPOINTS / name).exists() else otherwise


def stages(work: pathlib.Path) -> list:
    styled, plain, objects, large, vae, tokenizer = (
        work / name for name in ("styled", "plain", "objects", "plain256", "vae", "tokenizer"))
    networks = [vae, tokenizer]
    return [
        Stage("data", "styled/scenes.json", [styled, "--count", 12000, "--styled", .17]),
        Stage("vae", "vae", [styled, vae], 8000, start_of("vae", FIRST_EDITION / "vae")),
        Stage("tokenizer", "tokenizer", [tokenizer]),
        Stage("data", "plain/scenes.json", [plain, "--count", 24000, "--first", 2_000_000]),
        # Objects are harder than all else: with these, four pictures in five show some.
        Stage("data", "objects/scenes.json",
              [objects, "--count", 30000, "--first", 4_000_000, "--kinds", "object", "two objects"]),
        Stage("denoiser", "denoiser128", [*networks, work / "denoiser128", plain, objects, "--rate", 1e-3, "--decay", .5], 12000,
              start_of("denoiser", None)),
        Stage("data", "plain256/scenes.json", [large, "--count", 6000, "--first", 3_000_000, "--size", 256]),
        Stage("denoiser", "denoiser", [*networks, work / "denoiser", plain, large, "--rate", 1e-3, "--decay", .5], 16000,
              work / "denoiser128"),
        Stage("export", "model", [work / "denoiser", vae, tokenizer, work / "model"]),
        Stage("classifier", "classifier.pt", [styled, work / "classifier.pt", "--vae", vae], 6000, start_of("classifier.pt", None)),
    ]


def run_folder(work: pathlib.Path, stage: Stage) -> pathlib.Path:
    return work / f"{stage.result.partition('.')[0]}-run"


def is_done(work: pathlib.Path, stage: Stage) -> bool:
    progress = run_folder(work, stage) / "progress.json"
    if stage.steps and not (progress.exists() and json.loads(progress.read_text())["step"] >= stage.steps):
        return False
    return (work / stage.result).exists()


def command(work: pathlib.Path, stage: Stage, options: list) -> list:
    """What run.py is to be called with; `options` are for trainings."""
    words = [stage.name, *stage.arguments]
    if stage.steps:
        folder = run_folder(work, stage)
        words += ["--work", folder, "--steps", stage.steps, *options]
        if (folder / "state.pt").exists():
            words.append("--resume")
        elif stage.start:
            words += ["--from", stage.start]
    return [str(word) for word in words]


def go_on(work: pathlib.Path, minutes: float, options: list, call: Callable) -> None:
    """Calls `call` with the arguments of one stage after the other until all are done or the time is over."""
    end = time.monotonic() + minutes * 60
    for stage in stages(work):
        if is_done(work, stage):
            continue
        left = (end - time.monotonic()) / 60
        if minutes and left <= 0:
            return
        words = command(work, stage, options + (["--minutes", f"{left:.2f}"] if minutes else []))
        print("run.py", " ".join(words), flush=True)
        call(words)
        if stage.steps and not is_done(work, stage):
            return  # the time was over


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=0.)
    parser.set_defaults(rest=[])
    parser.epilog = "More options for the trainings follow after --."


def run(options) -> None:
    from run import main
    go_on(options.work.resolve(), options.minutes, options.rest, main)
