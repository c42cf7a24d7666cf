"""How well a VAE reconstructs held-out renders (seeds 0, 1, 2, ...): mean PSNR in dB, for plain and for styled pictures."""

import argparse
import pathlib

import numpy as np

from data import styled_scene
from rendering.contact_sheet import tiled
from rendering.render import render, to_bytes
from score.train import reconstructed
from train_vae import load_vae


def psnr(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of every pair of uint8 pictures, dB."""
    squared = ((first.astype(np.float64) - second) ** 2).mean((1, 2, 3))
    return 10 * np.log10(255 ** 2 / np.maximum(squared, 1e-9))


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("vae", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--sheet", type=pathlib.Path, help="write pairs of pictures and reconstructions to this PNG")


def run(options) -> None:
    vae = load_vae(options.vae).eval()
    for name, styled in (("plain", 0.), ("with style filters", 1.)):
        count = options.count if not styled else options.count // 4
        images = np.array([to_bytes(render(styled_scene(seed, styled), [seed, 2], options.size)) for seed in range(count)])
        again = reconstructed(vae, images)
        print(f"{name}: {psnr(images, again).mean():.2f} dB over {count} pictures of {options.size}x{options.size}")
        if options.sheet and not styled:
            tiled(list(np.concatenate([images[:40], again[:40]], 2)), 5).save(options.sheet)
