"""Expected pictures of whole pipelines: the real StableDiffusionPipeline over weights/tiny and a random small model.

Writes tests/data/pipelines/cases.json (the requests), images.safetensors (uint8 [images, height, width, 3] a case) and
random/ (the configurations of the random model; its weights come from seeds, its tokenizer is that of weights/tiny).
Run: python tests/reference/pipelines.py
"""

import json
import pathlib
import shutil
import tempfile

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import models
from seeded_weights import fill

OUT = pathlib.Path("tests/data/pipelines")
TINY = pathlib.Path("weights/tiny")

BASE = dict(prompt="a gold crown on red cloth", width=64, height=64, steps=6, guidance=4.0, seed=11)
MULTI, SINGLE = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
# name -> what differs from BASE; "scheduler" and "options" as in scheduler_config.json.
CASES = {
    "own_scheduler": {},
    "ddim_eta": dict(scheduler="DDIMScheduler", options=dict(eta=0.7)),
    "ddim_trailing": dict(scheduler="DDIMScheduler", options=dict(timestep_spacing="trailing", set_alpha_to_one=True)),
    "ddim_zero_snr": dict(scheduler="DDIMScheduler", guidance_rescale=0.7,
                          options=dict(rescale_betas_zero_snr=True, timestep_spacing="trailing",
                                       prediction_type="v_prediction")),
    "ddpm": dict(scheduler="DDPMScheduler", steps=8),
    "ddpm_fixed_large": dict(scheduler="DDPMScheduler", options=dict(variance_type="fixed_large")),
    "dpm_plus_plus": dict(scheduler=MULTI),
    "dpm_plus_plus_128": dict(scheduler=MULTI, width=128, height=128, steps=20),
    "dpm_plus_plus_third_order": dict(scheduler=MULTI, steps=9, options=dict(solver_order=3)),
    "dpm_plus_plus_heun": dict(scheduler=MULTI, options=dict(solver_type="heun")),
    "dpm_plus_plus_karras": dict(scheduler=MULTI, options=dict(use_karras_sigmas=True)),
    "dpm_plus_plus_sde": dict(scheduler=MULTI, options=dict(algorithm_type="sde-dpmsolver++")),
    "dpm_sde": dict(scheduler=MULTI, options=dict(algorithm_type="sde-dpmsolver", final_sigmas_type="sigma_min")),
    "dpm": dict(scheduler=MULTI, options=dict(algorithm_type="dpmsolver", final_sigmas_type="sigma_min")),
    "dpm_euler_at_final": dict(scheduler=MULTI, options=dict(euler_at_final=True, lower_order_final=False)),
    "dpm_single": dict(scheduler=SINGLE),
    "dpm_single_karras": dict(scheduler=SINGLE, steps=7, options=dict(use_karras_sigmas=True, solver_order=3)),
    "negative_prompt": dict(negative_prompt="a blue coin", scheduler=MULTI),
    "batch": dict(images=3, scheduler=MULTI),
    "batch_per_image_seeds": dict(images=2, per_image_seeds=True, scheduler="DDPMScheduler"),
    "no_guidance": dict(guidance=1.0),
    "rescale": dict(guidance=8.0, guidance_rescale=0.7),
    "odd_size": dict(width=72, height=40),
    "custom_timesteps": dict(scheduler="DDPMScheduler", timesteps=[900, 600, 300, 100, 20], steps=5),
    "long_prompt": dict(prompt="a red gem on a white background " * 30),
    "empty_prompt": dict(prompt=""),
}
# Made in bfloat16 too, on weights/tiny, from the float32 noise rounded once: diffusers' own bfloat16 draw is another
# stream of numbers and so another picture.
BFLOAT16_CASES = ("own_scheduler", "dpm_plus_plus_128", "batch", "rescale")


def run(pipe: StableDiffusionPipeline, case: dict) -> torch.Tensor:
    case = BASE | case
    options = dict(case.get("options", {}))
    eta = options.pop("eta", 0.0)
    kind = getattr(diffusers, case["scheduler"]) if "scheduler" in case else type(pipe.scheduler)
    scheduler = pipe.scheduler
    pipe.scheduler = kind.from_config(pipe.scheduler.config, **options)
    images = case.get("images", 1)
    generator = torch.Generator("cpu").manual_seed(case["seed"])
    if case.get("per_image_seeds"):
        generator = [torch.Generator("cpu").manual_seed(case["seed"] + i) for i in range(images)]
    latents = None
    if pipe.dtype == torch.bfloat16:
        shape = (images, 4, case["height"] // pipe.vae_scale_factor, case["width"] // pipe.vae_scale_factor)
        latents = torch.randn(shape, generator=generator).to(torch.bfloat16)
    out = pipe(case["prompt"], negative_prompt=case.get("negative_prompt"), width=case["width"], height=case["height"],
               num_inference_steps=case["steps"], guidance_scale=case["guidance"], generator=generator, eta=eta,
               latents=latents,
               guidance_rescale=case.get("guidance_rescale", 0.0), num_images_per_prompt=images,
               timesteps=case.get("timesteps"), sigmas=case.get("sigmas"), output_type="np").images
    pipe.scheduler = scheduler
    return torch.from_numpy((out * 255).round().astype(np.uint8)).contiguous()


def random_pipeline() -> StableDiffusionPipeline:
    """Epsilon prediction, conditions of SD1.x, random weights; saved and loaded so that only the files count."""
    unet = UNet2DConditionModel(sample_size=8, **dict(models.SD1, cross_attention_dim=32))
    vae = AutoencoderKL(**dict(models.VAE, block_out_channels=(8, 8, 16, 16),
                               down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4))
    text = CLIPTextModel(CLIPTextConfig(**dict(models.CLIP, vocab_size=1024, max_position_embeddings=77,
                                               bos_token_id=1022, eos_token_id=1023, pad_token_id=1023)))
    for seed, module in enumerate((unet, vae, text)):
        fill(module, seed)
    scheduler = DDPMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
    pipe = StableDiffusionPipeline(vae, text, CLIPTokenizer.from_pretrained(TINY / "tokenizer"), unet, scheduler,
                                   safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    with tempfile.TemporaryDirectory() as folder:
        pipe.save_pretrained(folder)
        for file in pathlib.Path(folder).rglob("*.json"):
            if "tokenizer" not in str(file.relative_to(folder)):
                target = OUT / "random" / file.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
        return StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    images, cases = {}, {}
    tiny = StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32)
    for model, pipe in (("tiny", tiny), ("random", random_pipeline())):
        pipe.set_progress_bar_config(disable=True)
        for name, case in CASES.items():
            images[f"{model}.{name}"] = run(pipe, case)
    half = StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.bfloat16)
    half.set_progress_bar_config(disable=True)
    for name in BFLOAT16_CASES:
        images[f"bfloat16.{name}"] = run(half, CASES[name])
    for name, case in CASES.items():
        cases[name] = BASE | case
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
