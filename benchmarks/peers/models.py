"""The parts of a model folder as PyTorch modules with plain tensors in and out, and their example inputs."""

import pathlib

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel


class Unet(torch.nn.Module):
    def __init__(self, folder: pathlib.Path, dtype: torch.dtype):
        super().__init__()
        self.model = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype).eval()

    def inputs(self) -> tuple:
        config, dtype = self.model.config, self.model.dtype
        size = config.sample_size
        return (torch.randn(2, config.in_channels, size, size, dtype=dtype), torch.full((2,), 500.0),
                torch.randn(2, 77, config.cross_attention_dim, dtype=dtype))

    def forward(self, sample, timestep, text):
        return self.model(sample, timestep, encoder_hidden_states=text, return_dict=False)[0]


class Vae(torch.nn.Module):
    def __init__(self, folder: pathlib.Path, dtype: torch.dtype):
        super().__init__()
        self.model = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=dtype).eval()
        self.size = UNet2DConditionModel.load_config(folder / "unet")["sample_size"]

    def inputs(self) -> tuple:
        return (torch.randn(1, self.model.config.latent_channels, self.size, self.size, dtype=self.model.dtype),)

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
