"""Expected pictures of every family of pipelines: the real classes over small random models.

Writes tests/data/families/cases.json (the requests), images.safetensors (uint8 [images, height, width, 3] a case) and a
folder of configurations for each model. Weights come from seeds, one a component in the order of SEEDS; tokenizers are
that of weights/tiny, with the padding that each folder's tokenizer_config.json names.
Run: python tests/reference/families.py
"""

import json
import pathlib
import shutil
import tempfile

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

import models
from seeded_weights import fill

OUT = pathlib.Path("tests/data/families")
TOKENIZER = "weights/tiny/tokenizer"
SEEDS = {"unet": 10, "vae": 11, "text_encoder": 12, "text_encoder_2": 13}

VAE = dict(models.VAE, block_out_channels=(8, 8, 16, 16), down_block_types=("DownEncoderBlock2D",) * 4,
           up_block_types=("UpDecoderBlock2D",) * 4)
CLIP = dict(models.CLIP, vocab_size=1024, max_position_embeddings=77, bos_token_id=1022, eos_token_id=1023,
            pad_token_id=1023)
BIG_CLIP = dict(CLIP, hidden_size=24, intermediate_size=48, num_hidden_layers=4, projection_dim=20, hidden_act="gelu")
NOISE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1)
DDIM = dict(NOISE, clip_sample=False, set_alpha_to_one=False)
TWO_TEXTS = dict(models.SDXL, sample_size=8, cross_attention_dim=56)
REFINER = dict(TWO_TEXTS, cross_attention_dim=24, projection_class_embeddings_input_dim=5 * 8 + 20)
ONE_TEXT = dict(models.SD1, sample_size=8, cross_attention_dim=32)
# As in SSD-1B and Vega: fewer transformers a layer, each layer its own number, no attention at the bottom.
FEWER_LAYERS = dict(TWO_TEXTS, mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[1, [2, 2], [3, 3]],
                    reverse_transformer_layers_per_block=[[3, 3, 2], [2, 1, 1], 1])
# As in BK-SDM: one layer a level, no bottom.
NO_BOTTOM = dict(ONE_TEXT, layers_per_block=1, mid_block_type=None)

# model -> (pipeline class, its options, U-Net, scheduler class, its options)
MODELS = {
    "sd2": ("StableDiffusionPipeline", {}, dict(models.SD2, sample_size=8, cross_attention_dim=32), "DDIMScheduler",
            dict(DDIM, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")),
    "sdxl": ("StableDiffusionXLPipeline", {}, TWO_TEXTS, "DPMSolverMultistepScheduler", NOISE),
    "sdxl_encodes_empty": ("StableDiffusionXLPipeline", dict(force_zeros_for_empty_prompt=False), TWO_TEXTS,
                           "DDIMScheduler", DDIM),
    "refiner": ("StableDiffusionXLImg2ImgPipeline", dict(requires_aesthetics_score=True), REFINER, "DDIMScheduler",
                DDIM),
    "guidance_embedded": ("StableDiffusionPipeline", {}, dict(ONE_TEXT, time_cond_proj_dim=16), "DDIMScheduler", DDIM),
    "fewer_layers": ("StableDiffusionXLPipeline", {}, FEWER_LAYERS, "DDIMScheduler", DDIM),
    "no_bottom": ("StableDiffusionPipeline", {}, NO_BOTTOM, "DDIMScheduler", DDIM),
    "tiny_vae": ("StableDiffusionPipeline", {}, ONE_TEXT, "DDIMScheduler", DDIM),
    "normalized_latents": ("StableDiffusionXLPipeline", {}, TWO_TEXTS, "DDIMScheduler", DDIM),
    # Few-step models are configurations: as SD-Turbo, SDXL-Turbo, SDXL-Lightning, Hyper-SD and LCM publish theirs.
    "sd_turbo": ("StableDiffusionPipeline", {}, dict(models.SD2, sample_size=8, cross_attention_dim=32),
                 "EulerDiscreteScheduler", dict(NOISE, timestep_spacing="trailing")),
    "sdxl_turbo": ("StableDiffusionXLPipeline", {}, TWO_TEXTS, "EulerAncestralDiscreteScheduler",
                   dict(NOISE, timestep_spacing="trailing")),
    "lightning": ("StableDiffusionXLPipeline", {}, TWO_TEXTS, "EulerDiscreteScheduler",
                  dict(NOISE, timestep_spacing="trailing")),
    "hyper": ("StableDiffusionXLPipeline", {}, TWO_TEXTS, "TCDScheduler", DDIM),
    "lcm": ("LatentConsistencyModelPipeline", {}, dict(ONE_TEXT, time_cond_proj_dim=16), "LCMScheduler",
            dict(NOISE, clip_sample=False)),
}
BASE = dict(prompt="a gold crown on red cloth", width=48, height=32, steps=3, guidance=4.0, seed=11)
SIZES = dict(original_size=[100, 70], crop=[3, 20], target_size=[64, 40])  # width, height; left, top
NEGATIVE_SIZES = dict(original_size=[30, 20], crop=[1, 2], target_size=[50, 60])
# "model.case" -> what differs from BASE.
CASES = {
    "sd2.plain": dict(),
    "sd2.clip_skip": dict(clip_skip=1, negative_prompt="a blue coin"),
    "sd2.rescale": dict(guidance_rescale=0.7),
    "sdxl.plain": dict(),
    "sdxl.negative": dict(negative_prompt="a blue coin"),
    "sdxl.second_prompts": dict(prompt_2="a red gem", negative_prompt="a coin", negative_prompt_2="sand"),
    "sdxl.clip_skip": dict(clip_skip=1, negative_prompt="a blue coin"),
    "sdxl.sizes": dict(sizes=SIZES),
    "sdxl.negative_sizes": dict(sizes=SIZES, negative_sizes=NEGATIVE_SIZES),
    "sdxl.batch": dict(images=2, negative_prompt="a coin"),
    "sdxl.no_guidance": dict(guidance=0.0, steps=1, scheduler="DDIMScheduler",
                             options=dict(timestep_spacing="trailing")),
    "sdxl.long": dict(prompt="a red gem on a white background " * 30, width=32),
    "sdxl.first_part": dict(end=0.6, steps=5, scheduler="DDIMScheduler"),
    "sdxl_encodes_empty.plain": dict(),
    "refiner.second_part": dict(begin=0.6, steps=5),
    "refiner.scores": dict(begin=0.6, steps=5, scores=[3.0, 7.5], sizes=SIZES),
    "refiner.negative_sizes": dict(begin=0.6, steps=5, sizes=SIZES, negative_sizes=NEGATIVE_SIZES,
                                   negative_prompt="a coin"),
    "refiner.middle": dict(begin=0.2, end=0.7, steps=10),
    "guidance_embedded.plain": dict(guidance=8.5),
    "fewer_layers.plain": dict(),
    "no_bottom.plain": dict(),
    "tiny_vae.plain": dict(),
    "normalized_latents.plain": dict(),
    "sd_turbo.one_step": dict(steps=1, guidance=0.0),
    "sdxl_turbo.one_step": dict(steps=1, guidance=0.0),
    "sdxl_turbo.four_steps": dict(steps=4, guidance=0.0),
    "lightning.four_steps": dict(steps=4, guidance=0.0),
    "hyper.four_steps": dict(steps=4, guidance=0.0),
    "lcm.four_steps": dict(steps=4, guidance=8.5),
    "lcm.clip_skip": dict(steps=2, guidance=1.0, clip_skip=1),
}


def make_vae(model: str) -> torch.nn.Module:
    if model == "tiny_vae":
        return AutoencoderTiny(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4,
                               num_encoder_blocks=(1, 2, 2, 2), num_decoder_blocks=(2, 2, 2, 1))
    if model == "normalized_latents":
        return AutoencoderKL(**VAE, latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.8, 1.1, 2.0])
    return AutoencoderKL(**VAE)


def tokenizer(pad: str) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(TOKENIZER, pad_token=pad)


def components(model: str) -> dict:
    """The parts of a model, without its scheduler."""
    name, _, unet, _, _ = MODELS[model]
    parts = dict(unet=UNet2DConditionModel(**unet), vae=make_vae(model))
    one_text = dict(CLIP, hidden_act="gelu") if model == "sd2" else dict(CLIP, hidden_act="quick_gelu")
    if "XL" not in name:
        parts |= dict(text_encoder=CLIPTextModel(CLIPTextConfig(**one_text)),
                      tokenizer=tokenizer("!" if model == "sd2" else "<|endoftext|>"), safety_checker=None,
                      feature_extractor=None, requires_safety_checker=False)
    else:
        first = model != "refiner"
        parts |= dict(text_encoder=CLIPTextModel(CLIPTextConfig(**one_text)) if first else None,
                      tokenizer=tokenizer("<|endoftext|>") if first else None,
                      text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**BIG_CLIP)), tokenizer_2=tokenizer("!"))
    for part, seed in SEEDS.items():
        if parts.get(part) is not None:
            fill(parts[part], seed)
    return parts


def save_configurations(folder: pathlib.Path, model: str) -> None:
    for file in folder.rglob("*.json"):
        path = file.relative_to(folder)
        if file.name in ("tokenizer.json", "vocab.json", "special_tokens_map.json"):
            continue
        target = OUT / model / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def make_pipeline(model: str) -> diffusers.DiffusionPipeline:
    """Saved and loaded, so that only the files count."""
    name, options, _, scheduler, scheduler_options = MODELS[model]
    kind = getattr(diffusers, name)
    pipe = kind(**components(model), scheduler=getattr(diffusers, scheduler)(**scheduler_options), **options)
    with tempfile.TemporaryDirectory() as folder:
        pipe.save_pretrained(folder)
        save_configurations(pathlib.Path(folder), model)
        pipe = kind.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    # diffusers 0.38 looks for the final norm of clip_skip where transformers 5 no longer has it; not registered as a
    # module, so that nothing else changes.
    if "XL" not in name:
        object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
    return pipe


def size_arguments(case: dict) -> dict:
    """diffusers writes sizes as (height, width) and crops as (top, left)."""
    arguments = {}
    for prefix, sizes in (("", case.get("sizes")), ("negative_", case.get("negative_sizes"))):
        if sizes:
            arguments[prefix + "original_size"] = tuple(reversed(sizes["original_size"]))
            arguments[prefix + "crops_coords_top_left"] = tuple(reversed(sizes["crop"]))
            arguments[prefix + "target_size"] = tuple(reversed(sizes["target_size"]))
    return arguments


def given_latents(case: dict) -> torch.Tensor:
    """Half-way latents that the C++ test draws again."""
    generator = torch.Generator("cpu").manual_seed(case["seed"])
    return torch.randn((1, 4, case["height"] // 8, case["width"] // 8), generator=generator)


def run(pipe: diffusers.DiffusionPipeline, case: dict) -> torch.Tensor:
    arguments = size_arguments(case)
    for key in ("prompt_2", "negative_prompt", "negative_prompt_2", "clip_skip", "guidance_rescale"):
        if key in case:
            arguments[key] = case[key]
    if "begin" in case:
        arguments |= dict(image=given_latents(case), denoising_start=case["begin"])
    else:
        arguments |= dict(width=case["width"], height=case["height"])
    if "end" in case:
        arguments["denoising_end"] = case["end"]
    if "scores" in case:
        arguments |= dict(aesthetic_score=case["scores"][0], negative_aesthetic_score=case["scores"][1])
    scheduler = pipe.scheduler
    if "scheduler" in case:
        pipe.scheduler = getattr(diffusers, case["scheduler"]).from_config(scheduler.config, **case.get("options", {}))
    images = pipe(case["prompt"], num_inference_steps=case["steps"], guidance_scale=case["guidance"],
                  generator=torch.Generator("cpu").manual_seed(case["seed"]),
                  num_images_per_prompt=case.get("images", 1), output_type="np", **arguments).images
    pipe.scheduler = scheduler
    return torch.from_numpy((images * 255).round().astype(np.uint8)).contiguous()


def main() -> None:
    torch.set_grad_enabled(False)
    images = {}
    for model in MODELS:
        pipe = make_pipeline(model)
        for name, case in CASES.items():
            if name.split(".")[0] == model:
                images[name] = run(pipe, BASE | case)
    cases = {name: BASE | case for name, case in CASES.items()}
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
