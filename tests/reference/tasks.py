"""Expected pictures of image to image, inpainting, second passes, variations and seamless tiling.

The real StableDiffusionImg2ImgPipeline and StableDiffusionInpaintPipeline over weights/tiny, a random small model and a
random one whose U-Net has 9 channels. Where diffusers has no counterpart (per-pixel strength, regions at native
resolution, colours matched, slerp) the reference is a loop over its classes or a formula, here.
Writes tests/data/tasks: cases.json, images.safetensors (uint8 [images, height, width, 3]) and inpaint_unet.json.
Run: python tests/reference/tasks.py
"""

import json
import pathlib

import diffusers
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import (StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline,
                       UNet2DConditionModel)
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, ImageFilter
from safetensors.torch import save_file

import models
from pictures import blob, gray, rgb
from pipelines import MULTI, SINGLE, TINY, random_pipeline
from seeded_weights import fill

OUT = pathlib.Path("tests/data/tasks")
LANCZOS = Image.Resampling.LANCZOS
BASE = dict(model="tiny", prompt="a gold crown on red cloth", width=64, height=48, steps=6, guidance=4.0, seed=11)
HALF = dict(pictures=[[64, 48, 1]], strength=0.6)
HOLE = dict(HALF, strength=1.0, mask=dict(box=[16, 8, 40, 30]), keep_outside=False)
TRAILING = dict(rescale_betas_zero_snr=True, timestep_spacing="trailing", prediction_type="v_prediction")

IMG2IMG = {
    "own_scheduler": dict(HALF),
    "random_own": dict(HALF, model="random"),
    "own_size": dict(pictures=[[71, 62, 2]], strength=0.5, width=0, height=0),
    "default_strength": dict(pictures=[[64, 48, 1]]),
    "whole_strength": dict(HALF, strength=1.0, scheduler="DDIMScheduler"),
    "ddim_eta": dict(HALF, scheduler="DDIMScheduler", options=dict(eta=0.7)),
    "ddim_zero_snr": dict(HALF, scheduler="DDIMScheduler", options=TRAILING),
    "ddpm": dict(HALF, model="random", scheduler="DDPMScheduler", steps=8, strength=0.35),
    "ddpm_custom": dict(HALF, scheduler="DDPMScheduler", timesteps=[900, 600, 300, 100, 20], steps=5, strength=0.65),
    "multi_karras": dict(HALF, scheduler=MULTI, options=dict(use_karras_sigmas=True)),
    "multi_third_order": dict(HALF, model="random", scheduler=MULTI, steps=9, options=dict(solver_order=3)),
    "multi_sde": dict(HALF, scheduler=MULTI, options=dict(algorithm_type="sde-dpmsolver++")),
    "single": dict(HALF, scheduler=SINGLE, steps=9, strength=0.7),
    "two_of_one": dict(HALF, images=2),
    "two_of_two": dict(HALF, pictures=[[64, 48, 1], [40, 70, 3]], images=2),
    "own_seeds": dict(HALF, images=2, per_image_seeds=True, scheduler="DDPMScheduler"),
    "seamless": dict(HALF, seamless="xy"),
}
INPAINT = {
    "hole": HOLE,
    "hole_random": dict(HOLE, model="random"),
    "hole_weak": dict(HOLE, strength=0.7),
    "hole_unguided": dict(HOLE, guidance=1.0, strength=0.5),
    "hole_kept": dict(HOLE, keep_outside=True),
    "hole_resized": dict(HOLE, pictures=[[90, 61, 2]], mask=dict(size=[90, 61], box=[30, 8, 70, 33])),
    "hole_ddpm": dict(HOLE, model="random", scheduler="DDPMScheduler"),
    "hole_multi": dict(HOLE, scheduler=MULTI, strength=0.8),
    "hole_single": dict(HOLE, scheduler=SINGLE),
    "hole_sde": dict(HOLE, scheduler=MULTI, options=dict(algorithm_type="sde-dpmsolver++")),
    "hole_batch": dict(HOLE, images=2, strength=0.9),
    "hole_own_seeds": dict(HOLE, images=2, per_image_seeds=True, scheduler="DDIMScheduler", options=dict(eta=0.5)),
    "hole_grown": dict(HOLE, grow=5),
    "hole_blurred": dict(HOLE, blur=2.5, keep_outside=True),
    "cropped": dict(HOLE, pictures=[[90, 61, 2]], mask=dict(size=[90, 61], box=[50, 20, 70, 33]), region="fitted",
                    padding=6, keep_outside=True),
    "cropped_blurred": dict(HOLE, pictures=[[90, 61, 2]], mask=dict(size=[90, 61], box=[10, 2, 20, 50]),
                            region="fitted", padding=3, keep_outside=True, blur=1.5),
    "nine": dict(HOLE, model="inpaint"),
    "nine_weak": dict(HOLE, model="inpaint", strength=0.6),
    "nine_batch": dict(HOLE, model="inpaint", images=2, scheduler="DDPMScheduler"),
    "nine_cropped": dict(HOLE, model="inpaint", pictures=[[90, 61, 2]], mask=dict(size=[90, 61], box=[50, 20, 70, 33]),
                         region="fitted", padding=6, keep_outside=True),
    "extended": dict(HOLE, pictures=[[40, 40, 2]], mask=None, extend=[16, 0, 8, 8], grow=2, keep_outside=True),
    "extended_hole": dict(HOLE, pictures=[[48, 40, 2]], mask=dict(size=[48, 40], box=[30, 20, 48, 40]),
                          extend=[0, 8, 16, 0], keep_outside=True),
    "native": dict(HOLE, pictures=[[100, 60, 2]], mask=dict(size=[100, 60], box=[40, 20, 51, 30]), region="native",
                   padding=5, width=64, height=32, cut=[14, 9, 64, 32], keep_outside=True),
    "native_beyond": dict(HOLE, pictures=[[60, 45, 2]], mask=dict(size=[60, 45], box=[40, 20, 51, 30]), region="native",
                          padding=5, width=64, height=48, cut=[-2, -1, 64, 48], keep_outside=True, blur=1.0),
    "colors": dict(HOLE, model="random", keep_outside=True, match_colors=True),
}
SOFT = {
    "soft": dict(HOLE, mask=dict(noise=5), soft=True),
    "soft_weak": dict(HOLE, mask=dict(noise=6), soft=True, strength=0.7, scheduler=MULTI),
    "soft_hard": dict(HOLE, model="random", soft=True, scheduler="DDPMScheduler"),
}
PASSES = {
    "hires_latent": dict(hires=dict(scale=1.5, upscaler="latent", strength=0.6), width=32, height=32),
    "hires_pixels": dict(hires=dict(scale=2.0, upscaler="pixels", strength=0.5, steps=8), width=32, height=32,
                         scheduler="DDPMScheduler"),
    "hires_img2img": dict(HALF, pictures=[[40, 40, 2]], hires=dict(scale=1.5, upscaler="latent", strength=0.4),
                          width=0, height=0),
}
NOISE = {
    "variation": dict(variation=dict(seed=5, strength=0.3)),
    "variation_batch": dict(variation=dict(seed=5, strength=0.6), images=3, scheduler="DDPMScheduler", model="random"),
    "seamless_x": dict(seamless="x"),
    "seamless_y": dict(seamless="y", model="random"),
    "seamless_xy": dict(seamless="xy", scheduler=MULTI, width=48, height=40),
}


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Smooth blotches; the tests make the same ones."""
    return rgb(width // 8 + 1, height // 8 + 1, seed).resize((width, height), LANCZOS)


def mask_of(case: dict) -> Image.Image:
    wish, (width, height, _) = case["mask"], case["pictures"][0]
    if "noise" in wish:
        return gray(4, 3, wish["noise"]).resize((width, height), LANCZOS)
    return blob(*wish.get("size", (width, height)), wish["box"])


def generator_of(case: dict, images: int):
    if case.get("per_image_seeds"):
        return [torch.Generator("cpu").manual_seed(case["seed"] + i) for i in range(images)]
    return torch.Generator("cpu").manual_seed(case["seed"])


def as_tensor(pictures: list) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])).contiguous()


class Wrapped:
    """Circular padding in every convolution along the axes, zeros along the other."""

    def __init__(self, pipe, axes: str):
        self.convs = [m for net in (pipe.unet, pipe.vae) for m in net.modules() if isinstance(m, torch.nn.Conv2d)] if axes else []
        self.axes = axes

    def pad(self, x: torch.Tensor, left: int, right: int, top: int, bottom: int) -> torch.Tensor:
        x = F.pad(x, (left, right, 0, 0), mode="circular" if "x" in self.axes else "constant")
        return F.pad(x, (0, 0, top, bottom), mode="circular" if "y" in self.axes else "constant")

    def forward(self, conv: torch.nn.Conv2d):
        def run(x: torch.Tensor) -> torch.Tensor:
            rows, columns = conv.padding
            x = self.pad(x, columns, columns, rows, rows)
            return F.conv2d(x, conv.weight, conv.bias, conv.stride)
        return run

    def __enter__(self):
        self.f_pad = diffusers.models.downsampling.F.pad
        for conv in self.convs:
            conv.forward = self.forward(conv)
        if self.convs and self.axes == "xy":  # the encoder's downsampling pads on its own, right and below
            def pad(x, pads, mode="constant", value=0):
                return self.f_pad(x, pads, mode="circular") if pads == (0, 1, 0, 1) else self.f_pad(x, pads, mode, value)
            diffusers.models.downsampling.F.pad = pad

    def __exit__(self, *_):
        diffusers.models.downsampling.F.pad = self.f_pad
        for conv in self.convs:
            del conv.forward


class Runner:
    def __init__(self):
        tiny = StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32)
        random = random_pipeline()
        unet = UNet2DConditionModel(sample_size=8, **dict(models.SD1, cross_attention_dim=32, in_channels=9))
        fill(unet, 0)
        unet.save_config(OUT)
        (OUT / "config.json").rename(OUT / "inpaint_unet.json")
        nine = StableDiffusionPipeline(**dict(random.components, unet=unet), requires_safety_checker=False)
        self.pipes = dict(tiny=tiny, random=random, inpaint=nine)

    def pipe(self, case: dict, kind=StableDiffusionPipeline):
        base = self.pipes[case["model"]]
        options = dict(case.get("options", {}))
        case["eta"] = options.pop("eta", 0.0)
        scheduler = getattr(diffusers, case["scheduler"]) if "scheduler" in case else type(base.scheduler)
        pipe = kind(**dict(base.components, scheduler=scheduler.from_config(base.scheduler.config, **options)),
                    requires_safety_checker=False)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def arguments(self, case: dict, generator) -> dict:
        return dict(num_inference_steps=case["steps"], guidance_scale=case["guidance"], eta=case["eta"],
                    generator=generator, num_images_per_prompt=case.get("images", 1))

    def text_to_image(self, case: dict, **more):
        pipe = self.pipe(case)
        with Wrapped(pipe, case.get("seamless", "")):
            generator = more.pop("generator", None) or generator_of(case, case.get("images", 1))
            return pipe(case["prompt"], width=case["width"], height=case["height"], **self.arguments(case, generator),
                        **more).images

    def image_to_image(self, case: dict, image=None, generator=None, **more):
        pipe = self.pipe(case, StableDiffusionImg2ImgPipeline)
        images = case.get("images", 1)
        if image is None:
            size = (case["width"], case["height"])
            image = [picture(*p) for p in case["pictures"]]
            image = [i.resize(size, LANCZOS) for i in image] if all(size) else image
        # Several pictures need as many prompts.
        count = len(image) if isinstance(image, list) else 1
        arguments = self.arguments(case, generator or generator_of(case, images))
        arguments["num_images_per_prompt"] = images // count
        with Wrapped(pipe, case.get("seamless", "")):
            return pipe([case["prompt"]] * count, image=image, strength=case.get("strength", 0.8),
                        timesteps=case.get("timesteps"), **arguments, **more).images

    def prepared(self, case: dict):
        image, mask = picture(*case["pictures"][0]), None
        if case.get("mask"):
            mask = mask_of(case)
        if case.get("extend"):
            left, top, right, bottom = case["extend"]
            pads = ((top, bottom), (left, right))
            inner = np.zeros((image.height, image.width), np.uint8) if mask is None else np.asarray(mask)
            mask = Image.fromarray(np.pad(inner, pads, constant_values=255))
            image = Image.fromarray(np.pad(np.asarray(image), (*pads, (0, 0)), mode="edge"))
        if case.get("grow"):
            mask = mask.filter(ImageFilter.MaxFilter(2 * case["grow"] + 1))
        return image, mask

    def inpaint(self, case: dict):
        pipe = self.pipe(case, StableDiffusionInpaintPipeline)
        image, mask = self.prepared(case)
        if case.get("blur"):
            mask = pipe.mask_processor.blur(mask, case["blur"])
        whole, whole_mask = image, mask
        if case.get("region") == "native":
            image, mask = cut(image, case["cut"]), cut(mask, case["cut"])
        made = pipe(case["prompt"], image=image, mask_image=mask, width=case["width"], height=case["height"],
                    strength=case["strength"], padding_mask_crop=case.get("padding") if case.get("region") == "fitted" else None,
                    **self.arguments(case, generator_of(case, case.get("images", 1)))).images
        if case.get("region") == "native":
            return [laid_over(put_back(whole, part, case["cut"]), whole, whole_mask) for part in made]
        if not case["keep_outside"] or case.get("region"):
            return made
        image = image.resize((case["width"], case["height"]), LANCZOS)
        mask = mask.resize((case["width"], case["height"]), LANCZOS)
        if case.get("match_colors"):
            made = [matched(part, image, mask) for part in made]
        return [laid_over(part, image, mask) for part in made]

    def soft(self, case: dict):
        """Differential diffusion, arXiv:2306.00950: a latent of strength m follows the original for 1 - m of the run."""
        pipe = self.pipe(case)
        generator = generator_of(case, 1)
        image = pipe.image_processor.preprocess(picture(*case["pictures"][0]))
        strength = torch.from_numpy(np.asarray(mask_of(case)).astype(np.float32) / 255)[None, None]
        strength = F.interpolate(strength, size=(image.shape[2] // 8, image.shape[3] // 8), mode="area")
        positive, negative = pipe.encode_prompt(case["prompt"], "cpu", 1, True)
        pipe.scheduler.set_timesteps(case["steps"])
        count = min(int(case["steps"] * case["strength"]), case["steps"])
        timesteps = pipe.scheduler.timesteps[case["steps"] - count:]
        if hasattr(pipe.scheduler, "set_begin_index"):
            pipe.scheduler.set_begin_index(case["steps"] - count)
        clean = pipe.vae.encode(image).latent_dist.sample(generator) * pipe.vae.config.scaling_factor
        noise = torch.randn(clean.shape, generator=generator)
        latents = noise if case["strength"] == 1 else pipe.scheduler.add_noise(clean, noise, timesteps[:1])
        torch.randn(clean.shape, generator=generator)  # the masked picture that StableDiffusionInpaintPipeline encodes
        extra = pipe.prepare_extra_step_kwargs(generator, case["eta"])
        for i, t in enumerate(timesteps):
            both = pipe.unet(torch.cat([latents] * 2), t, encoder_hidden_states=torch.cat([negative, positive])).sample
            without, with_prompt = both.chunk(2)
            latents = pipe.scheduler.step(without + case["guidance"] * (with_prompt - without), t, latents, **extra).prev_sample
            follows = strength <= 0
            original = clean
            if i + 1 < count:
                follows = 1 - strength > (i + 1) / count
                original = pipe.scheduler.add_noise(clean, noise, timesteps[i + 1:i + 2])
            latents = torch.where(follows, original, latents)
        return pipe.image_processor.postprocess(pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample)

    def two_passes(self, case: dict):
        generator = generator_of(case, 1)
        hires = case["hires"]
        latent = hires["upscaler"] == "latent"
        form = "latent" if latent else "pil"
        if "pictures" in case:
            image = self.image_to_image(case, generator=generator, output_type=form)
            case["width"], case["height"] = case["pictures"][0][:2]
        else:
            image = self.text_to_image(case, generator=generator, output_type=form)
        width, height = (int(case[side] * hires["scale"]) // 8 * 8 for side in ("width", "height"))
        if latent:
            image = F.interpolate(image, size=(height // 8, width // 8), mode="bilinear")
        else:
            image = [image[0].resize((width, height), LANCZOS)]
        second = dict(case, strength=hires["strength"], steps=hires.get("steps", case["steps"]))
        return self.image_to_image(second, image=image, generator=generator)

    def varied(self, case: dict):
        wish, images = case["variation"], case.get("images", 1)
        shape = (1, 4, case["height"] // 8, case["width"] // 8)
        generator = generator_of(case, images)
        base = torch.randn((images, *shape[1:]), generator=generator)[:1].double()
        rows = []
        for i in range(images):
            other = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(wish["seed"] + i)).double()
            angle = torch.acos((base * other).sum() / (base.norm() * other.norm()))
            rows.append((torch.sin((1 - wish["strength"]) * angle) * base + torch.sin(wish["strength"] * angle) * other)
                        / torch.sin(angle))
        return self.text_to_image(case, generator=generator, latents=torch.cat(rows).float())


def cut(image: Image.Image, region: list) -> Image.Image:
    left, top, width, height = region
    values = np.asarray(image)
    rows = np.clip(np.arange(top, top + height), 0, image.height - 1)
    columns = np.clip(np.arange(left, left + width), 0, image.width - 1)
    return Image.fromarray(values[rows][:, columns])


def put_back(image: Image.Image, part: Image.Image, region: list) -> Image.Image:
    out = image.copy()
    out.paste(part, tuple(region[:2]))
    return out


def laid_over(painted: Image.Image, original: Image.Image, mask: Image.Image) -> Image.Image:
    return VaeImageProcessor().apply_overlay(mask, original, painted)


def matched(painted: Image.Image, original: Image.Image, mask: Image.Image) -> Image.Image:
    ring = (np.asarray(mask) == 0) & (np.asarray(mask.filter(ImageFilter.MaxFilter(65))) > 0)
    values, wanted = np.asarray(painted).astype(np.float64), np.asarray(original).astype(np.float64)
    out = (values - values[ring].mean(0)) * wanted[ring].std(0) / values[ring].std(0) + wanted[ring].mean(0)
    return Image.fromarray(np.floor(out + 0.5).clip(0, 255).astype(np.uint8))


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    runner = Runner()
    groups = [(IMG2IMG, runner.image_to_image), (INPAINT, runner.inpaint), (SOFT, runner.soft),
              (PASSES, runner.two_passes)]
    images, cases = {}, {}
    for group, run in groups:
        for name, case in group.items():
            cases[name] = BASE | case
            images[name] = as_tensor(run(dict(cases[name])))
    for name, case in NOISE.items():
        cases[name] = BASE | case
        run = runner.varied if "variation" in case else runner.text_to_image
        images[name] = as_tensor(run(dict(cases[name])))
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
