"""LoRA against fine-tuning of the whole U-Net: the same start, batches and steps, each in a process of its own.

DATA is a folder of pictures in one style, HELD_OUT another with other seeds. Prints a JSON line for each way: numbers that are
trained, size of the file, seconds a step, memory at its peak, and the velocity error on the held-out pictures before and after.
"""

import argparse
import json
import multiprocessing
import pathlib
import resource
import tempfile
import time

import torch

import train_lora
from base_model import BaseModel, load_model
from claims.timesteps import errors_of
from loop import Settings, add_options as add_loop_options, save_whole, settings_of
from train_denoiser import Batches

# Way -> rank and whether convolutions have a LoRA too; None: the whole U-Net is trained.
WAYS = {"LoRA, rank 4": (4, False), "LoRA, rank 16": (16, False), "LoRA, rank 8, with convolutions": (8, True), "everything": None}
RATES = {"LoRA": 2e-3, "everything": 5e-4}


def trained_module(unet, way: tuple | None) -> torch.nn.Module:
    return torch.nn.ModuleList(train_lora.add_lora(unet, *way).values()) if way else unet.requires_grad_(True)


def file_size(unet, module, folder: pathlib.Path) -> int:
    """Bytes of what has to be shipped, in float16."""
    if module is not unet:
        return 2 * sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    save_whole(unet.half(), folder / "unet")
    return sum(file.stat().st_size for file in (folder / "unet").glob("*.safetensors"))


def mean_error(base: BaseModel, batches: Batches, count: int) -> float:
    return errors_of(base.unet, base.text_encoder, batches, count)[0].mean().item()


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(base: BaseModel, held_out: Batches, way: tuple | None, settings: Settings, count: int) -> dict:
    """Trains the U-Net of `base`, and tells what that took and brought."""
    before = mean_error(base, held_out, count)
    module = trained_module(base.unet, way)
    with tempfile.TemporaryDirectory() as folder:
        loaded, begin = peak_megabytes(), time.monotonic()
        run = train_lora.train(base.unet, base.text_encoder, base.batches, module, settings, pathlib.Path(folder))
        seconds, peak = time.monotonic() - begin, peak_megabytes()
        after = mean_error(base, held_out, count)
        size = file_size(base.unet, module, pathlib.Path(folder))
    return {"trained": sum(parameter.numel() for parameter in run.parameters), "megabytes of the file": size / 1e6,
            "seconds a step": seconds / run.step, "peak megabytes": peak, "peak megabytes before training": loaded,
            "error before": before, "error after": after, "steps": run.step}


def measure_alone(options, name: str) -> dict:
    """In a process that does nothing else."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    base = load_model(options.model, options.data, options.batch)
    held_out = load_model(options.model, options.held_out, options.batch).batches
    settings = settings_of(options, weight_decay=0., average=.98)
    settings.rate = RATES["LoRA" if WAYS[name] else "everything"]
    return measure(base, held_out, WAYS[name], settings, options.count)


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("model", "data", "held_out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--count", type=int, default=512, help="held-out pictures (default: 512)")
    add_loop_options(parser, 0.)


def run(options) -> None:
    options.steps = options.steps or 300
    for name in WAYS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:  # so that peaks are its own
            print(json.dumps({"way": name, **pool.apply(measure_alone, (options, name))}), flush=True)
