"""Expected outputs of distilled networks: U-Nets of the shapes of SSD-1B, Vega and BK-SDM, and the tiny autoencoder.

Writes into tests/data/models, as models.py does, whose weights and inputs these are.
Run: python tests/reference/distilled.py
"""

import json

import torch
from diffusers import AutoencoderTiny

import models
from seeded_weights import fill, normal

# name -> (configuration, latent height, latent width)
UNETS = {
    # SSD-1B: each layer its own number of transformer blocks, on the way up other than on the way down, no attention at
    # the bottom.
    "unet_ssd": (dict(models.SDXL, mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[1, [2, 2], [3, 3]],
                      reverse_transformer_layers_per_block=[[3, 3, 4], [2, 1, 1], 1]), 8, 12),
    # Vega: fewer still, and no bottom.
    "unet_vega": (dict(models.SDXL, mid_block_type=None, transformer_layers_per_block=[1, [1, 1], [2, 2]],
                       reverse_transformer_layers_per_block=[[2, 2, 2], [1, 1, 1], 1]), 8, 8),
    # BK-SDM: one layer a level.
    "unet_bk_base": (dict(models.SD1, layers_per_block=1), 8, 8),
    "unet_bk_small": (dict(models.SD1, layers_per_block=1, mid_block_type=None), 8, 8),
}
TINY_VAE = dict(encoder_block_out_channels=(8, ) * 3, decoder_block_out_channels=(8, ) * 3,
                num_encoder_blocks=(1, 2, 2), num_decoder_blocks=(2, 3, 1))


def run_tiny_vae(name: str, config: dict) -> None:
    vae = AutoencoderTiny(**config).eval()
    fill(vae, models.SEED)
    tensors = dict(latents=vae.encode(normal(1, 2, 3, 20, 36)).latents,
                   decoded=vae.decode(2 * normal(3, 2, 4, 5, 9)).sample)
    models.save(name, json.loads(vae.to_json_string()), tensors)


def main() -> None:
    torch.set_grad_enabled(False)
    for name, (config, height, width) in UNETS.items():
        models.run_unet(name, config, height, width)
    run_tiny_vae("tiny_vae", TINY_VAE)
    run_tiny_vae("tiny_vae_silu", dict(TINY_VAE, act_fn="silu", latent_channels=4, scaling_factor=0.5))


if __name__ == "__main__":
    main()
