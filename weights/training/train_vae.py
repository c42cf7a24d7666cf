"""Trains the VAE: L1, squared error, L1 of a Laplacian pyramid and a small KL term; first crops, later larger ones.

With --from FOLDER training starts from that VAE's weights, widened if it has fewer latents; with --decoder-only its encoder
stays as it is, so that latents that were computed with it stay valid. Writes OUT in diffusers' format, float16.
"""

import argparse
import dataclasses
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D

from data import load_images
from loop import Run, Settings, add_options as add_loop_options, settings_of, steps_of

KL_WEIGHT, SQUARED_WEIGHT = 5e-4, 6.
PYRAMID_LEVELS, LATENT_CHANNELS = 3, 16
NEW_LOG_VARIANCE = -4.  # of latents that are added to a trained VAE: little noise


def new_vae(latent_channels: int = LATENT_CHANNELS) -> AutoencoderKL:
    """Factor 8. Residual branches begin at zero: a network that is nearly linear learns faster."""
    vae = AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                        block_out_channels=(16, 32, 64, 64), layers_per_block=1, latent_channels=latent_channels,
                        norm_num_groups=4, sample_size=128)
    for module in vae.modules():
        if isinstance(module, ResnetBlock2D):
            torch.nn.init.zeros_(module.conv2.weight)
    return vae


@torch.no_grad()
def widened(vae: AutoencoderKL) -> AutoencoderKL:
    """The same VAE with LATENT_CHANNELS latents, of which the decoder does not heed the new ones yet."""
    wide, old, new = new_vae(), vae.config.latent_channels, LATENT_CHANNELS
    state, start = wide.state_dict(), vae.state_dict()
    rows = [*range(old), *range(new, new + old)]  # means and log variances of the old latents
    for name, value in start.items():
        if state[name].shape == value.shape:
            state[name].copy_(value)
    for name, kept in (("quant_conv", rows), ("post_quant_conv", rows[:old])):
        weight = state[name + ".weight"].copy_(torch.eye(len(state[name + ".weight"]))[..., None, None])
        weight[np.ix_(kept, kept)] = start[name + ".weight"]
        state[name + ".bias"].zero_()[kept] = start[name + ".bias"]
    state["encoder.conv_out.weight"][rows] = start["encoder.conv_out.weight"]
    state["encoder.conv_out.bias"].zero_()[rows] = start["encoder.conv_out.bias"]
    state["encoder.conv_out.bias"][new + old:] = NEW_LOG_VARIANCE
    state["decoder.conv_in.weight"].zero_()[:, :old] = start["decoder.conv_in.weight"]
    return wide


@dataclasses.dataclass
class Crops:
    size: int = 64
    batch: int = 8


def pyramid_difference(a, b):
    """L1 between the Laplacian pyramids of two batches."""
    total = 0
    for _ in range(PYRAMID_LEVELS):
        small_a, small_b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        detail_a, detail_b = (x - F.interpolate(small, scale_factor=2) for x, small in ((a, small_a), (b, small_b)))
        total = total + (detail_a - detail_b).abs().mean()
        a, b = small_a, small_b
    return total + (a - b).abs().mean()


def to_batch(pixels) -> torch.Tensor:
    """uint8 [batch, height, width, 3] -> [batch, 3, height, width] in -1..1."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def draw_batch(images, rng, crops: Crops):
    chosen = np.sort(rng.integers(0, len(images), crops.batch))
    corners = rng.integers(0, images.shape[1] - crops.size + 1, (crops.batch, 2))
    pixels = np.stack([images[i, y:y + crops.size, x:x + crops.size] for i, (y, x) in zip(chosen, corners)])
    batch = to_batch(pixels)
    return batch.flip(3) if rng.random() < .5 else batch


def losses(vae, batch, decoder_only: bool):
    """The loss, and the squared error as dB of pictures in 0..1."""
    with torch.set_grad_enabled(not decoder_only):
        posterior = vae.encode(batch).latent_dist
        latents = posterior.mean + torch.exp(.5 * posterior.logvar) * torch.randn_like(posterior.mean)
    decoded = vae.decode(latents).sample
    decoded = decoded.float()
    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
    divergence = .5 * (mean ** 2 + log_variance.exp() - 1 - log_variance).mean()
    squared = ((decoded - batch) ** 2).mean()
    loss = ((decoded - batch).abs().mean() + pyramid_difference(decoded, batch) + SQUARED_WEIGHT * squared +
            KL_WEIGHT * divergence)
    return loss, {"psnr": -10 * np.log10(squared.item() / 4), "kl": divergence.item()}


def train(vae, images, settings: Settings, folder: pathlib.Path, crops: Crops, decoder_only: bool = False,
          begin: int = 0, resume: bool = False) -> Run:
    if decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    run = Run(folder, {"vae": vae.train()}, settings, begin)
    if resume:
        run.resume()
    larger = Crops(2 * crops.size, max(1, crops.batch // 2))  # while the rate falls, crops as large as pictures

    def draw(step, rng):
        falls = settings.steps and step >= settings.steps * (1 - settings.decay) and larger.size <= images.shape[1]
        return losses(vae, draw_batch(images, rng, larger if falls else crops), decoder_only)

    run.train(draw)
    return run


@torch.no_grad()
def encode(vae, images) -> np.ndarray:
    """Mean of every picture's latents, float16 [count, channels, size / 8, size / 8]."""
    out = []
    for begin in range(0, len(images), 32):
        out.append(vae.encode(to_batch(images[begin:begin + 32])).latent_dist.mean.float().half().numpy())
    return np.concatenate(out)


def load_vae(folder: pathlib.Path) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--from", dest="start", type=pathlib.Path, help="start from the weights of this VAE")
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--crop", type=int, default=64, help="side of the crops in pixels (default: 64), later twice as large")
    parser.add_argument("--batch", type=int, default=8)
    add_loop_options(parser, 2e-3)


def run(options) -> None:
    torch.manual_seed(options.seed)
    vae = load_vae(options.start) if options.start else new_vae()
    if vae.config.latent_channels != LATENT_CHANNELS:
        vae = widened(vae)
    images = load_images(options.data)
    begin = steps_of(options.start) if options.start else 0
    settings = settings_of(options, average=.998, weight_decay=1e-4)
    training = train(vae, images, settings, options.work, Crops(options.crop, options.batch), options.decoder_only, begin,
                     options.resume)
    if not options.decoder_only:
        training.average.swap()
        vae.register_to_config(scaling_factor=float(1 / encode(vae.eval(), images[:2048]).astype(np.float32).std()))
        training.average.swap()
    training.write("vae", options.out)
