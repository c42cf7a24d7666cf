"""Writes a folder with a U-Net of Stable Diffusion XL's size and random float16 weights, from the real class.

Run: python benchmarks/peers/make_sdxl_unet.py FOLDER     (5.1 GB)
"""

import pathlib
import sys

import torch
from diffusers import UNet2DConditionModel

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks/load"), str(ROOT / "tests/reference")]
from key_lists import SDXL_UNET  # noqa: E402
from make_model import random_half  # noqa: E402


def main() -> None:
    torch.manual_seed(0)
    unet = random_half(lambda config: UNet2DConditionModel(**config), SDXL_UNET)
    unet.save_pretrained(pathlib.Path(sys.argv[1]) / "unet", max_shard_size="20GB")


if __name__ == "__main__":
    main()
