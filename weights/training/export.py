"""Joins the trained parts into a pipeline folder of float16 weights, as weights/tiny."""

import argparse
import json
import pathlib
import shutil

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from loop import save_whole
from train_denoiser import NOISE

DEFAULTS = {"steps": 25, "guidance": 4.0}  # fjord.json


def export(denoiser: pathlib.Path, vae: pathlib.Path, tokenizer: pathlib.Path, out: pathlib.Path) -> None:
    scheduler = DDIMScheduler(**NOISE, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=False)
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(vae), text_encoder=CLIPTextModel.from_pretrained(denoiser / "text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer), scheduler=scheduler,
        unet=UNet2DConditionModel.from_pretrained(denoiser / "unet"), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False)
    save_whole(pipeline.to(torch.float16), out)
    for name in ("vocab.json", "merges.txt"):  # transformers 5 writes tokenizer.json alone
        shutil.copy(tokenizer / name, out / "tokenizer" / name)
    for path in out.glob("*/training.json"):
        path.unlink()
    for path in out.glob("*/config.json"):  # no paths of the machine that trained
        config = {key: value for key, value in json.loads(path.read_text()).items() if key != "_name_or_path"}
        path.write_text(json.dumps(config, indent=2) + "\n")
    (out / "fjord.json").write_text(json.dumps(DEFAULTS) + "\n")


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("denoiser", "vae", "tokenizer", "out"):
        parser.add_argument(name, type=pathlib.Path)


def run(options) -> None:
    export(options.denoiser, options.vae, options.tokenizer, options.out)
