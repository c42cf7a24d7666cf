"""Expected values of image prompts: what image encoders and IP-Adapters give, and whole pictures.

The real CLIPImageProcessor, CLIPVisionModelWithProjection and load_ip_adapter of diffusers over the small random models of
pipelines.py, families.py and pix2pix.py; adapters are files in the original layout with weights from seeds.
Writes tests/data/image_prompts: <encoder>/config.json, networks.safetensors (outputs), pixels.safetensors (preprocessed
pictures), files.json (what the adapters' files hold), cases.json (requests), images.safetensors (uint8 [images, height,
width, 3] a case). Run, after pix2pix.py: python tests/reference/image_prompts.py [CASE...]   (CASE: makes these alone)
"""

import json
import pathlib
import sys
import tempfile

import diffusers
import torch
from diffusers.image_processor import IPAdapterMaskProcessor
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

import families
import models
import pix2pix
from pictures import blob
from pipelines import random_pipeline
from seeded_weights import fill, normal
from tasks import as_tensor, picture

OUT = pathlib.Path("tests/data/image_prompts")
VISION = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, image_size=30, patch_size=6,
              projection_dim=20)
ENCODERS = {"encoder": dict(VISION, hidden_act="gelu"), "quick_encoder": dict(VISION, hidden_act="quick_gelu", patch_size=7)}
ENCODER_SEED = 20
# Preprocessed: width, height, seed, pixels a side that the encoder sees.
PICTURES = [(64, 48, 1, 30), (31, 90, 2, 30), (30, 30, 3, 30), (7, 5, 4, 30), (200, 33, 5, 30), (96, 61, 6, 56)]

# name -> what the file holds; "model" tells the U-Net's layers and text features
FILES = {
    "whole": dict(kind="whole", model="random", seed=21),
    "plus": dict(kind="resampler", model="random", seed=22),
    "full": dict(kind="patches", model="random", seed=23),
    "xl_whole": dict(kind="whole", model="sdxl", seed=24),
    "xl_plus": dict(kind="resampler", model="sdxl", seed=25),
}
# Of the image encoder: numbers for a patch and for the whole picture. Of a resampler: the rest.
SIZES = dict(patch=VISION["hidden_size"], whole=VISION["projection_dim"], tokens=5, hidden=24, heads=2, depth=4)

BASE = dict(model="random", prompt="a gold crown on red cloth", width=64, height=48, steps=3, guidance=4.0, seed=11)
ONE = dict(adapter="whole", pictures=[[64, 48, 1]], scale=0.8)
PLUS = dict(ONE, adapter="plus")
TWO = dict(ONE, pictures=[[64, 48, 1], [40, 70, 3]])
# Both sides halve evenly: elsewhere diffusers guesses another size of the layers than they have.
EVEN = dict(height=32)
HALVES = dict(TWO, masks=[[0, 0, 30, 32], [34, 10, 64, 32]], mask_size=[64, 32])
XL = dict(model="sdxl")
# "prompts": image prompts. "layers" is what set_ip_adapter_scale takes, "layer_scales" the same for fjord.
STYLE = dict(layers={"up": {"block_1": [0.0, 1.0, 0.0]}}, scale=0.0, layer_scales={"up_blocks.1.attentions.1": 1.0})
LAYOUT = dict(layers={"down": 0.4, "mid": 0.7, "up": {"block_1": 1.1, "block_2": [0.2, 0.0, 0.9]}}, scale=0.0,
              layer_scales={"down_blocks": 0.4, "mid": 0.7, "up_blocks.1": 1.1, "up_blocks.2.attentions.0": 0.2,
                            "up_blocks.2.attentions.2": 0.9})
CASES = {
    "none": dict(prompts=[]),
    "whole": dict(prompts=[ONE]),
    "whole_unguided": dict(prompts=[ONE], guidance=1.0),
    "whole_batch": dict(prompts=[ONE], images=2, negative_prompt="a blue coin"),
    "whole_strong": dict(prompts=[dict(ONE, scale=2.5)]),
    "plus": dict(prompts=[PLUS]),
    "plus_unguided": dict(prompts=[PLUS], guidance=1.0),
    "full": dict(prompts=[dict(ONE, adapter="full")]),
    "two_pictures": dict(prompts=[TWO]),
    "two_pictures_plus": dict(prompts=[dict(TWO, adapter="plus")]),
    "two_adapters": dict(prompts=[dict(ONE, scale=0.6), dict(PLUS, scale=-0.4, pictures=[[40, 70, 3]])]),
    "masks": dict(EVEN, prompts=[HALVES]),
    "masks_batch": dict(EVEN, prompts=[dict(HALVES, adapter="plus")], images=2),
    "masks_of_another_size": dict(EVEN, prompts=[dict(HALVES, mask_size=[90, 61])]),
    "style": dict(prompts=[dict(ONE, **STYLE)]),
    "layout": dict(prompts=[dict(PLUS, **LAYOUT)]),
    "perturbed": dict(prompts=[ONE], perturbed_scale=2.0),
    "perturbed_alone": dict(prompts=[PLUS], perturbed_scale=2.0, guidance=1.0),
    "image_to_image": dict(prompts=[ONE], start=[64, 48, 2], strength=0.7, steps=4),
    "xl_whole": dict(XL, prompts=[dict(ONE, adapter="xl_whole")]),
    "xl_plus": dict(XL, prompts=[dict(ONE, adapter="xl_plus")], negative_prompt="a coin"),
    "xl_two": dict(XL, **EVEN, prompts=[dict(HALVES, adapter="xl_whole"),
                                        dict(ONE, adapter="xl_plus", scale=0.3, masks=[[0, 0, 64, 24]], mask_size=[64, 32])]),
    "xl_style": dict(XL, prompts=[dict(ONE, adapter="xl_plus", scale=0.0, layers={"up": {"block_0": [0.0, 1.0, 0.0]}},
                                       layer_scales={"up_blocks.0.attentions.1": 1.0})]),
    "changed": dict(model="editing", prompts=[ONE], start=[64, 48, 2]),
}


def layer_sizes(unet: diffusers.UNet2DConditionModel) -> list:
    """Features of the layers that attend to the text, in the order of attn_processors."""
    modules = dict(unet.named_modules())
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    return [modules[name].inner_dim for name in names if name.endswith("attn2")]


def shapes_of(kind: str, unet: diffusers.UNet2DConditionModel, sizes: dict = SIZES) -> dict:
    """An adapter's file in the original layout."""
    text, patch, whole, hidden = unet.config.cross_attention_dim, sizes["patch"], sizes["whole"], sizes["hidden"]
    inner = 64 * sizes["heads"]
    if kind == "whole":
        shapes = {"proj.weight": [4 * text, whole], "proj.bias": [4 * text], "norm.weight": [text], "norm.bias": [text]}
    elif kind == "patches":
        shapes = {"proj.0.weight": [patch, patch], "proj.0.bias": [patch], "proj.2.weight": [text, patch],
                  "proj.2.bias": [text], "proj.3.weight": [text], "proj.3.bias": [text]}
    else:
        shapes = {"latents": [1, sizes["tokens"], hidden], "proj_in.weight": [hidden, patch], "proj_in.bias": [hidden],
                  "proj_out.weight": [text, hidden], "proj_out.bias": [text], "norm_out.weight": [text],
                  "norm_out.bias": [text]}
        for i in range(sizes["depth"]):
            shapes |= {f"layers.{i}.0.{norm}.{part}": [hidden] for norm in ("norm1", "norm2") for part in ("weight", "bias")}
            shapes |= {f"layers.{i}.0.to_q.weight": [inner, hidden], f"layers.{i}.0.to_kv.weight": [2 * inner, hidden],
                       f"layers.{i}.0.to_out.weight": [hidden, inner], f"layers.{i}.1.0.weight": [hidden],
                       f"layers.{i}.1.0.bias": [hidden], f"layers.{i}.1.1.weight": [4 * hidden, hidden],
                       f"layers.{i}.1.3.weight": [hidden, 4 * hidden]}
    out = {"image_proj." + key: shape for key, shape in shapes.items()}
    for i, size in enumerate(layer_sizes(unet)):
        out |= {f"ip_adapter.{2 * i + 1}.to_{part}_ip.weight": [size, text] for part in "kv"}
    return out


class Drawn(torch.nn.Module):
    """Tensors of any names, for seeded_weights.fill."""

    def __init__(self, shapes: dict):
        super().__init__()
        self.tensors = {key: torch.zeros(shape) for key, shape in shapes.items()}

    def state_dict(self):
        return self.tensors


def draw(shapes: dict, seed: int) -> dict:
    drawn = Drawn(shapes)
    fill(drawn, seed)
    return drawn.tensors


def encoder(name: str) -> CLIPVisionModelWithProjection:
    model = CLIPVisionModelWithProjection(CLIPVisionConfig(**ENCODERS[name])).eval()
    fill(model, ENCODER_SEED)
    return model


class Runner:
    def __init__(self, folder: str):
        self.folder = pathlib.Path(folder)
        self.bases = {}
        encoder("encoder").save_pretrained(self.folder / "image_encoder")
        for name, file in FILES.items():
            save_file(draw(shapes_of(file["kind"], self.base(file["model"]).unet), file["seed"]),
                      self.folder / f"{name}.safetensors")

    def base(self, model: str):
        if model not in self.bases:
            make = {"random": random_pipeline, "sdxl": lambda: families.make_pipeline("sdxl"),
                    "editing": lambda: pix2pix.make_pipeline("one_text")}
            self.bases[model] = make[model]()
        return self.bases[model]

    def pipe(self, case: dict):
        base = self.base(case["model"])
        kind = type(base)
        if "perturbed_scale" in case:
            kind = diffusers.StableDiffusionPAGPipeline
        elif "start" in case and case["model"] == "random":
            kind = diffusers.StableDiffusionImg2ImgPipeline
        parts = dict(base.components)
        fresh = diffusers.UNet2DConditionModel(**{k: v for k, v in parts["unet"].config.items() if not k.startswith("_")})
        fresh.load_state_dict(parts["unet"].state_dict())
        more = {} if case["model"] == "sdxl" else dict(requires_safety_checker=False)
        pipe = kind(**dict(parts, unet=fresh), **more)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def run(self, case: dict):
        pipe, prompts, more = self.pipe(case), case["prompts"], {}
        if prompts:
            pipe.load_ip_adapter(str(self.folder), subfolder="", weight_name=[f"{p['adapter']}.safetensors" for p in prompts])
            pipe.set_ip_adapter_scale([p.get("layers", p["scale"]) for p in prompts])
            more["ip_adapter_image"] = [[picture(*each) for each in p["pictures"]] for p in prompts]
        if any("masks" in p for p in prompts):
            more["cross_attention_kwargs"] = dict(ip_adapter_masks=[masks_of(p, case) for p in prompts])
        if "perturbed_scale" in case:
            more |= dict(pag_scale=case["perturbed_scale"])
        if "start" in case:
            more |= dict(image=picture(*case["start"])) | ({"strength": case["strength"]} if "strength" in case else {})
        else:
            more |= dict(width=case["width"], height=case["height"])
        return pipe(case["prompt"], negative_prompt=case.get("negative_prompt"), num_inference_steps=case["steps"],
                    guidance_scale=case["guidance"], num_images_per_prompt=case.get("images", 1),
                    generator=torch.Generator("cpu").manual_seed(case["seed"]), **more).images


def masks_of(prompt: dict, case: dict) -> torch.Tensor:
    size = prompt.get("mask_size", [64, 48])
    masks = [blob(*size, box) for box in prompt["masks"]]
    masks = IPAdapterMaskProcessor().preprocess(masks, height=case["height"], width=case["width"])
    return masks.reshape(1, masks.shape[0], *masks.shape[2:])


def networks(runner: Runner) -> dict:
    out = {}
    for name in ENCODERS:
        model = encoder(name)
        model.config.architectures = ["CLIPVisionModelWithProjection"]
        model.config.save_pretrained(OUT / name)
        given = model(normal(1, 2, 3, VISION["image_size"], VISION["image_size"]), output_hidden_states=True)
        out |= {f"{name}.image_embeds": given.image_embeds, f"{name}.penultimate": given.hidden_states[-2]}
    for name, file in FILES.items():
        unet = runner.base(file["model"]).unet
        tensors = load_file(runner.folder / f"{name}.safetensors")
        projection = {key.removeprefix("image_proj."): value for key, value in tensors.items() if key.startswith("image_proj.")}
        layer = unet._convert_ip_adapter_image_proj_to_diffusers(projection)
        states = normal(2, 2, VISION["projection_dim"]) if file["kind"] == "whole" else normal(2, 2, 26, VISION["hidden_size"])
        out[f"{name}.tokens"] = layer(states)
    return {key: value.contiguous() for key, value in out.items()}


def pixels() -> dict:
    out = {}
    for width, height, seed, side in PICTURES:
        processor = CLIPImageProcessor(size=side, crop_size=side)
        out[f"{width}.{height}.{seed}.{side}"] = processor(picture(width, height, seed), return_tensors="pt").pixel_values
    return out


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    cases = {name: BASE | case for name, case in CASES.items()}
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(folder)
        wanted = sys.argv[1:] or list(cases)
        images = load_file(OUT / "images.safetensors") if sys.argv[1:] and (OUT / "images.safetensors").exists() else {}
        for name in wanted:
            images[name] = as_tensor(runner.run(cases[name]))
        save_file(networks(runner), OUT / "networks.safetensors")
        files = {name: dict(file, layers=layer_sizes(runner.base(file["model"]).unet),
                            text=runner.base(file["model"]).unet.config.cross_attention_dim) for name, file in FILES.items()}
    save_file(pixels(), OUT / "pixels.safetensors")
    (OUT / "files.json").write_text(json.dumps(files, indent=1) + "\n")
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
