"""Trains a ControlNet (arXiv:2302.05543) that follows edges: white lines on black, as `edges_of` finds them in the pictures.

The U-Net and the text encoder stay; the ControlNet begins as a copy of the U-Net's first half whose outputs are zero.
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from data import load_images, load_scenes
from loop import Run, Settings, add_options as add_loop_options, settings_of
from rendering.filters import blurred, edges
from rendering.pixels import luminance
from train_denoiser import Batches, latents_of, loss_weights, train_attention_explicitly
from train_vae import load_vae

STEEPNESS = .055  # from which change of luminance per point on there is an edge


def edges_of(picture: np.ndarray) -> np.ndarray:
    """bool [height, width] of a uint8 picture [height, width, 3]."""
    return edges(luminance(blurred(picture.astype(np.float32) / 255, .6))) > STEEPNESS


def new_control(unet: UNet2DConditionModel) -> ControlNetModel:
    return ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32, 64, 64))


def control_map(pictures) -> torch.Tensor:
    """uint8 [batch, height, width, 3] -> [batch, 3, height, width], 0 or 1."""
    maps = torch.from_numpy(np.stack([edges_of(picture) for picture in pictures])).float()
    return maps[:, None].expand(-1, 3, -1, -1).contiguous()


def train(control, unet, text_encoder, batches: Batches, images, settings: Settings, folder: pathlib.Path,
          resume: bool = False) -> Run:
    unet.requires_grad_(False)
    for network in (control, unet):
        train_attention_explicitly(network)
    weights = loss_weights(batches.alphas)
    run = Run(folder, {"control": control.train()}, settings)
    if resume:
        run.resume()

    def losses(step, rng):
        noisy, timesteps, velocity, ids, chosen = batches.draw(rng)
        with torch.no_grad():
            states = text_encoder(ids).last_hidden_state
        down, middle = control(noisy, timesteps, states, controlnet_cond=control_map(images[chosen]), return_dict=False)
        prediction = unet(noisy, timesteps, states, down_block_additional_residuals=down, mid_block_additional_residual=middle)
        errors = ((prediction.sample.float() - velocity) ** 2).mean((1, 2, 3))
        return (errors * weights[timesteps]).mean(), {"velocity_error": errors.mean().item()}

    run.train(losses)
    return run


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=pathlib.Path, help="a pipeline folder")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=32)
    add_loop_options(parser, 5e-4)


def run(options) -> None:
    torch.manual_seed(options.seed)
    unet = UNet2DConditionModel.from_pretrained(options.model / "unet", torch_dtype=torch.float32)
    text_encoder = CLIPTextModel.from_pretrained(options.model / "text_encoder", dtype=torch.float32).requires_grad_(False)
    vae = load_vae(options.model / "vae").eval()
    batches = Batches([(latents_of(vae, options.data), load_scenes(options.data))],
                      CLIPTokenizer.from_pretrained(options.model / "tokenizer"), options.batch)
    training = train(new_control(unet), unet, text_encoder, batches, load_images(options.data), settings_of(options),
                     options.work, options.resume)
    training.write("control", options.out)
