"""Expected values of the approximations: networks, and whole pictures of weights/tiny by a loop written out by hand.

Writes tests/data/approximations/<network>.safetensors, cases.json (the requests) and images.safetensors (uint8
[images, height, width, 3] a case). The configurations of the networks are those of tests/data/models.
Run: python tests/reference/approximations.py
"""

import json
import pathlib

import diffusers
import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from safetensors.torch import save_file

import models
from approximate_unet import ApproximateUNet
from seeded_weights import fill, normal

OUT = pathlib.Path("tests/data/approximations")
TINY = pathlib.Path("weights/tiny")

# network -> branches of DeepCache that are recorded
NETWORKS = {"unet_sd1": (0, 2, 3, 8), "unet_sd1_odd_size": (1, 4), "unet_sdxl": (0, 5), "unet_layers": (2, 4)}
MERGE_RATIOS = (0.3, 0.75)
LATER = (700.0, 40.5)  # timesteps of the second evaluation

BASE = dict(prompt="a gold crown on red cloth", width=64, height=64, steps=8, guidance=4.0, seed=11)
MULTI, SINGLE = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
CASES = {
    "interval": dict(guidance_begin=0.25, guidance_end=0.75),
    "interval_rescale": dict(guidance_begin=0.1, guidance_rescale=0.7),
    "every": dict(guidance_every=3, scheduler=MULTI),
    "every_rescale": dict(guidance_every=2, guidance_rescale=0.5, scheduler=MULTI),
    "cache": dict(cache_interval=3, scheduler=MULTI),
    "cache_branch": dict(cache_interval=2, cache_branch=3, images=2, scheduler=SINGLE),
    "cache_without_guidance": dict(cache_interval=2, guidance=1.0),
    "gate": dict(text_gate=0.5, scheduler=MULTI),
    "gate_without_guidance": dict(text_gate=0.25, guidance=1.0),
    "merge": dict(merge_ratio=0.5, width=128, height=128, scheduler=MULTI),
    "all": dict(guidance_begin=0.125, guidance_every=2, cache_interval=2, cache_branch=1, text_gate=0.75,
                merge_ratio=0.25, width=72, height=40, scheduler=MULTI),
}
NEUTRAL = dict(guidance_begin=0.0, guidance_end=1.0, guidance_every=1, cache_interval=1, cache_branch=0, text_gate=1.0,
               merge_ratio=0.0)


def rounded(value: float) -> int:
    return int(np.floor(value + 0.5))


def run_network(name: str, branches: tuple) -> None:
    config, height, width = models.UNETS[name]
    unet = UNet2DConditionModel(sample_size=16, **config).eval()
    fill(unet, models.SEED)
    inputs = models.unet_inputs(unet, height, width)
    first = [inputs["sample"], inputs["timestep"], inputs["encoder_hidden_states"], inputs.get("added_cond_kwargs")]
    second = [normal(8, *inputs["sample"].shape), torch.tensor(LATER), *first[2:]]
    alone = [second[0][1:], second[1][1:], second[2][1:],
             second[3] and {key: value[1:] for key, value in second[3].items()}]
    network = ApproximateUNet(unet)
    tensors = {"whole": network(*first)}
    torch.testing.assert_close(tensors["whole"], unet(**inputs).sample)
    for branch in branches:
        network(*first, branch=branch)
        tensors[f"cache.{branch}"] = network(*second, branch=branch, reuse=True)
        tensors[f"cache_alone.{branch}"] = network(*alone, branch=branch, reuse=True)
    for ratio in MERGE_RATIOS:
        network.merge_ratio = ratio
        tensors[f"merge.{ratio}"] = network(*first)
    network.merge_ratio = 0.0
    network.text_use, network.branches = "keep", 2
    network(*first)
    network.text_use = "repeat"
    tensors["gate"] = network(*alone)
    save_file({key: value.contiguous() for key, value in tensors.items()}, OUT / f"{name}.safetensors")


class Run:
    """One request; the loop is that of StableDiffusionPipeline with what the approximations leave out."""

    def __init__(self, pipe: StableDiffusionPipeline, case: dict):
        self.pipe, self.case = pipe, BASE | NEUTRAL | case
        self.network = ApproximateUNet(pipe.unet)
        self.network.merge_ratio = self.case["merge_ratio"]
        kind = getattr(diffusers, case["scheduler"]) if "scheduler" in case else type(pipe.scheduler)
        self.scheduler = kind.from_config(pipe.scheduler.config)
        self.scheduler.set_timesteps(self.case["steps"])
        self.images = self.case.get("images", 1)
        self.guided = self.case["guidance"] > 1
        texts, negative = pipe.encode_prompt(self.case["prompt"], "cpu", self.images, True, "")
        self.text = {1: texts, 2: torch.cat([negative, texts])}
        self.difference, self.deep_branches = None, 0

    def branches(self, i: int) -> tuple[bool, bool]:
        """Whether evaluation i runs both branches, and whether it is guided."""
        case, steps = self.case, self.case["steps"]
        begin, end = rounded(case["guidance_begin"] * steps), rounded(case["guidance_end"] * steps)
        guided = self.guided and begin <= i < min(end, self.gate)
        return guided and ((i - begin) % case["guidance_every"] == 0 or i == self.gate - 1 < steps - 1), guided

    @property
    def gate(self) -> int:
        return max(1, rounded(self.case["text_gate"] * self.case["steps"]))

    def evaluate(self, sample, i, t, both):
        network, case, steps = self.network, self.case, self.case["steps"]
        count = 2 if both else 1
        network.branches = count
        at_gate = self.gate < steps and i in (self.gate - 1, self.gate)
        network.text_use = "repeat" if i >= self.gate else "keep" if at_gate else "attend"
        cached = case["cache_interval"] > 1
        reuse = cached and i % case["cache_interval"] != 0 and not at_gate and self.deep_branches >= count
        if not reuse:
            self.deep_branches = count
        return network(torch.cat([sample] * count), t, self.text[count], branch=case["cache_branch"] if cached else None,
                       reuse=reuse)

    def predict(self, sample, i, t):
        both, guided = self.branches(i)
        prediction = self.evaluate(sample, i, t, both)
        if not guided:
            return prediction
        if both:
            without, prediction = prediction.chunk(2)
            self.difference = prediction - without
        without = prediction - self.difference
        out = without + self.case["guidance"] * (prediction - without)
        rescale = self.case.get("guidance_rescale", 0.0)
        return rescale_noise_cfg(out, prediction, rescale) if rescale else out

    def __call__(self) -> torch.Tensor:
        vae = self.pipe.vae
        generator = torch.Generator("cpu").manual_seed(self.case["seed"])
        size = (self.case["height"] // self.pipe.vae_scale_factor, self.case["width"] // self.pipe.vae_scale_factor)
        latents = torch.randn((self.images, 4, *size), generator=generator) * self.scheduler.init_noise_sigma
        for i, t in enumerate(self.scheduler.timesteps):
            prediction = self.predict(self.scheduler.scale_model_input(latents, t), i, t)
            latents = self.scheduler.step(prediction, t, latents).prev_sample
        out = vae.decode(latents / vae.config.scaling_factor).sample
        out = (out / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
        return (out * 255).round().to(torch.uint8).contiguous()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    for name, branches in NETWORKS.items():
        run_network(name, branches)
    images = {}
    for name, case in CASES.items():
        pipe = StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32)
        images[name] = Run(pipe, case)()
    (OUT / "cases.json").write_text(json.dumps({name: BASE | case for name, case in CASES.items()}, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
