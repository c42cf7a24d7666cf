"""What the trainings that begin with a whole model share: its options, and the model with its data."""

import argparse
import dataclasses
import pathlib

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from data import load_scenes
from loop import add_options as add_loop_options
from train_denoiser import Batches, latents_of
from train_vae import load_vae


@dataclasses.dataclass(frozen=True)
class BaseModel:
    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel  # stays as it is
    vae: AutoencoderKL
    batches: Batches


def add_base_options(parser: argparse.ArgumentParser, rate: float, model: str = "a pipeline folder", out: str | None = None) -> None:
    """`model`, `out`: the help of these arguments; `rate`: the usual rate of learning."""
    parser.add_argument("model", type=pathlib.Path, help=model)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, help=out)
    parser.add_argument("--batch", type=int, default=32)
    add_loop_options(parser, rate)


def load_unet(model: pathlib.Path) -> UNet2DConditionModel:
    return UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32)


def load_model(model: pathlib.Path, data: pathlib.Path, batch: int) -> BaseModel:
    unet = load_unet(model)
    text_encoder = CLIPTextModel.from_pretrained(model / "text_encoder", dtype=torch.float32).requires_grad_(False)
    vae = load_vae(model / "vae").eval()
    batches = Batches([(latents_of(vae, data), load_scenes(data))], CLIPTokenizer.from_pretrained(model / "tokenizer"), batch)
    return BaseModel(unet, text_encoder, vae, batches)


def load_base(options) -> BaseModel:
    """After the options of add_base_options."""
    torch.manual_seed(options.seed)
    return load_model(options.model, options.data, options.batch)
