"""Trains text encoder and U-Net together on the VAE's latents: velocity prediction, min-SNR weights (arXiv:2303.09556),
captions drawn anew at every step, one in ten left out for guidance.

With --from FOLDER (a pipeline folder such as weights/tiny) training goes on from its text encoder and U-Net.
Writes OUT/unet and OUT/text_encoder. Run: python weights/training/train_denoiser.py DATA VAE TOKENIZER OUT
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from make_dataset import load_images, load_scenes
from rendering.scenes import caption
from schedule import Average, Budget, add_budget_options, learning_rate, mixed_precision, save_whole, take_step
from train_vae import encode

BATCH, DROPPED_CAPTIONS, SNR_LIMIT = 64, .1, 5.
BETAS = {"num_train_timesteps": 1000, "beta_start": .00085, "beta_end": .012, "beta_schedule": "scaled_linear"}


def new_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16, block_out_channels=(64, 96, 96), layers_per_block=1, cross_attention_dim=128,
        attention_head_dim=[2, 3, 3], down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"))


def new_text_encoder() -> CLIPTextModel:
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=1024, hidden_size=128, intermediate_size=512, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=77, hidden_act="quick_gelu", bos_token_id=1022, eos_token_id=1023, pad_token_id=1023,
        projection_dim=128))


def alphas_cumprod() -> torch.Tensor:
    betas = torch.linspace(BETAS["beta_start"] ** .5, BETAS["beta_end"] ** .5, BETAS["num_train_timesteps"]) ** 2
    return torch.cumprod(1 - betas, 0)


def loss_weights(alphas: torch.Tensor) -> torch.Tensor:
    """min(SNR, limit) / (SNR + 1), the weight of velocity losses, with mean 1."""
    ratio = alphas / (1 - alphas)
    weights = ratio.clamp(max=SNR_LIMIT) / (ratio + 1)
    return weights / weights.mean()


class Batches:
    """Draws noisy latents, timesteps, target velocities and token ids."""

    def __init__(self, latents, factor: float, scenes: list, tokenizer, seed: int):
        self.latents, self.factor, self.scenes, self.tokenizer = latents, factor, scenes, tokenizer
        self.rng, self.alphas = np.random.default_rng(seed), alphas_cumprod()

    def draw(self) -> tuple:
        chosen = self.rng.integers(0, len(self.scenes), BATCH)
        texts = ["" if self.rng.random() < DROPPED_CAPTIONS else caption(self.rng, self.scenes[i]) for i in chosen]
        ids = self.tokenizer(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        mean, deviation = self.latents[chosen].float().unbind(1)
        clean = (mean + deviation * torch.randn_like(mean)) * self.factor
        timesteps = torch.randint(0, len(self.alphas), (BATCH, ))
        noise = torch.randn_like(clean)
        alpha = self.alphas[timesteps].sqrt()[:, None, None, None]
        sigma = (1 - self.alphas[timesteps]).sqrt()[:, None, None, None]
        return alpha * clean + sigma * noise, timesteps, alpha * noise - sigma * clean, ids


def train(unet, text_encoder, batches: Batches, budget: Budget, seed: int, rate: float) -> list:
    """Trains in place, leaves the averaged weights, returns the velocity error of every step."""
    torch.manual_seed(seed + 1)
    parameters = [*unet.parameters(), *text_encoder.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(.9, .99), weight_decay=1e-2, foreach=True)
    average = Average(parameters, .999)
    weights = loss_weights(batches.alphas)
    history = []
    while (part := budget.part()) < 1:
        noisy, timesteps, velocity, ids = batches.draw()
        with mixed_precision():
            prediction = unet(noisy, timesteps, text_encoder(ids).last_hidden_state).sample
        errors = ((prediction.float() - velocity) ** 2).mean((1, 2, 3))
        take_step((errors * weights[timesteps]).mean(), parameters, optimizer,
                  learning_rate(rate, budget.step, part, 300, .35, .02))
        average.update()
        budget.step += 1
        history.append(errors.mean().item())
        if budget.step % 100 == 0:
            print(f"{budget.seconds_so_far():.0f} s, step {budget.step}, velocity error {np.mean(history[-100:]):.4f}",
                  flush=True)
    average.copy_to_parameters()
    return history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "vae", "tokenizer", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--from", dest="start", type=pathlib.Path, help="go on from this pipeline folder")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate (default: 1e-3; 8e-4 to go on)")
    add_budget_options(parser, 26)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    vae = AutoencoderKL.from_pretrained(options.vae, torch_dtype=torch.float32).eval()
    unet, text_encoder = new_unet(), new_text_encoder()
    if options.start:
        unet = UNet2DConditionModel.from_pretrained(options.start / "unet", torch_dtype=torch.float32)
        text_encoder = CLIPTextModel.from_pretrained(options.start / "text_encoder", dtype=torch.float32)
    batches = Batches(encode(vae, load_images(options.data)), vae.config.scaling_factor, load_scenes(options.data),
                      CLIPTokenizer.from_pretrained(options.tokenizer), options.seed)
    train(unet.train(), text_encoder.train(), batches, Budget(options.minutes, options.steps), options.seed, options.rate)
    save_whole(unet, options.out / "unet")
    save_whole(text_encoder, options.out / "text_encoder")


if __name__ == "__main__":
    main()
