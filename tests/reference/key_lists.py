"""Names and shapes of every tensor of the published models, from the real classes built on the meta device.

Nothing is downloaded: the configurations below are the published ones, written down. Writes
tests/data/keys/<model>.json (the class's whole config.json) and <model>.keys (names and shapes, packed_names.py).
Run: python tests/reference/key_lists.py
"""

import json
import pathlib

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from packed_names import packed

OUT = pathlib.Path("tests/data/keys")
CROSS_DOWN, DOWN, CROSS_UP, UP = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"

SD1_UNET = dict(sample_size=64, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768,
                attention_head_dim=8, down_block_types=(CROSS_DOWN, ) * 3 + (DOWN, ),
                up_block_types=(UP, ) + (CROSS_UP, ) * 3)
SD2_UNET = dict(SD1_UNET, sample_size=96, cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20),
                use_linear_projection=True, upcast_attention=True)
SDXL_UNET = dict(sample_size=128, block_out_channels=(320, 640, 1280), cross_attention_dim=2048,
                 attention_head_dim=(5, 10, 20), transformer_layers_per_block=(1, 2, 10), use_linear_projection=True,
                 down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN), up_block_types=(CROSS_UP, CROSS_UP, UP),
                 addition_embed_type="text_time", addition_time_embed_dim=256,
                 projection_class_embeddings_input_dim=2816)
SDXL_REFINER_UNET = dict(SDXL_UNET, block_out_channels=(384, 768, 1536, 1536), cross_attention_dim=1280,
                         attention_head_dim=(6, 12, 24, 24), transformer_layers_per_block=4,
                         down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN, DOWN),
                         up_block_types=(UP, CROSS_UP, CROSS_UP, UP), projection_class_embeddings_input_dim=2560)
# Distilled: SSD-1B and Vega have transformers of their own number a layer, BK-SDM one layer a level.
SSD_UNET = dict(SDXL_UNET, mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[1, [2, 2], [4, 4]],
                reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1])
VEGA_UNET = dict(SDXL_UNET, mid_block_type=None, transformer_layers_per_block=[1, [1, 1], [2, 2]],
                 reverse_transformer_layers_per_block=[[2, 2, 2], [1, 1, 1], 1])
BK_UNET = dict(SD1_UNET, layers_per_block=1)
BK_TINY_UNET = dict(BK_UNET, mid_block_type=None, block_out_channels=(320, 640, 1280), down_block_types=(CROSS_DOWN, ) * 3,
                    up_block_types=(CROSS_UP, ) * 3)
VAE = dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512,
           down_block_types=("DownEncoderBlock2D", ) * 4, up_block_types=("UpDecoderBlock2D", ) * 4)
CLIP_L = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
              hidden_act="quick_gelu", projection_dim=768)
OPENCLIP_H = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16,
                  hidden_act="gelu", projection_dim=512)
OPENCLIP_BIGG = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
                     hidden_act="gelu", projection_dim=1280)

UNETS = {
    "unet_sd15": SD1_UNET,
    "unet_sd15_inpainting": dict(SD1_UNET, in_channels=9),
    "unet_sd15_pix2pix": dict(SD1_UNET, in_channels=8),
    "unet_lcm": dict(SD1_UNET, time_cond_proj_dim=256),
    "unet_bk_base": BK_UNET,
    "unet_bk_small": dict(BK_UNET, mid_block_type=None),
    "unet_bk_tiny": BK_TINY_UNET,
    "unet_sd21": SD2_UNET,
    "unet_sdxl": SDXL_UNET,
    "unet_sdxl_inpainting": dict(SDXL_UNET, in_channels=9),
    "unet_sdxl_pix2pix": dict(SDXL_UNET, in_channels=8),
    "unet_sdxl_refiner": SDXL_REFINER_UNET,
    "unet_ssd": SSD_UNET,
    "unet_vega": VEGA_UNET,
}
VAES = {
    "vae_sd15": VAE,
    "vae_sd21": dict(VAE, sample_size=768),
    "vae_sdxl": dict(VAE, sample_size=1024, scaling_factor=0.13025),
}
TEXT_ENCODERS = {
    "clip_l": (CLIPTextModel, CLIP_L),
    "openclip_h": (CLIPTextModel, OPENCLIP_H),
    "openclip_bigg": (CLIPTextModelWithProjection, OPENCLIP_BIGG),
}


def save(name: str, config: str, model: torch.nn.Module) -> None:
    (OUT / f"{name}.json").write_text(json.dumps(json.loads(config), indent=1, sort_keys=True) + "\n")
    save_names(name, {key: tensor.shape for key, tensor in model.state_dict().items()})


def save_names(name: str, shapes: dict) -> None:
    (OUT / f"{name}.keys").write_text(packed(shapes) + "\n")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        for name, config in UNETS.items():
            unet = UNet2DConditionModel(**config)
            save(name, unet.to_json_string(), unet)
        for name, config in VAES.items():
            vae = AutoencoderKL(**config)
            save(name, vae.to_json_string(), vae)
        tiny = AutoencoderTiny()
        save("vae_taesd", tiny.to_json_string(), tiny)
        for name, (kind, config) in TEXT_ENCODERS.items():
            model = kind(CLIPTextConfig(**config))
            model.config.architectures = [kind.__name__]
            save(name, model.config.to_json_string(use_diff=False), model)


if __name__ == "__main__":
    main()
