"""Trains a small decoder for previews, after TAESD: an AutoencoderTiny whose decoder maps the VAE's scaled latents to pictures.

Its encoder is trained too, to give the VAE's scaled latents. DATA needs latents of that VAE (made if they are missing).
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import AutoencoderTiny

from data import load_images
from loop import Run, Settings, add_options as add_loop_options, settings_of
from train_denoiser import latents_of
from train_vae import load_vae, pyramid_difference, to_batch

BATCH, WIDTH = 8, 32


def new_preview(latent_channels: int = 16) -> AutoencoderTiny:
    widths, blocks = (WIDTH, ) * 4, (1, 1, 1, 1)
    return AutoencoderTiny(latent_channels=latent_channels, encoder_block_out_channels=widths, num_encoder_blocks=blocks,
                           decoder_block_out_channels=widths, num_decoder_blocks=blocks)


def losses(preview, batch, latents):
    """batch [batch, 3, height, width] in -1..1, latents [batch, channels, height / 8, width / 8]."""
    decoded, encoded = preview.decode(latents).sample, preview.encode(batch).latents
    decoded = decoded.float()
    squared = ((decoded - batch) ** 2).mean()
    loss = (decoded - batch).abs().mean() + pyramid_difference(decoded, batch) + (encoded.float() - latents).abs().mean()
    return loss, {"psnr": -10 * np.log10(squared.item() / 4)}


def train(preview, images, latents, settings: Settings, folder: pathlib.Path, resume: bool = False) -> Run:
    run = Run(folder, {"preview": preview.train()}, settings)
    if resume:
        run.resume()

    def draw(step, rng):
        chosen = np.sort(rng.integers(0, len(images), BATCH))
        return losses(preview, to_batch(images[chosen]), torch.from_numpy(latents[chosen]).float())

    run.train(draw)
    return run


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("vae", "data", "out"):
        parser.add_argument(name, type=pathlib.Path)
    add_loop_options(parser, 2e-3)


def run(options) -> None:
    torch.manual_seed(options.seed)
    vae = load_vae(options.vae).eval()
    preview = new_preview(vae.config.latent_channels)
    training = train(preview, load_images(options.data), latents_of(vae, options.data),
                     settings_of(options, average=.998, weight_decay=1e-4), options.work, options.resume)
    training.write("preview", options.out)
