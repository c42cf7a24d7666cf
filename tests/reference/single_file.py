"""Single files in the original layout, read by diffusers: full-size key lists, and small random models with pictures.

Writes tests/data/single_file:
  <family>.keys.gz      "name shape" of every tensor of a published full-size file; diffusers' converters map them to
                        exactly the tensors of the real classes (checked here, on the meta device)
  <model>/**.json       configurations of small random models as diffusers and transformers save them
  <model>.recipe.gz     "name how component names": how each tensor of the file is made of the model's tensors
  images.safetensors    pictures by from_single_file
Run: python tests/reference/single_file.py
"""

import gzip
import json
import pathlib
import shutil
import tempfile

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

import key_lists
import original_layout as layout
from seeded_weights import fill

OUT = pathlib.Path("tests/data/single_file")
TOKENIZER = pathlib.Path("weights/tiny/tokenizer")
CROSS_DOWN, DOWN, CROSS_UP, UP = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"

# folder -> (prefix in the file, OpenCLIP's layout)
ENCODERS = {
    "sd1": {"text_encoder": ("cond_stage_model.transformer.", False)},
    "sd2": {"text_encoder": ("cond_stage_model.model.", True)},
    "sdxl": {"text_encoder": ("conditioner.embedders.0.transformer.", False),
             "text_encoder_2": ("conditioner.embedders.1.model.", True)},
    "refiner": {"text_encoder_2": ("conditioner.embedders.0.model.", True)},
}
FULL_SIZE = {  # file: (encoders, unet, vae, text encoders) of key_lists.py
    "sd15": ("sd1", "unet_sd15", "vae_sd15", ["clip_l"]),
    "sd15_inpainting": ("sd1", "unet_sd15_inpainting", "vae_sd15", ["clip_l"]),
    "sd15_pix2pix": ("sd1", "unet_sd15_pix2pix", "vae_sd15", ["clip_l"]),
    "sd21": ("sd2", "unet_sd21", "vae_sd21", ["openclip_h"]),
    "sdxl": ("sdxl", "unet_sdxl", "vae_sdxl", ["clip_l", "openclip_bigg"]),
    "sdxl_refiner": ("refiner", "unet_sdxl_refiner", "vae_sdxl", ["openclip_bigg"]),
}

SMALL_VAE = dict(block_out_channels=(32, 32, 64, 64), layers_per_block=1, latent_channels=4, sample_size=512,
                 down_block_types=("DownEncoderBlock2D", ) * 4, up_block_types=("UpDecoderBlock2D", ) * 4)
SMALL_TEXT = dict(vocab_size=1024, max_position_embeddings=77, bos_token_id=0, eos_token_id=2, pad_token_id=1,
                  hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=1, projection_dim=64)
OPEN = dict(SMALL_TEXT, hidden_act="gelu")
LARGE = dict(OPEN, hidden_size=128, num_attention_heads=2, projection_dim=128)
SCHEDULE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
EULER = dict(SCHEDULE, timestep_spacing="leading", steps_offset=1)
SMALL = {
    "sd1": dict(pipeline="StableDiffusionPipeline", scheduler=("PNDMScheduler", dict(
        SCHEDULE, skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)),
        unet=dict(sample_size=64, block_out_channels=(32, 64), layers_per_block=2, cross_attention_dim=64,
                  attention_head_dim=8, down_block_types=(CROSS_DOWN, DOWN), up_block_types=(UP, CROSS_UP)),
        text={"text_encoder": (CLIPTextModel, dict(SMALL_TEXT, hidden_act="quick_gelu"))}),
    "sd2": dict(pipeline="StableDiffusionPipeline", scheduler=("DDIMScheduler", dict(
        SCHEDULE, prediction_type="v_prediction", steps_offset=1, set_alpha_to_one=False, clip_sample=False)),
        unet=dict(sample_size=96, block_out_channels=(64, 128), layers_per_block=1, cross_attention_dim=64,
                  attention_head_dim=(1, 2), down_block_types=(CROSS_DOWN, DOWN), up_block_types=(UP, CROSS_UP),
                  use_linear_projection=True, upcast_attention=True),
        text={"text_encoder": (CLIPTextModel, dict(OPEN, num_hidden_layers=23, projection_dim=64))}),
    "sdxl": dict(pipeline="StableDiffusionXLPipeline", scheduler=("EulerDiscreteScheduler", EULER),
        unet=dict(sample_size=128, block_out_channels=(64, 64, 128), layers_per_block=1, cross_attention_dim=192,
                  attention_head_dim=(1, 1, 2), transformer_layers_per_block=(1, 1, 2), use_linear_projection=True,
                  down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN), up_block_types=(CROSS_UP, CROSS_UP, UP),
                  addition_embed_type="text_time", addition_time_embed_dim=256,
                  projection_class_embeddings_input_dim=128 + 6 * 256),
        text={"text_encoder": (CLIPTextModel, dict(SMALL_TEXT, hidden_act="quick_gelu")),
              "text_encoder_2": (CLIPTextModelWithProjection, LARGE)}),
    "refiner": dict(pipeline="StableDiffusionXLImg2ImgPipeline", scheduler=("EulerDiscreteScheduler", EULER),
        unet=dict(sample_size=128, block_out_channels=(64, 64, 64, 64), layers_per_block=1, cross_attention_dim=128,
                  attention_head_dim=(1, 1, 1, 1), transformer_layers_per_block=(2, 2, 2, 2),
                  use_linear_projection=True, down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN, DOWN),
                  up_block_types=(UP, CROSS_UP, CROSS_UP, UP), addition_embed_type="text_time",
                  addition_time_embed_dim=256, projection_class_embeddings_input_dim=128 + 5 * 256),
        text={"text_encoder_2": (CLIPTextModelWithProjection, LARGE)}),
}


def pack(name: str, lines: list[str]) -> None:
    with open(OUT / name, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
        file.write("".join(line + "\n" for line in sorted(lines)).encode())


def recipes(family: str, unet, vae, texts: dict) -> dict[str, dict[str, layout.Recipe]]:
    """component -> name in the file -> recipe"""
    out = {"unet": layout.unet_recipes(unet.state_dict(), unet.config.layers_per_block),
           "vae": layout.vae_recipes(vae.state_dict())}
    for folder, (prefix, openclip) in ENCODERS[family].items():
        make = layout.openclip_recipes if openclip else layout.clip_recipes
        out[folder] = make(texts[folder].state_dict(), prefix)
    return out


def extras(family: str, file: dict) -> dict[str, torch.Tensor]:
    """Tensors of published files that stand for nothing in diffusers' folders."""
    device = next(iter(file.values())).device
    out = {}
    if family in ("sd1", "sd2"):
        for name in ("betas", "alphas_cumprod", "sqrt_recip_alphas_cumprod", "posterior_variance"):
            out[name] = torch.ones(1000, device=device)
        out["model_ema.decay"] = torch.ones((), device=device)
    for folder, (prefix, openclip) in ENCODERS[family].items():
        if not openclip:
            out[prefix + "text_model.embeddings.position_ids"] = torch.arange(77, device=device)[None]
            continue
        out[prefix + "logit_scale"] = torch.ones((), device=device)
        if family != "sd2":
            continue
        out[prefix + "text_projection"] = torch.ones(file[prefix + "ln_final.bias"].shape * 2, device=device)
        for name, tensor in file.items():
            if name.startswith(prefix + "transformer.resblocks.22."):
                out[name.replace(".22.", ".23.")] = torch.zeros_like(tensor)
    return out


def check(family: str, file: dict, unet, vae, texts: dict) -> None:
    layout.check_unet(file, unet)
    layout.check_vae(file, vae)
    for folder, (prefix, openclip) in ENCODERS[family].items():
        layout.check_text(file, texts[folder], prefix, openclip)


def full_size(name: str) -> None:
    family, unet_name, vae_name, text_names = FULL_SIZE[name]
    with torch.device("meta"):
        unet = UNet2DConditionModel(**key_lists.UNETS[unet_name])
        vae = AutoencoderKL(**key_lists.VAES[vae_name])
        texts = {}
        for folder, text_name in zip(ENCODERS[family], text_names):
            kind, config = key_lists.TEXT_ENCODERS[text_name]
            texts[folder] = kind(CLIPTextConfig(**config))
    parts = {"unet": unet, "vae": vae, **texts}
    file = {}
    for component, wanted in recipes(family, unet, vae, texts).items():
        state = parts[component].state_dict()
        file |= {key: layout.make(recipe, state) for key, recipe in wanted.items()}
    file |= extras(family, file)
    check(family, file, unet, vae, texts)
    pack(f"{name}.keys.gz", [f"{key} {','.join(map(str, tensor.shape)) or '-'}" for key, tensor in file.items()])


def small_parts(name: str) -> dict:
    case = SMALL[name]
    parts = {"unet": UNet2DConditionModel(**case["unet"]), "vae": AutoencoderKL(**SMALL_VAE)}
    if name in ("sdxl", "refiner"):
        parts["vae"] = AutoencoderKL(**dict(SMALL_VAE, scaling_factor=0.13025, sample_size=1024))
    if name == "sd2":
        parts["vae"] = AutoencoderKL(**dict(SMALL_VAE, sample_size=768))
    for folder, (kind, config) in case["text"].items():
        parts[folder] = kind(CLIPTextConfig(**config))
    for seed, component in enumerate(sorted(parts)):
        fill(parts[component], seed)
    return parts


def save_folder(name: str, parts: dict, folder: pathlib.Path) -> None:
    """The configurations alone, as the published folders have them."""
    case = SMALL[name]
    index = {"_class_name": case["pipeline"], "_diffusers_version": diffusers.__version__,
             "scheduler": ["diffusers", case["scheduler"][0]], "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"], "feature_extractor": [None, None], "image_encoder": [None, None]}
    if name in ("sd1", "sd2"):
        index |= {"safety_checker": [None, None], "requires_safety_checker": False}
    if name == "refiner":
        index |= {"text_encoder": [None, None], "tokenizer": [None, None], "requires_aesthetics_score": True,
                  "force_zeros_for_empty_prompt": False}
    for component, part in parts.items():
        part.config.save_pretrained(folder / component) if component.startswith("text") else part.save_config(
            folder / component)
        if component.startswith("text"):
            index[component] = ["transformers", type(part).__name__]
            tokenizer = component.replace("text_encoder", "tokenizer")
            index[tokenizer] = ["transformers", "CLIPTokenizer"]
            openclip = ENCODERS[name][component][1]
            CLIPTokenizer.from_pretrained(TOKENIZER, **({"pad_token": "!"} if openclip else {})).save_pretrained(
                folder / tokenizer)
            # The class is not among the fields of a bare configuration.
            path = folder / component / "config.json"
            config = json.loads(path.read_text()) | {"architectures": [type(part).__name__]}
            path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    kind, options = case["scheduler"]
    getattr(diffusers, kind)(**options).save_config(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")


def small(name: str) -> torch.Tensor | None:
    parts = small_parts(name)
    texts = {folder: part for folder, part in parts.items() if folder.startswith("text")}
    file, lines = {}, []
    for component, wanted in recipes(name, parts["unet"], parts["vae"], texts).items():
        state = parts[component].state_dict()
        for key, (how, sources) in wanted.items():
            file[key] = layout.make((how, sources), state)
            lines.append(f"{key} {how} {component} {' '.join(sources)}")
    pack(f"{name}.recipe.gz", lines)
    more = extras(name, file)
    check(name, file | more, parts["unet"], parts["vae"], texts)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "folder"
        save_folder(name, parts, folder)
        for path in folder.rglob("*.json"):
            if "tokenizer" not in str(path.relative_to(folder)):
                target = OUT / name / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        path = pathlib.Path(temporary) / "model.safetensors"
        save_file({key: tensor.clone().contiguous() for key, tensor in (file | more).items()}, path)
        kind = getattr(diffusers, SMALL[name]["pipeline"])
        # This release looks for a member of CLIPTextModel that transformers 5 no longer has, so the text encoders are
        # handed over; check() has compared their converters' results.
        pipe = kind.from_single_file(str(path), config=str(folder), local_files_only=True, torch_dtype=torch.float32,
                                     **{folder_name: text.eval() for folder_name, text in texts.items()})
        for component, part in parts.items():
            layout.check_equal(getattr(pipe, component).state_dict(), part.state_dict(), component)
        if name == "refiner":
            return None
        pipe.set_progress_bar_config(disable=True)
        out = pipe("a red gem", negative_prompt="a blue coin", width=64, height=64, num_inference_steps=3,
                   guidance_scale=5.0, generator=torch.Generator("cpu").manual_seed(1), output_type="np").images
    return torch.from_numpy((out * 255).round().astype(np.uint8)).contiguous()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    for name in FULL_SIZE:
        full_size(name)
    images = {name: image for name in SMALL if (image := small(name)) is not None}
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
