"""Expected pictures of what people do with models of two text encoders and of v-prediction: image to image, inpainting,
second passes, LoRAs, textual inversions, perturbed attention; and of image to image by schedulers of second order.

The real pipelines of diffusers over the random models of families.py and over weights/tiny.
Writes tests/data/family_tasks: xl_inpaint/ (configurations), files.json (adapter files), cases.json (requests) and
images.safetensors (uint8 [images, height, width, 3] a case).
Run: OMP_NUM_THREADS=1 python tests/reference/family_tasks.py [CASE...]   (CASE: makes these alone)
"""

import json
import pathlib
import sys

import diffusers
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import families
from adapters import draw
from families import DDIM, NOISE, TWO_TEXTS
from packed_names import packed
from pipelines import TINY
from tasks import LANCZOS, as_tensor, generator_of, mask_of, picture

OUT = pathlib.Path("tests/data/family_tasks")
EULER, ANCESTRAL, HEUN = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler"
DPM2, DPM2A, PNDM = "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "PNDMScheduler"
INPAINT = ("StableDiffusionXLInpaintPipeline", {}, dict(TWO_TEXTS, in_channels=9), EULER, NOISE)

BASE = dict(model="sdxl", prompt="a gold crown on red cloth", width=64, height=48, steps=6, guidance=4.0, seed=11)
HALF = dict(pictures=[[64, 48, 1]], strength=0.6)
HOLE = dict(pictures=[[64, 48, 1]], strength=1.0, mask=dict(box=[16, 8, 40, 30]), keep_outside=False)
SIZES = dict(original_size=[100, 70], crop=[3, 20], target_size=[64, 40])  # width, height; left, top
TINY_HALF = dict(HALF, model="tiny", steps=7)
CASES = {
    "image": dict(HALF),
    "image_default_strength": dict(pictures=[[64, 48, 1]]),
    "image_euler": dict(HALF, scheduler=EULER),
    "image_ancestral": dict(HALF, scheduler=ANCESTRAL),
    "image_heun": dict(HALF, scheduler=HEUN),
    "image_dpm2": dict(HALF, scheduler=DPM2),
    "image_ddim_eta": dict(HALF, scheduler="DDIMScheduler", options=dict(eta=0.7)),
    "image_sizes": dict(HALF, sizes=SIZES, negative_prompt="a blue coin"),
    "image_batch": dict(HALF, images=2),
    "image_resized": dict(HALF, pictures=[[90, 61, 2]]),
    "image_rescale": dict(HALF, guidance_rescale=0.7),
    "image_normalized_latents": dict(HALF, model="normalized_latents"),
    "refiner_image": dict(HALF, model="refiner", scores=[3.0, 7.5]),
    "refiner_image_negative": dict(HALF, model="refiner", negative_prompt="a blue coin", strength=0.35),
    "velocity_image": dict(HALF, model="sd2"),
    "velocity_image_batch": dict(HALF, model="sd2", images=2, strength=0.8),
    "hole": dict(HOLE),
    "hole_weak": dict(HOLE, strength=0.7, scheduler=EULER),
    "hole_batch": dict(HOLE, images=2, strength=0.8),
    "hole_heun": dict(HOLE, scheduler=HEUN, strength=0.7),
    "hole_velocity": dict(HOLE, model="sd2", strength=0.7),
    "nine": dict(HOLE, model="xl_inpaint"),
    "nine_weak": dict(HOLE, model="xl_inpaint", strength=0.6, negative_prompt="a coin"),
    "second_latent": dict(hires=dict(scale=1.5, upscaler="latent", strength=0.6), width=32, height=32),
    "second_pixels": dict(hires=dict(scale=2.0, upscaler="pixels", strength=0.5, steps=8), width=32, height=32, scheduler=EULER),
    "lora": dict(adapters=[["lora", 1.0, 1.0]]),
    "lora_strengths": dict(adapters=[["lora", 0.6, 1.3]], negative_prompt="a coin"),
    "lora_image": dict(HALF, adapters=[["lora", 1.0, 1.0]]),
    # As LCM-LoRA and the LoRAs of Hyper-SD are used.
    "lora_lcm": dict(adapters=[["lora", 1.0, 1.0]], scheduler="LCMScheduler", steps=4, guidance=1.5),
    "lora_tcd": dict(adapters=[["lora", 0.125, 1.0]], scheduler="TCDScheduler", options=dict(eta=0.3), steps=4, guidance=1.0),
    "token": dict(embeddings=[["token", ["<ruby>"]]], prompt="a <ruby> crown on red cloth"),
    "token_and_lora": dict(embeddings=[["token", ["<ruby>"]]], adapters=[["lora", 0.5, 0.5]], prompt="a <ruby> crown"),
    "perturbed": dict(perturbed_scale=3.0),
    "perturbed_rescale": dict(perturbed_scale=2.0, guidance_rescale=0.7, perturbed_layers=["down_blocks.2", "mid"]),
    "perturbed_alone": dict(perturbed_scale=3.0, guidance=1.0),
    "tiny_heun": dict(TINY_HALF, scheduler=HEUN),
    "tiny_heun_karras": dict(TINY_HALF, scheduler=HEUN, options=dict(use_karras_sigmas=True), strength=0.45),
    "tiny_dpm2": dict(TINY_HALF, scheduler=DPM2),
    "tiny_dpm2_ancestral": dict(TINY_HALF, scheduler=DPM2A, options=dict(timestep_spacing="trailing")),
    "tiny_ancestral": dict(TINY_HALF, scheduler=ANCESTRAL),
    "tiny_pndm": dict(TINY_HALF, scheduler=PNDM, options=dict(skip_prk_steps=True)),
    "tiny_hole_heun": dict(HOLE, model="tiny", scheduler=HEUN, strength=0.7),
    "tiny_hole_dpm2": dict(HOLE, model="tiny", scheduler=DPM2),
}
RANK = 2
ENDS = dict(lora_unet_=("attn1.to_q", "attn2.to_v", "ff.net.2", "proj_in"), lora_te1_=("q_proj", "out_proj", "fc1"),
            lora_te2_=("v_proj", "out_proj", "fc2"))  # without out_proj this diffusers knows no names of text encoders


def make_pipeline(model: str) -> diffusers.DiffusionPipeline:
    if model == "tiny":
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32)
        pipe.set_progress_bar_config(disable=True)
        return pipe
    if model != "xl_inpaint":
        return families.make_pipeline(model)
    families.MODELS[model] = INPAINT
    families.OUT, out = OUT, families.OUT
    pipe = families.make_pipeline(model)
    families.OUT = out
    return pipe


def lora_file(pipe) -> dict:
    """The names of kohya-ss' scripts for all three networks."""
    shapes = {}
    networks = dict(lora_unet_=pipe.unet, lora_te1_=pipe.text_encoder, lora_te2_=pipe.text_encoder_2)
    for prefix, network in networks.items():
        for name, module in network.named_modules():
            if not name.endswith(ENDS[prefix]) or "down_blocks.1" in name:
                continue
            if prefix != "lora_unet_" and not name.startswith("text_model"):
                name = "text_model." + name
            shape, stem = list(module.weight.shape), prefix + name.replace(".", "_")
            shapes |= {stem + ".lora_down.weight": [RANK, *shape[1:]], stem + ".alpha": [],
                       stem + ".lora_up.weight": [shape[0], RANK] + [1] * (len(shape) - 2)}
    return dict(shapes=shapes, seed=31, gain=1.0, alpha=1.0)


def token_file(pipe) -> dict:
    widths = dict(clip_l=pipe.text_encoder.config.hidden_size, clip_g=pipe.text_encoder_2.config.hidden_size)
    return dict(shapes={name: [2, width] for name, width in widths.items()}, seed=32, gain=1.0)


class Runner:
    def __init__(self):
        self.bases = {}
        base = self.base("sdxl")
        self.files = dict(lora=lora_file(base), token=token_file(base))

    def base(self, model: str):
        if model not in self.bases:
            self.bases[model] = make_pipeline(model)
        return self.bases[model]

    def pipe(self, case: dict, task: str):
        """`task`: "", "Img2Img", "Inpaint" or "PAG"."""
        changed = "adapters" in case or "embeddings" in case
        base = make_pipeline(case["model"]) if changed else self.base(case["model"])
        two = "XL" in type(base).__name__
        options = dict(case.get("options", {}))
        case["eta"] = options.pop("eta", 0.0)
        kind = getattr(diffusers, case["scheduler"]) if "scheduler" in case else type(base.scheduler)
        parts = dict(base.components, scheduler=kind.from_config(base.scheduler.config, **options))
        more = {} if two else dict(requires_safety_checker=False)
        if two and task in ("Img2Img", "Inpaint"):
            more["requires_aesthetics_score"] = case["model"] == "refiner"
        if task == "PAG":
            more["pag_applied_layers"] = case.get("perturbed_layers", ["mid"])
        name = "StableDiffusionXL" if two else "StableDiffusion"
        pipe = getattr(diffusers, name + task + "Pipeline")(**parts, **more)
        pipe.set_progress_bar_config(disable=True)
        self.adapt(pipe, case)
        return pipe

    def adapt(self, pipe, case: dict) -> None:
        for name, tokens in case.get("embeddings", []):
            tensors = draw(**self.files[name])
            pipe.load_textual_inversion(tensors["clip_l"], token=tokens[0], text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer)
            pipe.load_textual_inversion(tensors["clip_g"], token=tokens[0], text_encoder=pipe.text_encoder_2, tokenizer=pipe.tokenizer_2)
        for name, unet, text in case.get("adapters", []):
            # This transformers names the first encoder's layers without "text_model", which this diffusers does not know yet.
            tensors = {key.replace("lora_te1_text_model_", "lora_te1_"): tensor for key, tensor in draw(**self.files[name]).items()}
            pipe.load_lora_weights(tensors, adapter_name=name)
            pipe.set_adapters([name], [dict(unet=unet, text_encoder=text, text_encoder_2=text)])
            for network in (pipe.unet, pipe.text_encoder, pipe.text_encoder_2):
                factors = [tensor for key, tensor in network.named_parameters() if "lora_B" in key]
                assert factors and all(tensor.abs().max() > 0 for tensor in factors), "a part of the LoRA was not loaded"

    def arguments(self, case: dict, generator=None) -> dict:
        out = families.size_arguments(case)
        for key in ("negative_prompt", "guidance_rescale"):
            if key in case:
                out[key] = case[key]
        if "scores" in case:
            out |= dict(aesthetic_score=case["scores"][0], negative_aesthetic_score=case["scores"][1])
        return out | dict(num_inference_steps=case["steps"], guidance_scale=case["guidance"], eta=case["eta"],
                          generator=generator or generator_of(case, case.get("images", 1)),
                          num_images_per_prompt=case.get("images", 1))

    def from_text(self, case: dict, task: str = "", **more):
        pipe = self.pipe(case, task)
        if task == "PAG":
            more["pag_scale"] = case["perturbed_scale"]
        return pipe(case["prompt"], width=case["width"], height=case["height"], **(self.arguments(case) | more)).images

    def from_image(self, case: dict, image=None, **more):
        pipe = self.pipe(case, "Img2Img")
        if image is None:
            image = picture(*case["pictures"][0]).resize((case["width"], case["height"]), LANCZOS)
        return pipe(case["prompt"], image=image, strength=case.get("strength", 0.8), **(self.arguments(case) | more)).images

    def inpaint(self, case: dict):
        return self.pipe(case, "Inpaint")(case["prompt"], image=picture(*case["pictures"][0]), mask_image=mask_of(case),
                                          width=case["width"], height=case["height"], strength=case["strength"],
                                          **self.arguments(case)).images

    def two_passes(self, case: dict):
        generator, hires = generator_of(case, 1), case["hires"]
        latent = hires["upscaler"] == "latent"
        image = self.from_text(case, generator=generator, output_type="latent" if latent else "pil")
        width, height = (int(case[side] * hires["scale"]) // 8 * 8 for side in ("width", "height"))
        image = F.interpolate(image, size=(height // 8, width // 8), mode="bilinear") if latent \
            else [image[0].resize((width, height), LANCZOS)]
        second = dict(case, strength=hires["strength"], steps=hires.get("steps", case["steps"]))
        return self.from_image(second, image=image, generator=generator)

    def run(self, case: dict):
        if "hires" in case:
            return self.two_passes(case)
        if "mask" in case:
            return self.inpaint(case)
        if "pictures" in case:
            return self.from_image(case)
        return self.from_text(case, "PAG" if "perturbed_scale" in case else "")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    runner = Runner()
    cases = {name: BASE | case for name, case in CASES.items()}
    images = load_file(OUT / "images.safetensors") if sys.argv[1:] and (OUT / "images.safetensors").exists() else {}
    for name in sys.argv[1:] or list(cases):
        images[name] = as_tensor(runner.run(dict(cases[name])))
    files = {name: dict(file, shapes=packed(file["shapes"])) for name, file in runner.files.items()}
    (OUT / "files.json").write_text(json.dumps(files, indent=1) + "\n")
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
