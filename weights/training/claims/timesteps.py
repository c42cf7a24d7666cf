"""Stability over timesteps: the velocity error of a finished denoiser in ten ranges of timesteps, on held-out pictures.

DATA is a folder of pictures that the denoiser has not seen (`data --first 0`). Prints the mean and the spread of each range.
"""

import argparse
import pathlib

import numpy as np
import torch

from base_model import load_model
from train_denoiser import Batches

RANGES, BATCH = 10, 64


@torch.no_grad()
def errors_of(unet, text_encoder, batches: Batches, count: int, seed: int = 0) -> tuple:
    """The velocity errors of at least `count` pictures, and their timesteps."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    errors, places = [], []
    while sum(map(len, errors)) < count:
        noisy, timesteps, velocity, ids, _ = batches.draw(rng)
        found = unet(noisy, timesteps, text_encoder(ids).last_hidden_state).sample
        errors.append(((found - velocity) ** 2).mean((1, 2, 3)))
        places.append(timesteps)
    return torch.cat(errors), torch.cat(places)


def errors_by_range(unet, text_encoder, batches: Batches, count: int, seed: int = 0) -> list:
    """For every range of timesteps (mean, standard deviation) of the error over at least `count` pictures in all."""
    errors, timesteps = errors_of(unet, text_encoder, batches, count, seed)
    places = timesteps // (len(batches.alphas) // RANGES)
    return [(errors[places == i].mean().item(), errors[places == i].std().item()) for i in range(RANGES)]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=pathlib.Path, help="a pipeline folder")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=4096)


def run(options) -> None:
    base = load_model(options.model, options.data, BATCH)
    for i, (mean, deviation) in enumerate(errors_by_range(base.unet, base.text_encoder, base.batches, options.count)):
        print(f"timesteps from {i * len(base.batches.alphas) // RANGES}: {mean:.4f} +- {deviation:.4f}")
