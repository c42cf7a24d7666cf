"""The networks that denoise: the U-Net of the model, and others of nearly its size that the article's claims are tried with.

All are called (noisy latents, timesteps, text states) and give an object with `sample`.
"""

import types

import torch
from diffusers import PixArtTransformer2DModel, UNet2DConditionModel
from diffusers.models.upsampling import Upsample2D

TEXT_WIDTH = 128


def new_unet(latent_channels: int = 16) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16, in_channels=latent_channels, out_channels=latent_channels, block_out_channels=(64, 96, 192),
        layers_per_block=1, cross_attention_dim=TEXT_WIDTH, attention_head_dim=[2, 3, 6],
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"))


def unet_without_skips(latent_channels: int = 16) -> UNet2DConditionModel:
    """The same layers; what the skip connections bring is zero."""
    unet = new_unet(latent_channels)

    def silence(block, arguments, named):
        named["res_hidden_states_tuple"] = tuple(torch.zeros_like(x) for x in named["res_hidden_states_tuple"])
        return arguments, named

    for block in unet.up_blocks:
        block.register_forward_pre_hook(silence, with_kwargs=True)
    return unet


def unet_with_transposed_convolutions(latent_channels: int = 16) -> UNet2DConditionModel:
    """Upsampling by transposed convolutions of 4x4 instead of nearest neighbours and a convolution of 3x3."""
    unet = new_unet(latent_channels)
    for block in unet.up_blocks:
        if block.upsamplers is not None:
            channels = block.upsamplers[0].channels
            block.upsamplers[0] = Upsample2D(channels, use_conv_transpose=True)
    return unet


class Transformer(torch.nn.Module):
    """A diffusion transformer with cross-attention to the text (PixArt, arXiv:2310.00426), patches of 2x2 latents."""

    def __init__(self, latent_channels: int = 16, width: int = 288, layers: int = 7):
        super().__init__()
        self.model = PixArtTransformer2DModel(
            num_attention_heads=width // 48, attention_head_dim=48, in_channels=latent_channels, out_channels=latent_channels,
            num_layers=layers, cross_attention_dim=width, caption_channels=TEXT_WIDTH, sample_size=16, patch_size=2,
            use_additional_conditions=False)

    def forward(self, noisy, timesteps, states):
        conditions = {"resolution": None, "aspect_ratio": None}
        sample = self.model(noisy, encoder_hidden_states=states, timestep=timesteps, added_cond_kwargs=conditions).sample
        return types.SimpleNamespace(sample=sample)

    def set_attn_processor(self, processor) -> None:
        self.model.set_attn_processor(processor)

    def save_pretrained(self, folder) -> None:
        self.model.save_pretrained(folder)


NETWORKS = {"unet": new_unet, "unet-without-skips": unet_without_skips, "transformer": Transformer,
            "unet-with-transposed-convolutions": unet_with_transposed_convolutions}
