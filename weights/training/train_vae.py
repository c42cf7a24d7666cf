"""Trains the VAE: L1, L1 of a Laplacian pyramid and a small KL term; crops of 64 first, whole pictures later.

With --from FOLDER training goes on from that VAE; with --decoder-only its encoder stays as it is, so that latents that
were computed with it stay valid. Writes OUT in diffusers' format. Run: python weights/training/train_vae.py DATA OUT
"""

import argparse
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from make_dataset import load_images
from rendering.pixels import SIZE
from schedule import Average, Budget, add_budget_options, learning_rate, mixed_precision, save_whole, take_step

BATCH, CROP, CROP_UNTIL = 8, 64, .55
KL_WEIGHT = 5e-4
PYRAMID_LEVELS = 3


def new_vae() -> AutoencoderKL:
    return AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                         block_out_channels=(16, 32, 64, 64), layers_per_block=1, latent_channels=4, norm_num_groups=4,
                         sample_size=SIZE)


def pyramid_difference(a, b):
    """L1 between the Laplacian pyramids of two batches."""
    total = 0
    for _ in range(PYRAMID_LEVELS):
        small_a, small_b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        detail_a, detail_b = (x - F.interpolate(small, scale_factor=2) for x, small in ((a, small_a), (b, small_b)))
        total = total + (detail_a - detail_b).abs().mean()
        a, b = small_a, small_b
    return total + (a - b).abs().mean()


def draw_batch(images, rng, crop: int):
    """[BATCH, 3, crop, crop] in -1..1, half of the batches mirrored."""
    chosen = np.sort(rng.integers(0, len(images), BATCH))
    if crop < SIZE:
        corners = rng.integers(0, SIZE - crop + 1, (BATCH, 2))
        pixels = np.stack([images[i, y:y + crop, x:x + crop] for i, (y, x) in zip(chosen, corners)])
    else:
        pixels = images[chosen]
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    return batch.flip(3) if rng.random() < .5 else batch


def losses(vae, batch, decoder_only: bool):
    """The loss and the L1 part of it."""
    with mixed_precision():
        with torch.set_grad_enabled(not decoder_only):
            posterior = vae.encode(batch).latent_dist
            latents = posterior.mean + torch.exp(.5 * posterior.logvar) * torch.randn_like(posterior.mean)
        decoded = vae.decode(latents).sample
    decoded = decoded.float()
    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
    divergence = .5 * (mean ** 2 + log_variance.exp() - 1 - log_variance).mean()
    difference = (decoded - batch).abs().mean()
    return difference + pyramid_difference(decoded, batch) + KL_WEIGHT * divergence, difference.item()


def train(vae, images, budget: Budget, seed: int, decoder_only: bool, rate: float) -> list:
    """Trains in place, leaves the averaged weights in `vae`, returns the L1 of every step."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    if decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    parameters = [parameter for parameter in vae.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(.9, .99), weight_decay=1e-4)
    average = Average(parameters, .998)
    history = []
    while (part := budget.part()) < 1:
        batch = draw_batch(images, rng, CROP if part < CROP_UNTIL else SIZE)
        loss, difference = losses(vae, batch, decoder_only)
        take_step(loss, parameters, optimizer, learning_rate(rate, budget.step, part, 100, .3, .03))
        average.update()
        budget.step += 1
        history.append(difference)
        if budget.step % 100 == 0:
            print(f"{budget.seconds_so_far():.0f} s, step {budget.step}, L1 {np.mean(history[-100:]):.4f}", flush=True)
    average.copy_to_parameters()
    return history


@torch.no_grad()
def encode(vae, images) -> torch.Tensor:
    """Mean and standard deviation of every picture's latents, float16 [count, 2, 4, 16, 16]."""
    out = []
    for begin in range(0, len(images), 64):
        batch = torch.from_numpy(np.array(images[begin:begin + 64])).permute(0, 3, 1, 2).float() / 127.5 - 1
        posterior = vae.encode(batch).latent_dist
        out.append(torch.stack([posterior.mean, posterior.std], 1).half())
    return torch.cat(out)


def scaling_factor(latents: torch.Tensor) -> float:
    """1 / standard deviation of drawn latents."""
    mean, deviation = latents.float().unbind(1)
    return 1 / (mean.var() + (deviation ** 2).mean()).sqrt().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--from", dest="start", type=pathlib.Path, help="go on from this VAE")
    parser.add_argument("--decoder-only", action="store_true")
    add_budget_options(parser, 16)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    vae = AutoencoderKL.from_pretrained(options.start) if options.start else new_vae()
    images = load_images(options.data)
    rate = 1.2e-3 if options.decoder_only else 2e-3
    train(vae, images, Budget(options.minutes, options.steps), options.seed, options.decoder_only, rate)
    if not options.decoder_only:
        vae.register_to_config(scaling_factor=scaling_factor(encode(vae.eval(), images[:4096])))
    save_whole(vae, options.out)


if __name__ == "__main__":
    main()
