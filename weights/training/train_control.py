"""Trains a ControlNet (arXiv:2302.05543) that follows edges: white lines on black, as `edges_of` finds them in the pictures.

The U-Net and the text encoder stay; the ControlNet begins as a copy of the U-Net's first half whose outputs are zero.
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from base_model import add_base_options, load_base
from data import load_images
from loop import Run, Settings, settings_of
from rendering.filters import blurred, edges
from rendering.pixels import luminance
from train_denoiser import Batches, loss_weights, train_attention_explicitly, velocity_loss

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
        return velocity_loss(prediction.sample, velocity, weights[timesteps])

    run.train(losses)
    return run


def add_options(parser: argparse.ArgumentParser) -> None:
    add_base_options(parser, 5e-4)


def run(options) -> None:
    base = load_base(options)
    training = train(new_control(base.unet), base.unet, base.text_encoder, base.batches, load_images(options.data),
                     settings_of(options), options.work, options.resume)
    training.write("control", options.out)
