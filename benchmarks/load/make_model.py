"""Writes a pipeline folder of the size of Stable Diffusion 1.5 or XL with random float16 weights, from the real classes.

Run: python benchmarks/load/make_model.py FOLDER          (2.1 GB)
     python benchmarks/load/make_model.py FOLDER sdxl     (6.9 GB)
"""

import pathlib
import shutil
import sys

import torch
from diffusers import (AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline,
                       UNet2DConditionModel)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/reference"))
from key_lists import CLIP_L, OPENCLIP_BIGG, SD1_UNET, SDXL_UNET, VAE  # noqa: E402


def random_half(build, config):
    """The class with random weights; its own initialisation is slow at this size and means nothing here."""
    with torch.device("meta"):
        model = build(config)
    model = model.to_empty(device="cpu").half()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, dtype=torch.float32) * 0.02)
    return model


TOKENIZER = ROOT / "weights/tiny/tokenizer"
NOISE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1)


def make_sd15() -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        text_encoder=random_half(lambda config: CLIPTextModel(CLIPTextConfig(**config)), CLIP_L),
        unet=random_half(lambda config: UNet2DConditionModel(**config), SD1_UNET),
        vae=random_half(lambda config: AutoencoderKL(**config), VAE),
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def make_sdxl() -> StableDiffusionXLPipeline:
    return StableDiffusionXLPipeline(
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER), tokenizer_2=CLIPTokenizer.from_pretrained(TOKENIZER),
        text_encoder=random_half(lambda config: CLIPTextModel(CLIPTextConfig(**config)), CLIP_L),
        text_encoder_2=random_half(lambda config: CLIPTextModelWithProjection(CLIPTextConfig(**config)), OPENCLIP_BIGG),
        unet=random_half(lambda config: UNet2DConditionModel(**config), SDXL_UNET),
        vae=random_half(lambda config: AutoencoderKL(**config), dict(VAE, sample_size=1024, scaling_factor=0.13025)),
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False))


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(0)
    pipeline = make_sdxl() if sys.argv[2:] == ["sdxl"] else make_sd15()
    pipeline.save_pretrained(folder)
    for name in ("tokenizer", "tokenizer_2"):
        if (folder / name).exists():
            shutil.copytree(TOKENIZER, folder / name, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
