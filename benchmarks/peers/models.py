"""The parts of a model folder as PyTorch modules with plain tensors in and out, and their example inputs."""

import pathlib

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

SIZE_NUMBERS = 6  # sizes and crops that a U-Net with size conditions looks at


class Unet(torch.nn.Module):
    def __init__(self, folder: pathlib.Path, dtype: torch.dtype):
        super().__init__()
        self.model = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype).eval()

    def inputs(self) -> tuple:
        config, dtype = self.model.config, self.model.dtype
        size = config.sample_size
        plain = (torch.randn(2, config.in_channels, size, size, dtype=dtype), torch.full((2,), 500.0),
                 torch.randn(2, 77, config.cross_attention_dim, dtype=dtype))
        if not config.addition_embed_type:
            return plain
        pooled = config.projection_class_embeddings_input_dim - SIZE_NUMBERS * config.addition_time_embed_dim
        return *plain, torch.randn(2, pooled, dtype=dtype), torch.full((2, SIZE_NUMBERS), 1024.0, dtype=dtype)

    def forward(self, sample, timestep, text, text_embeds=None, time_ids=None):
        added = {} if text_embeds is None else {"text_embeds": text_embeds, "time_ids": time_ids}
        return self.model(sample, timestep, encoder_hidden_states=text, added_cond_kwargs=added, return_dict=False)[0]


class Vae(torch.nn.Module):
    def __init__(self, folder: pathlib.Path, dtype: torch.dtype):
        super().__init__()
        self.model = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=dtype).eval()

    def inputs(self) -> tuple:
        config = self.model.config
        size = config.sample_size // 2 ** (len(config.block_out_channels) - 1)
        return (torch.randn(1, config.latent_channels, size, size, dtype=self.model.dtype),)

    def forward(self, latents):
        return self.model.decode(latents, return_dict=False)[0]


class Text(torch.nn.Module):
    def __init__(self, folder: pathlib.Path, dtype: torch.dtype):
        super().__init__()
        self.model = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=dtype).eval()

    def inputs(self) -> tuple:
        return (torch.randint(0, 1000, (2, 77)),)

    def forward(self, ids):
        return self.model(ids, return_dict=False)[0]


PARTS = {"unet": Unet, "vae": Vae, "text": Text}
