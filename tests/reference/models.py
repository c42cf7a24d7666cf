"""Expected outputs of the networks: the real classes of diffusers and transformers at small configurations.

Writes tests/data/models/<case>.json (the configuration) and <case>.safetensors (outputs). Weights and inputs are drawn
from seeds (seeded_weights.py), so they need not be stored.
Run: python tests/reference/models.py
"""

import json
import pathlib

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from seeded_weights import fill, normal

OUT = pathlib.Path("tests/data/models")
SEED = 7
CROSS_DOWN, DOWN, CROSS_UP, UP = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"

# Three levels, so that every kind of block stands first, in the middle and last somewhere.
SD1 = dict(block_out_channels=(32, 64, 64), layers_per_block=2, cross_attention_dim=24, attention_head_dim=4,
           down_block_types=(CROSS_DOWN, CROSS_DOWN, DOWN), up_block_types=(UP, CROSS_UP, CROSS_UP), norm_num_groups=8)
SD2 = dict(SD1, attention_head_dim=(2, 4, 4), use_linear_projection=True, upcast_attention=True)
SDXL = dict(block_out_channels=(32, 64, 96), layers_per_block=2, cross_attention_dim=40, attention_head_dim=(2, 4, 6),
            down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN), up_block_types=(CROSS_UP, CROSS_UP, UP),
            transformer_layers_per_block=(1, 2, 3), use_linear_projection=True, addition_embed_type="text_time",
            addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 20, norm_num_groups=8)
# name -> (configuration, latent height, latent width)
UNETS = {
    "unet_sd1": (SD1, 16, 16),
    "unet_sd1_odd_size": (SD1, 13, 10),
    "unet_sd1_tiny_size": (SD1, 1, 3),
    "unet_sd2": (SD2, 16, 12),
    "unet_sdxl": (SDXL, 16, 16),
    "unet_scale_shift": (dict(SD1, resnet_time_scale_shift="scale_shift", center_input_sample=True, freq_shift=1,
                              flip_sin_to_cos=False), 8, 8),
    "unet_class_table": (dict(SD1, num_class_embeds=5, only_cross_attention=(True, False, False)), 8, 8),
    "unet_class_timestep": (dict(SD1, class_embed_type="timestep", time_embedding_act_fn="silu"), 8, 8),
    "unet_class_projection": (dict(SD1, class_embed_type="projection", projection_class_embeddings_input_dim=12,
                                   class_embeddings_concat=True, mid_block_scale_factor=1.5), 8, 8),
    "unet_class_simple": (dict(SD1, class_embed_type="simple_projection", projection_class_embeddings_input_dim=12,
                               timestep_post_act="silu", act_fn="gelu"), 8, 8),
    "unet_time_cond": (dict(SD1, time_cond_proj_dim=16, in_channels=9, mid_block_type="UNetMidBlock2D"), 8, 8),
    "unet_fourier": (dict(SD1, time_embedding_type="fourier", time_embedding_dim=48), 8, 8),
    "unet_text_proj": (dict(SD1, encoder_hid_dim=14, encoder_hid_dim_type="text_proj", conv_in_kernel=5,
                            conv_out_kernel=1), 8, 8),
    "unet_layers": (dict(SD1, layers_per_block=(1, 2, 3), cross_attention_dim=(24, 24, 24),
                         transformer_layers_per_block=((1, ), (2, 1), (1, 1, 1)),
                         reverse_transformer_layers_per_block=((1, 1, 1, 1), (2, 1, 2), (1, 2))), 8, 8),
    "unet_no_mid_block": (dict(SD1, mid_block_type=None, downsample_padding=0), 8, 8),
}
VAE = dict(block_out_channels=(8, 16, 16), layers_per_block=1, norm_num_groups=4, latent_channels=4, sample_size=32,
           down_block_types=("DownEncoderBlock2D", ) * 3, up_block_types=("UpDecoderBlock2D", ) * 3)
VAES = {
    "vae": VAE,
    "vae_two_layers": dict(VAE, layers_per_block=2, latent_channels=3),
    "vae_bare": dict(VAE, use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False, act_fn="mish"),
}
CLIP = dict(vocab_size=99, hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
            max_position_embeddings=21, projection_dim=24, bos_token_id=97, eos_token_id=98, pad_token_id=98)
# name -> (class, configuration)
TEXT_ENCODERS = {
    "clip_quick_gelu": (CLIPTextModel, dict(CLIP, hidden_act="quick_gelu")),
    "clip_gelu_projection": (CLIPTextModelWithProjection, dict(CLIP, hidden_act="gelu")),
    "clip_legacy_end": (CLIPTextModelWithProjection, dict(CLIP, hidden_act="gelu", eos_token_id=2)),
}


def unet_inputs(unet: UNet2DConditionModel, height: int, width: int) -> dict:
    config = unet.config
    text_width = config.encoder_hid_dim or (
        config.cross_attention_dim if isinstance(config.cross_attention_dim, int) else config.cross_attention_dim[0])
    inputs = dict(sample=normal(1, 2, config.in_channels, height, width), timestep=torch.tensor([981.0, 3.5]),
                  encoder_hidden_states=normal(2, 2, 7, text_width))
    if config.num_class_embeds:
        inputs["class_labels"] = torch.tensor([1, 4])
    elif config.class_embed_type == "timestep":
        inputs["class_labels"] = torch.tensor([20.0, 600.0])
    elif config.class_embed_type:
        inputs["class_labels"] = normal(3, 2, config.projection_class_embeddings_input_dim)
    if config.addition_embed_type:
        inputs["added_cond_kwargs"] = dict(text_embeds=normal(4, 2, 20), time_ids=200 * normal(5, 2, 6).abs())
    if config.time_cond_proj_dim:
        inputs["timestep_cond"] = normal(6, 2, config.time_cond_proj_dim)
    return inputs


def save(name: str, config: dict, tensors: dict) -> None:
    (OUT / f"{name}.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    save_file({key: value.contiguous() for key, value in tensors.items()}, OUT / f"{name}.safetensors")


def run_unet(name: str, config: dict, height: int, width: int) -> None:
    unet = UNet2DConditionModel(sample_size=16, **config).eval()
    fill(unet, SEED)
    save(name, json.loads(unet.to_json_string()), dict(sample=unet(**unet_inputs(unet, height, width)).sample))


def run_vae(name: str, config: dict) -> None:
    vae = AutoencoderKL(**config).eval()
    fill(vae, SEED)
    posterior = vae.encode(normal(1, 2, 3, 20, 36)).latent_dist
    generator = torch.Generator("cpu").manual_seed(2)
    tensors = dict(mode=posterior.mode(), sample=posterior.sample(generator),
                   decoded=vae.decode(normal(3, 2, config["latent_channels"], 5, 9)).sample)
    save(name, json.loads(vae.to_json_string()), tensors)


def run_tiled_vae(name: str, config: dict) -> None:
    """Larger than a tile both ways, with tiles cut at the right and at the bottom."""
    vae = AutoencoderKL(**config).eval()
    fill(vae, SEED)
    vae.enable_tiling()
    tensors = dict(mode=vae.encode(normal(1, 2, 3, 52, 84)).latent_dist.mode(),
                   decoded=vae.decode(normal(3, 2, config["latent_channels"], 13, 21)).sample)
    save(name, json.loads(vae.to_json_string()), tensors)


def run_text_encoder(name: str, kind: type, config: dict) -> None:
    model = kind(CLIPTextConfig(**config)).eval()
    model.config.architectures = [kind.__name__]
    fill(model, SEED)
    ids = torch.tensor([[97, 5, 17, 2, 98, 98, 98, 98, 98], [97, 1, 96, 3, 3, 3, 80, 50, 98]])
    out = model(ids, output_hidden_states=True)
    tensors = dict(last_hidden_state=out.last_hidden_state)
    tensors |= {f"hidden_states.{i}": state for i, state in enumerate(out.hidden_states)}
    if kind is CLIPTextModel:
        tensors["pooled"] = out.pooler_output
    else:
        tensors["text_embeds"] = out.text_embeds
    save(name, json.loads(model.config.to_json_string(use_diff=False)), tensors)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    for name, (config, height, width) in UNETS.items():
        run_unet(name, config, height, width)
    for name, config in VAES.items():
        run_vae(name, config)
    run_tiled_vae("tiled_vae", VAE)
    for name, (kind, config) in TEXT_ENCODERS.items():
        run_text_encoder(name, kind, config)


if __name__ == "__main__":
    main()
