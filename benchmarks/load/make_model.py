"""Writes a pipeline folder of Stable Diffusion 1.5's size with random float16 weights, from the real classes.

Run: python benchmarks/load/make_model.py FOLDER     (2.1 GB)
"""

import pathlib
import shutil
import sys

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/reference"))
from key_lists import CLIP_L, SD1_UNET, VAE  # noqa: E402


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


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(0)
    tokenizer = ROOT / "weights/tiny/tokenizer"
    pipeline = StableDiffusionPipeline(
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer),
        text_encoder=random_half(lambda config: CLIPTextModel(CLIPTextConfig(**config)), CLIP_L),
        unet=random_half(lambda config: UNet2DConditionModel(**config), SD1_UNET),
        vae=random_half(lambda config: AutoencoderKL(**config), VAE),
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1,
                                clip_sample=False, set_alpha_to_one=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.save_pretrained(folder)
    shutil.copytree(tokenizer, folder / "tokenizer", dirs_exist_ok=True)


if __name__ == "__main__":
    main()
