"""Trains text encoder and U-Net together on the VAE's latents: velocity prediction, noise levels that end at pure noise
(arXiv:2305.08891), min-SNR weights (arXiv:2303.09556), captions drawn anew at every step, one in ten left out for guidance.

DATA folders may hold pictures of different sizes: every step takes one of them, and small pictures in larger batches.
With --from FOLDER training starts from the text encoder and U-Net there. Writes OUT/unet and OUT/text_encoder, float16.
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from data import load_images, load_scenes
from loop import Run, Settings, add_options as add_loop_options, settings_of, steps_of
from networks import NETWORKS, TEXT_WIDTH
from rendering.captions import caption
from train_tokenizer import SIZE as VOCABULARY
from train_vae import encode, load_vae

DROPPED_CAPTIONS, SNR_LIMIT = .1, 5.
NOISE = {"num_train_timesteps": 1000, "beta_start": .00085, "beta_end": .012, "beta_schedule": "scaled_linear",
         "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}  # settings of diffusers' schedulers


def new_text_encoder() -> CLIPTextModel:
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=TEXT_WIDTH, intermediate_size=512, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=77, hidden_act="quick_gelu", bos_token_id=VOCABULARY - 2, eos_token_id=VOCABULARY - 1,
        pad_token_id=VOCABULARY - 1, projection_dim=TEXT_WIDTH))


def alphas_cumprod() -> torch.Tensor:
    return DDIMScheduler(**NOISE).alphas_cumprod


def loss_weights(alphas: torch.Tensor) -> torch.Tensor:
    """min(SNR + 1, limit) / (SNR + 1), the weight of velocity losses, with mean 1.

    Without the 1 in the numerator much noise would have next to no weight, and what is in the picture is decided there.
    """
    ratio = alphas / (1 - alphas)
    weights = (ratio + 1).clamp(max=SNR_LIMIT) / (ratio + 1)
    return weights / weights.mean()


class Batches:
    """Draws training batches from sets of (scaled latents, scenes)."""

    def __init__(self, sets: list, tokenizer, batch: int = 64):
        self.sets, self.tokenizer, self.batch = sets, tokenizer, batch
        self.alphas = alphas_cumprod()

    def ids_of(self, texts: list):
        return self.tokenizer(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids

    def draw_clean(self, rng) -> tuple:
        """Clean latents, token ids, and which pictures were chosen."""
        latents, scenes = self.sets[int(rng.integers(len(self.sets)))]
        count = max(1, self.batch * 16 * 16 // (latents.shape[2] * latents.shape[3]))
        chosen = rng.integers(0, len(scenes), count)
        texts = ["" if rng.random() < DROPPED_CAPTIONS else caption(rng, scenes[i]) for i in chosen]
        return torch.from_numpy(latents[chosen]).float(), self.ids_of(texts), chosen

    def spread_timesteps(self, count: int):
        """One drawn from each of `count` equal ranges: less of the loss's noise is chance."""
        return ((torch.arange(count) + torch.rand(count)) * len(self.alphas) / count).long().clamp(max=len(self.alphas) - 1)

    def draw(self, rng) -> tuple:
        """Noisy latents, timesteps, target velocities, token ids, and which pictures were chosen."""
        clean, ids, chosen = self.draw_clean(rng)
        timesteps = self.spread_timesteps(len(clean))
        noise = torch.randn_like(clean)
        alpha = self.alphas[timesteps].sqrt()[:, None, None, None]
        sigma = (1 - self.alphas[timesteps]).sqrt()[:, None, None, None]
        return alpha * clean + sigma * noise, timesteps, alpha * noise - sigma * clean, ids, chosen


def velocity_loss(prediction, velocity, weights) -> tuple:
    """The mean of the pictures' squared errors, weighted; and without weights for the log."""
    errors = ((prediction.float() - velocity) ** 2).mean((1, 2, 3))
    return (errors * weights).mean(), {"velocity_error": errors.mean().item()}


def losses(unet, text_encoder, batches: Batches, weights, rng):
    noisy, timesteps, velocity, ids, _ = batches.draw(rng)
    prediction = unet(noisy, timesteps, text_encoder(ids).last_hidden_state).sample
    return velocity_loss(prediction, velocity, weights[timesteps])


def train_attention_explicitly(unet) -> None:
    """Explicit products train faster on a CPU than the fused attention."""
    unet.set_attn_processor(AttnProcessor())


def train(unet, text_encoder, batches: Batches, settings: Settings, folder: pathlib.Path, begin: int = 0,
          resume: bool = False) -> Run:
    train_attention_explicitly(unet)
    weights = loss_weights(batches.alphas)
    run = Run(folder, {"unet": unet.train(), "text_encoder": text_encoder.train()}, settings, begin)
    if resume:
        run.resume()
    run.train(lambda step, rng: losses(unet, text_encoder, batches, weights, rng))
    return run


def latents_of(vae, folder: pathlib.Path) -> np.ndarray:
    """The scaled latents of a data folder, float16; computed once, and kept there in latents.npy."""
    file = folder / "latents.npy"
    if not file.exists():
        np.save(file.with_suffix(".part.npy"), encode(vae, load_images(folder)) * np.float16(vae.config.scaling_factor))
        file.with_suffix(".part.npy").rename(file)
    return np.load(file, mmap_mode="r")


def add_options(parser: argparse.ArgumentParser) -> None:
    for name in ("vae", "tokenizer", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path, nargs="+")
    parser.add_argument("--from", dest="start", type=pathlib.Path, help="start from the weights in this folder")
    parser.add_argument("--network", choices=NETWORKS, default="unet", help="what is trained (default: unet); for comparisons")
    parser.add_argument("--batch", type=int, default=64, help="of pictures of 128x128 (default: 64)")
    add_loop_options(parser, 1.5e-3)


def run(options) -> None:
    torch.manual_seed(options.seed)
    unet, text_encoder, begin = NETWORKS[options.network](), new_text_encoder(), 0
    if options.start:
        unet = UNet2DConditionModel.from_pretrained(options.start / "unet", torch_dtype=torch.float32)
        text_encoder = CLIPTextModel.from_pretrained(options.start / "text_encoder", dtype=torch.float32)
        begin = steps_of(options.start / "unet")
    vae = load_vae(options.vae).eval()
    sets = [(latents_of(vae, folder), load_scenes(folder)) for folder in options.data]
    batches = Batches(sets, CLIPTokenizer.from_pretrained(options.tokenizer), options.batch)
    training = train(unet, text_encoder, batches, settings_of(options), options.work, begin, options.resume)
    for name in ("unet", "text_encoder"):
        training.write(name, options.out / name)
