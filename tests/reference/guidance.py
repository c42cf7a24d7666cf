"""Expected pictures, heat maps and predictions for tests/pipeline/guidance_parity_test.cpp, on weights/tiny.

References: StableDiffusionPAGPipeline; enable_freeu; StableDiffusionPipeline whose callback sets the guidance scale before
every step; an attention processor over diffusers' U-Net that records softmax maps; numpy formulas for dynamic
thresholding (after Imagen, arXiv:2205.11487 section 2.3, by channel between two scales) and for two conditions
(arXiv:2211.09800 eq. 3). Writes tests/data/guidance. Run: python tests/reference/guidance.py
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPAGPipeline, StableDiffusionPipeline
from safetensors.torch import save_file

from pipelines import BASE, TINY

OUT = pathlib.Path("tests/data/guidance")
# name -> what differs from pipelines.BASE; guidance_options as in fjord's Guidance
CASES = {
    "schedule": dict(guidance_options=dict(schedule=[8.0, 5.0, 4.0, 3.0, 2.5, 1.5])),
    "schedule_line": dict(guidance_options=dict(schedule=[7.0, 2.0]), steps=5, guidance_rescale=0.4),
    "pag": dict(guidance_options=dict(perturbed_scale=3.0)),
    "pag_layers": dict(guidance_options=dict(perturbed_scale=1.5, perturbed_layers=["down_blocks.1", "up"]), images=2),
    "pag_adaptive": dict(guidance_options=dict(perturbed_scale=4.0, perturbed_adaptive_scale=0.005)),
    "pag_alone": dict(guidance_options=dict(perturbed_scale=3.0), guidance=1.0),
    "pag_rescale": dict(guidance_options=dict(perturbed_scale=3.0), guidance_rescale=0.7),
    "free_u": dict(guidance_options=dict(free_u=[0.9, 0.2, 1.2, 1.4])),
    "free_u_odd": dict(guidance_options=dict(free_u=[0.8, 0.5, 1.3, 1.1]), width=72, height=40),
    "heat_maps": dict(guidance_options=dict(heat_maps=True), steps=4),
    "heat_maps_batch": dict(guidance_options=dict(heat_maps=True), steps=2, images=2, width=72, height=48),
}


class RecordingProcessor:
    """Attention that adds up its softmax maps of the branch with the prompt."""

    def __init__(self, maps, size):
        self.maps, self.size = maps, size

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (attn.head_to_batch_dim(layer(x)) for layer, x in
                             ((attn.to_q, hidden_states), (attn.to_k, text), (attn.to_v, text)))
        weights = attn.get_attention_scores(query, key)
        if encoder_hidden_states is not None:
            self.record(weights.unflatten(0, (-1, attn.heads)).mean(1))
        mixed = attn.batch_to_head_dim(torch.bmm(weights, value))
        return attn.to_out[1](attn.to_out[0](mixed))

    def record(self, weights):  # [branches * images, pixels, tokens]
        height, width = self.size
        while height * width != weights.shape[1]:
            height, width = math.ceil(height / 2), math.ceil(width / 2)
        prompt = weights.chunk(2)[1].transpose(1, 2).unflatten(2, (height, width))
        self.maps.append(F.interpolate(prompt, self.size, mode="bicubic", align_corners=False).clamp(min=0))


def scale_at(schedule, i, steps):
    return float(np.interp(i * (len(schedule) - 1) / (steps - 1), np.arange(len(schedule)), schedule))


def run(pipe, case, maps):
    options = case.get("guidance_options", {})
    extra = {}
    if "schedule" in options:
        scales = [scale_at(options["schedule"], i, case["steps"]) for i in range(case["steps"])]

        def set_scale(pipeline, i, t, tensors):
            if i + 1 < len(scales):
                pipeline._guidance_scale = scales[i + 1]
            return tensors

        extra["callback_on_step_end"] = set_scale
        case = case | {"guidance": scales[0]}
    if "perturbed_scale" in options:
        extra |= dict(pag_scale=options["perturbed_scale"],
                      pag_adaptive_scale=options.get("perturbed_adaptive_scale", 0.0))
        pipe = StableDiffusionPAGPipeline(**pipe.components, requires_safety_checker=False,
                                          pag_applied_layers=options.get("perturbed_layers", ["mid"]))
        pipe.set_progress_bar_config(disable=True)
    if "free_u" in options:
        s1, s2, b1, b2 = options["free_u"]
        pipe.enable_freeu(s1=s1, s2=s2, b1=b1, b2=b2)
    processors = pipe.unet.attn_processors
    if "heat_maps" in options:
        size = (case["height"] // pipe.vae_scale_factor, case["width"] // pipe.vae_scale_factor)
        pipe.unet.set_attn_processor(RecordingProcessor(maps, size))
    out = pipe(case["prompt"], width=case["width"], height=case["height"], num_inference_steps=case["steps"],
               guidance_scale=case["guidance"], generator=torch.Generator("cpu").manual_seed(case["seed"]),
               guidance_rescale=case.get("guidance_rescale", 0.0), num_images_per_prompt=case.get("images", 1),
               output_type="np", **extra).images
    pipe.unet.set_attn_processor(processors)
    if "free_u" in options:
        pipe.disable_freeu()
    return torch.from_numpy((out * 255).round().astype(np.uint8)).contiguous()


def thresholded(u, c, scale, mimic, percentile):
    """float64 numpy; [images, channels, height, width]"""
    flat = lambda x: x.reshape(*x.shape[:2], -1)
    guided, other = flat(u + scale * (c - u)), flat(u + mimic * (c - u))
    mean = guided.mean(2, keepdims=True)
    reach = np.abs(other - other.mean(2, keepdims=True)).max(2, keepdims=True)
    limit = np.maximum(np.quantile(np.abs(guided - mean), percentile, axis=2, keepdims=True), reach)
    return (np.clip(guided - mean, -limit, limit) * reach / limit + mean).reshape(u.shape)


def formulas():
    draw = np.random.default_rng(8)
    u, c, i = (draw.standard_normal((2, 4, 6, 5)) for _ in range(3))
    arrays = {"without": u, "with_prompt": c, "with_image": i}
    for name, mimic, percentile in (("mimic", 4.0, 1.0), ("mimic_quantile", 2.5, 0.9), ("mimic_larger", 12.0, 1.0)):
        arrays[name] = thresholded(u, c, 8.0, mimic, percentile)
    arrays["dual"] = u + 7.5 * (c - i) + 1.2 * (i - u)
    return {name: torch.from_numpy(value).float().contiguous() for name, value in arrays.items()}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    pipe = StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    images, tensors = {}, formulas()
    for name, case in CASES.items():
        maps = []
        images[name] = run(pipe, BASE | case, maps)
        if maps:
            tensors[name] = torch.stack(maps).mean(0)
    (OUT / "cases.json").write_text(json.dumps({name: BASE | case for name, case in CASES.items()}, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")
    save_file(tensors, OUT / "tensors.safetensors")


if __name__ == "__main__":
    main()
