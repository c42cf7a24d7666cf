"""Trains an inpainting U-Net: the base U-Net with more input channels, [noisy latents, mask, latents of the picture with the
masked part gray], as runwayml's and diffusers' inpainting models. The new channels begin at zero; the text encoder stays.
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from base_model import add_base_options, load_base
from data import load_images
from loop import Run, Settings, settings_of
from rendering.pixels import Grid
from train_denoiser import Batches, loss_weights, train_attention_explicitly, velocity_loss
from train_vae import to_batch

FACTOR = 8  # pixels per latent


@torch.no_grad()
def inpainting_unet(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The same network with 2 * channels + 1 inputs, of which the new ones are not heeded yet."""
    channels = unet.config.in_channels
    wide = UNet2DConditionModel.from_config({**unet.config, "in_channels": 2 * channels + 1})
    state = unet.state_dict()
    weight = torch.zeros_like(wide.conv_in.weight)
    weight[:, :channels] = state["conv_in.weight"]
    wide.load_state_dict(state | {"conv_in.weight": weight})
    return wide


def random_mask(rng, size: int) -> np.ndarray:
    """bool [size, size], true where it is to be painted: a box, a blob, or everything."""
    kind = rng.random()
    if kind < .1:
        return np.ones((size, size), bool)
    if kind < .5:
        noise = Grid(size, rng).value_noise(4)
        return noise > np.quantile(noise, rng.uniform(.3, .85))
    mask = np.zeros((size, size), bool)
    height, width = (int(size * part) for part in rng.uniform(.25, .8, 2))
    top, left = rng.integers(0, size - height + 1), rng.integers(0, size - width + 1)
    mask[top:top + height, left:left + width] = True
    return mask


class InpaintingBatches:
    """What Batches draws, with the mask and the masked picture's latents joined to the noisy ones."""

    def __init__(self, batches: Batches, images, vae):
        self.batches, self.images, self.vae = batches, images, vae

    def draw(self, rng) -> tuple:
        noisy, timesteps, velocity, ids, chosen = self.batches.draw(rng)
        masks = torch.from_numpy(np.stack([random_mask(rng, self.images.shape[1]) for _ in chosen]))[:, None]
        with torch.no_grad():
            seen = to_batch(self.images[chosen]) * ~masks
            context = self.vae.encode(seen).latent_dist.mean.float() * self.vae.config.scaling_factor
        small = masks[:, :, ::FACTOR, ::FACTOR].float()  # nearest, as the pipelines do it
        return torch.cat([noisy, small, context], 1), timesteps, velocity, ids


def train(unet, text_encoder, batches: InpaintingBatches, settings: Settings, folder: pathlib.Path, resume: bool = False) -> Run:
    train_attention_explicitly(unet)
    weights = loss_weights(batches.batches.alphas)
    run = Run(folder, {"unet": unet.train()}, settings)
    if resume:
        run.resume()

    def losses(step, rng):
        inputs, timesteps, velocity, ids = batches.draw(rng)
        with torch.no_grad():
            states = text_encoder(ids).last_hidden_state
        return velocity_loss(unet(inputs, timesteps, states).sample, velocity, weights[timesteps])

    run.train(losses)
    return run


def add_options(parser: argparse.ArgumentParser) -> None:
    add_base_options(parser, 5e-4)


def run(options) -> None:
    base = load_base(options)
    batches = InpaintingBatches(base.batches, load_images(options.data), base.vae)
    training = train(inpainting_unet(base.unet), base.text_encoder, batches, settings_of(options), options.work, options.resume)
    training.write("unet", options.out)
