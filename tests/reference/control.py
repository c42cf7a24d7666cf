"""Expected outputs of ControlNets and T2I-Adapters, and pictures that they steer: the real classes and pipelines of
diffusers over small random networks.

Writes tests/data/control: <network>.json (configurations), seeds.json (of their weights), networks.safetensors (outputs),
cases.json and images.safetensors (requests and uint8 [images, height, width, 3]), original_names.json (names of single
files in the layouts of the authors' programs, checked against diffusers' converter).
Run: python tests/reference/control.py
"""

import inspect
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from diffusers import ControlNetModel, MultiAdapter, T2IAdapter
from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint
from PIL import Image
from safetensors.torch import save_file

import families
import models
import tasks
from original_layout import unet_recipes
from pipelines import MULTI, TINY, random_pipeline
from seeded_weights import fill, normal

OUT = pathlib.Path("tests/data/control")
LANCZOS = Image.Resampling.LANCZOS
NO_UP = {"up_block_types"}
LOUD = 50  # random layers make little of a picture; what the last one gives is as large as a trained one's
EMBEDDING = dict(conditioning_embedding_out_channels=(8, 8, 16, 16))
DOWN = "DownBlock2D"


def control(unet: dict, **more) -> dict:
    """The configuration of a ControlNet for a U-Net."""
    return {key: value for key, value in unet.items() if key not in NO_UP} | EMBEDDING | more


TINY_UNET = {key: value for key, value in json.loads((TINY / "unet/config.json").read_text()).items()
             if key in ("block_out_channels", "down_block_types", "cross_attention_dim", "attention_head_dim",
                        "layers_per_block", "norm_num_groups")}
RANDOM_UNET = dict(models.SD1, cross_attention_dim=32)
SD2_UNET = dict(models.SD2, cross_attention_dim=32)
# network -> (configuration, seed)
NETS = {
    "tiny_net": (control(TINY_UNET), 31),
    "tiny_other": (control(TINY_UNET, conditioning_embedding_out_channels=(4, 8, 8, 8)), 32),
    "tiny_bgr": (control(TINY_UNET, controlnet_conditioning_channel_order="bgr"), 33),
    "tiny_pooled": (control(TINY_UNET, global_pool_conditions=True), 34),
    "random_net": (control(RANDOM_UNET), 35),
    "sd2_net": (control(SD2_UNET), 36),
    "sdxl_net": (control(families.TWO_TEXTS), 37),
    "sdxl_small": (control(families.TWO_TEXTS, down_block_types=(DOWN,) * 3, mid_block_type="UNetMidBlock2D",
                           transformer_layers_per_block=1), 38),
    "heads_net": (control(models.SD1, num_attention_heads=2, flip_sin_to_cos=False, freq_shift=1), 39),
}
for configuration, _ in NETS.values():
    configuration.pop("sample_size", None)
ADAPTERS = {
    "tiny_adapter": (dict(channels=(64, 96, 96, 96), num_res_blocks=2, downscale_factor=16,
                          adapter_type="full_adapter_xl"), 41),
    "random_adapter": (dict(channels=(32, 64, 64), num_res_blocks=2), 42),
    "random_gray": (dict(channels=(32, 64, 64), num_res_blocks=1, in_channels=1), 43),
    "random_light": (dict(channels=(32, 64), num_res_blocks=3, adapter_type="light_adapter"), 44),
    "sdxl_adapter": (dict(channels=(32, 64, 96, 96), num_res_blocks=2, downscale_factor=16,
                          adapter_type="full_adapter_xl"), 45),
}
# output -> (network, latent height and width, arguments of its forward)
OUTPUTS = {
    "tiny_net": ("tiny_net", 4, 6, {}),
    "tiny_net_guess": ("tiny_net", 4, 4, dict(guess_mode=True, conditioning_scale=0.7)),
    "tiny_bgr": ("tiny_bgr", 4, 4, dict(conditioning_scale=0.3)),
    "tiny_pooled": ("tiny_pooled", 4, 4, dict(guess_mode=True, conditioning_scale=1.5)),
    "random_net_odd": ("random_net", 5, 3, {}),
    "sd2_net": ("sd2_net", 4, 4, {}),
    "sdxl_net": ("sdxl_net", 4, 4, {}),
    "sdxl_small": ("sdxl_small", 4, 4, {}),
    "heads_net": ("heads_net", 4, 4, {}),
}


def make(name: str) -> torch.nn.Module:
    kind, table = (ControlNetModel, NETS) if name in NETS else (T2IAdapter, ADAPTERS)
    configuration, seed = table[name]
    network = kind(**configuration).eval()
    fill(network, seed)
    if name in NETS:
        network.controlnet_cond_embedding.conv_out.weight.data *= LOUD
    return network


def net_output(name: str) -> dict:
    network, height, width, arguments = OUTPUTS[name]
    net = make(network)
    added = None
    if net.config.addition_embed_type:
        added = dict(text_embeds=normal(4, 2, 20), time_ids=200 * normal(5, 2, 6).abs())
    skips, middle = net(normal(1, 2, 4, height, width), torch.tensor([981.0, 3.5]), normal(2, 2, 7, net.config.cross_attention_dim),
                        normal(3, 2, 3, 8 * height, 8 * width).sigmoid(), added_cond_kwargs=added, return_dict=False,
                        **arguments)
    return {f"{name}.skips.{i}": skip for i, skip in enumerate(skips)} | {f"{name}.middle": middle}


def adapter_output(name: str) -> dict:
    adapter = make(name)
    maps = adapter(normal(3, 1, adapter.config.in_channels, 48, 32).sigmoid())
    return {f"{name}.maps.{i}": each for i, each in enumerate(maps)}


def unet_outputs() -> dict:
    """U-Nets of models.py with what control networks add: skips and middle, and levels."""
    def unet(name: str) -> torch.nn.Module:
        out = diffusers.UNet2DConditionModel(sample_size=16, **models.UNETS[name][0]).eval()
        fill(out, models.SEED)
        return out

    small, large = unet("unet_sd1"), unet("unet_sdxl")
    shapes = [(32, 8)] * 3 + [(32, 4)] + [(64, 4)] * 2 + [(64, 2)] * 3
    skips = [normal(20 + i, 2, channels, size, size) for i, (channels, size) in enumerate(shapes)]
    levels = [normal(11, 2, 32, 8, 8), normal(12, 2, 64, 8, 8), normal(13, 2, 96, 4, 4), normal(14, 2, 96, 4, 4)]
    return {"unet_sd1.skips": small(**models.unet_inputs(small, 8, 8), down_block_additional_residuals=skips,
                                    mid_block_additional_residual=normal(30, 2, 64, 2, 2)).sample,
            "unet_sdxl.levels": large(**models.unet_inputs(large, 16, 16),
                                      down_intrablock_additional_residuals=levels).sample}


def use(net: str, picture=(64, 48, 9), **more) -> dict:
    return dict(net=net, picture=list(picture)) | more


def one(net: str, **more) -> dict:
    return dict(controls=[use(net, **more)])


HALF, HOLE = tasks.HALF, tasks.HOLE
CROPPED = dict(HOLE, pictures=[[90, 61, 2]], mask=dict(size=[90, 61], box=[50, 20, 70, 33]), region="fitted", padding=6,
               keep_outside=True)
SMALL = dict(width=48, height=32, steps=3)
CASES = {
    "one": one("tiny_net"),
    "scaled": one("tiny_net", scale=0.4),
    "resized": one("tiny_net", picture=(90, 61, 4)),
    "a_part": one("tiny_net", begin=0.2, end=0.7),
    "two": dict(controls=[use("tiny_net", scale=0.6, end=0.5), use("tiny_other", (40, 70, 5), scale=0.8, begin=0.4)]),
    "guess": one("tiny_net") | dict(guess=True, prompt=""),
    "guess_two": dict(controls=[use("tiny_net", scale=0.6), use("tiny_pooled", (40, 70, 5))], guess=True),
    "guess_unguided": one("tiny_net") | dict(guess=True, guidance=1.0),
    "unguided": one("tiny_net") | dict(guidance=1.0),
    "bgr": one("tiny_bgr"),
    "pooled": one("tiny_pooled"),
    "batch": one("tiny_net") | dict(images=2, scheduler=MULTI),
    "own_seeds": one("tiny_net") | dict(images=2, per_image_seeds=True, scheduler="DDPMScheduler"),
    "heun": one("tiny_net", begin=0.3) | dict(scheduler="HeunDiscreteScheduler", steps=4),
    "random": one("random_net") | dict(model="random"),
    "sd2": one("sd2_net") | dict(model="sd2", **SMALL),
    "sdxl": one("sdxl_net") | dict(model="sdxl", **SMALL),
    "sdxl_negative": one("sdxl_net", scale=0.5) | dict(model="sdxl", negative_prompt="a blue coin", **SMALL),
    "sdxl_guess": one("sdxl_net") | dict(model="sdxl", guess=True, **SMALL),
    "sdxl_two": dict(controls=[use("sdxl_net", end=0.7), use("sdxl_small", (40, 70, 5))], model="sdxl", **SMALL),
    "img2img": HALF | one("tiny_net"),
    "img2img_part": HALF | one("tiny_net", begin=0.4, end=0.8) | dict(strength=0.9),
    "img2img_batch": HALF | one("tiny_net") | dict(images=2),
    "img2img_sdxl": dict(HALF, pictures=[[48, 32, 1]]) | one("sdxl_net") | dict(model="sdxl", **SMALL, strength=0.7),
    "hole": HOLE | one("tiny_net"),
    "hole_weak": HOLE | one("tiny_net") | dict(strength=0.7),
    "hole_guess": HOLE | one("tiny_net") | dict(guess=True),
    "hole_hidden": HOLE | one("tiny_net", hide=True),
    "hole_two": HOLE | dict(controls=[use("tiny_net", scale=0.6), use("tiny_other", (40, 70, 5), scale=0.8)]),
    "nine": HOLE | one("random_net") | dict(model="inpaint"),
    "cropped": CROPPED | one("tiny_net", picture=(90, 61, 6)),
    "hole_sdxl": dict(HOLE, pictures=[[48, 32, 1]], mask=dict(box=[16, 8, 40, 24])) | one("sdxl_net")
                 | dict(model="sdxl", **SMALL),
    "adapter": one("tiny_adapter", scale=0.8) | dict(width=64, height=32),
    "adapter_resized": one("tiny_adapter", picture=(90, 61, 4)) | dict(width=64, height=32, images=2),
    "adapter_random": one("random_adapter") | dict(model="random"),
    "adapter_gray": one("random_gray", picture=(71, 33, 3)) | dict(model="random"),
    "adapter_light": one("random_light") | dict(model="random", guidance=1.0),
    "adapter_two": dict(controls=[use("random_adapter", scale=0.7), use("random_light", (40, 70, 5), scale=0.4)],
                        model="random"),
    "adapter_sdxl": one("sdxl_adapter", scale=0.7) | dict(model="sdxl", **SMALL),
    "adapter_sdxl_part": one("sdxl_adapter", end=0.5) | dict(model="sdxl", **dict(SMALL, steps=5)),
}
BASE = dict(tasks.BASE, steps=5)


class Runner:
    def __init__(self):
        self.tasks = tasks.Runner()
        self.pipes = dict(self.tasks.pipes)

    def base(self, model: str):
        if model not in self.pipes:
            self.pipes[model] = families.make_pipeline(model)
        return self.pipes[model]

    def pipe(self, case: dict, name: str, **networks):
        base = self.base(case["model"])
        large = "XL" in type(base).__name__
        kind = getattr(diffusers, name.replace("StableDiffusion", "StableDiffusionXL") if large else name)
        scheduler = base.scheduler
        if "scheduler" in case:
            scheduler = getattr(diffusers, case["scheduler"]).from_config(scheduler.config)
        parts = dict(base.components, scheduler=scheduler, requires_safety_checker=False, **networks)
        known = inspect.signature(kind.__init__).parameters
        pipe = kind(**{name: part for name, part in parts.items() if name in known})
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def arguments(self, case: dict) -> dict:
        images = case.get("images", 1)
        return dict(prompt=case["prompt"], negative_prompt=case.get("negative_prompt"),
                    num_inference_steps=case["steps"], guidance_scale=case["guidance"],
                    generator=tasks.generator_of(case, images), num_images_per_prompt=images)

    def run(self, case: dict) -> list:
        names = [each["net"] for each in case["controls"]]
        return self.with_adapters(case, names) if names[0] in ADAPTERS else self.with_nets(case, names)

    def with_nets(self, case: dict, names: list) -> list:
        nets = [make(name) for name in names]
        seen = [control_picture(case, each) for each in case["controls"]]
        numbers = {"controlnet_conditioning_scale": ("scale", 1.0), "control_guidance_start": ("begin", 0.0),
                   "control_guidance_end": ("end", 1.0)}
        arguments = self.arguments(case) | {key: [each.get(field, default) for each in case["controls"]]
                                            for key, (field, default) in numbers.items()}
        arguments |= dict(guess_mode=case.get("guess", False))
        if len(nets) == 1:
            nets, seen = nets[0], seen[0]
            arguments |= {key: arguments[key][0] for key in numbers}
        size = dict(width=case["width"], height=case["height"])
        if "mask" in case:
            pipe = self.pipe(case, "StableDiffusionControlNetInpaintPipeline", controlnet=nets)
            image, mask = self.tasks.prepared(case)
            crop = case.get("padding") if case.get("region") == "fitted" else None
            return pipe(image=image, mask_image=mask, control_image=seen, strength=case["strength"],
                        padding_mask_crop=crop, **size, **arguments).images
        if "pictures" in case:
            pipe = self.pipe(case, "StableDiffusionControlNetImg2ImgPipeline", controlnet=nets)
            image = tasks.picture(*case["pictures"][0]).resize((case["width"], case["height"]), LANCZOS)
            return pipe(image=image, control_image=seen, strength=case["strength"], **size, **arguments).images
        pipe = self.pipe(case, "StableDiffusionControlNetPipeline", controlnet=nets)
        return pipe(image=seen, **size, **arguments).images

    def with_adapters(self, case: dict, names: list) -> list:
        adapters = [make(name) for name in names]
        seen = [tasks.picture(*each["picture"]) for each in case["controls"]]
        seen = [image.convert("L") if adapter.config.in_channels == 1 else image
                for image, adapter in zip(seen, adapters)]
        scales = [each.get("scale", 1.0) for each in case["controls"]]
        several = len(adapters) > 1
        adapter = MultiAdapter(adapters) if several else adapters[0]
        pipe = self.pipe(case, "StableDiffusionAdapterPipeline", adapter=adapter)
        end = case["controls"][0].get("end")
        part = {} if end is None else dict(adapter_conditioning_factor=end)
        return pipe(image=seen if several else seen[0], width=case["width"], height=case["height"],
                    adapter_conditioning_scale=scales if several else scales[0], **part, **self.arguments(case)).images


def control_picture(case: dict, each: dict):
    """Hidden parts are -1, as the documentation of ControlNets for inpainting has it."""
    image = tasks.picture(*each["picture"])
    if not each.get("hide"):
        return image
    values = np.asarray(image).astype(np.float32) / 255
    values[np.asarray(tasks.mask_of(case)).astype(np.float32) / 255 > 0.5] = -1.0
    return torch.from_numpy(values).permute(2, 0, 1)[None].contiguous()


def net_names(net: ControlNetModel) -> dict:
    """Names of a ControlNet in diffusers' layout -> those in the authors'."""
    state = net.state_dict()
    trunk = [key for key in state if not key.startswith("controlnet_")]
    out = {names[0]: key.replace("model.diffusion_model.", "control_model.")
           for key, (_, names) in unet_recipes(trunk, net.config.layers_per_block).items()}
    blocks = 2 * (len(net.config.conditioning_embedding_out_channels) - 1)
    for key in state:
        if not key.startswith("controlnet_"):
            continue
        head, tail = key.rsplit(".", 1)
        if head.startswith("controlnet_down_blocks."):
            head = f"zero_convs.{head.split('.')[1]}.0"
        elif head == "controlnet_mid_block":
            head = "middle_block_out.0"
        else:
            part = head.removeprefix("controlnet_cond_embedding.")
            number = 0 if part == "conv_in" else blocks + 1 if part == "conv_out" else 1 + int(part.split(".")[1])
            head = f"input_hint_block.{2 * number}"
        out[key] = f"control_model.{head}.{tail}"
    check_net_names(net, out)
    return out


def check_net_names(net: ControlNetModel, names: dict) -> None:
    """diffusers' own converter gives back the very tensors that the names were made of; pooled text it leaves out."""
    state = net.state_dict()
    file = {original: state[own] for own, original in names.items()}
    back = convert_controlnet_checkpoint(dict(file), dict(net.config))
    wanted = {key for key in state if not key.startswith("add_embedding.")}
    assert set(back) == wanted, set(back) ^ wanted
    assert all(back[key] is state[key] for key in wanted)


def adapter_names(name: str) -> dict:
    """Likewise of a T2I-Adapter; the layers of the larger kinds stand in one row."""
    configuration = ADAPTERS[name][0]
    layers, light = configuration["num_res_blocks"], configuration.get("adapter_type") == "light_adapter"
    out = {}
    for key in make(name).state_dict():
        parts = key.removeprefix("adapter.").split(".")
        if parts[0] != "body":
            original = ".".join(parts)
        elif light:
            original = ".".join("body" if part == "resnets" else part for part in parts)
        else:
            layer = int(parts[1]) * layers + (int(parts[3]) if parts[2] == "resnets" else 0)
            original = f"body.{layer}." + ".".join(parts[4:] if parts[2] == "resnets" else parts[2:])
        out[key] = original
    return out


def main() -> None:
    """With names as arguments: prints the pictures of these cases, and writes nothing."""
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    runner = Runner() if sys.argv[1:] != ["networks"] else None
    if sys.argv[1:] and runner:
        for name in sys.argv[1:]:
            pictures = runner.run(BASE | CASES[name])
            print(name, [np.asarray(picture).mean().round(2) for picture in pictures])
        return
    for name in [*NETS, *ADAPTERS]:
        (OUT / f"{name}.json").write_text(make(name).to_json_string())
    seeds = {name: seed for name, (_, seed) in (NETS | ADAPTERS).items()}
    (OUT / "seeds.json").write_text(json.dumps(seeds, indent=1) + "\n")
    outputs = {}
    for name in OUTPUTS:
        outputs |= net_output(name)
    for name in ADAPTERS:
        outputs |= adapter_output(name)
    outputs |= unet_outputs()
    save_file({name: tensor.contiguous() for name, tensor in outputs.items()}, OUT / "networks.safetensors")
    names = {name: net_names(make(name)) for name in ("tiny_net", "sdxl_net")}
    names |= {name: adapter_names(name) for name in ("tiny_adapter", "random_adapter", "random_light")}
    (OUT / "original_names.json").write_text(json.dumps(names, indent=0) + "\n")
    if not runner:
        return
    cases = {name: BASE | case for name, case in CASES.items()}
    images = {name: tasks.as_tensor(runner.run(dict(case))) for name, case in cases.items()}
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
