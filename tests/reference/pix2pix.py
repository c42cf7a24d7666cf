"""Expected pictures of models that change a picture as the prompt says: the real StableDiffusionInstructPix2PixPipeline and
its relative with two text encoders, over small random models.

Writes tests/data/pix2pix: a folder of configurations for each model, cases.json (the requests) and images.safetensors
(uint8 [images, height, width, 3] a case). Weights and tokenizers are as those of families.py.
Run: python tests/reference/pix2pix.py
"""

import json
import pathlib

import diffusers
import torch
from safetensors.torch import save_file

import families
from tasks import as_tensor, picture

OUT = pathlib.Path("tests/data/pix2pix")
EULER, ANCESTRAL = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"
MODELS = {
    "one_text": ("StableDiffusionInstructPix2PixPipeline", {}, dict(families.ONE_TEXT, in_channels=8), ANCESTRAL, families.NOISE),
    "two_texts": ("StableDiffusionXLInstructPix2PixPipeline", {}, dict(families.TWO_TEXTS, in_channels=8), EULER, families.NOISE),
}
BASE = dict(model="one_text", prompt="make it a gold crown", width=64, height=48, steps=4, guidance=4.0, seed=11,
            pictures=[[64, 48, 1]])
TWO = dict(model="two_texts")
CASES = {
    "plain": {},
    "near_the_picture": dict(image_scale=2.5),
    "negative": dict(negative_prompt="a blue coin", image_scale=1.0),
    "unguided": dict(guidance=1.0),
    "unguided_by_picture": dict(image_scale=0.9),
    "euler": dict(scheduler=EULER),
    "ddim_eta": dict(scheduler="DDIMScheduler", options=dict(eta=0.7)),
    "multi": dict(scheduler="DPMSolverMultistepScheduler"),
    "own_size": dict(pictures=[[71, 62, 2]], width=0, height=0),
    "two_of_one": dict(images=2),
    "two_of_two": dict(pictures=[[64, 48, 1], [64, 48, 3]], images=2),
    "own_seeds": dict(images=2, per_image_seeds=True),
    "two_texts": dict(TWO),
    "two_texts_negative": dict(TWO, negative_prompt="a blue coin", image_scale=2.0),
    "two_texts_rescale": dict(TWO, guidance_rescale=0.7),
    "two_texts_unguided": dict(TWO, guidance=1.0),
    "two_texts_resized": dict(TWO, pictures=[[90, 61, 2]]),
}


def make_pipeline(model: str) -> diffusers.DiffusionPipeline:
    families.MODELS[model] = MODELS[model]
    families.OUT, out = OUT, families.OUT
    pipe = families.make_pipeline(model)
    families.OUT = out
    return pipe


def run(pipe, case: dict):
    options, images = dict(case.get("options", {})), case.get("images", 1)
    eta = options.pop("eta", 0.0)
    own = pipe.scheduler
    if "scheduler" in case:
        pipe.scheduler = getattr(diffusers, case["scheduler"]).from_config(own.config, **options)
    pictures = [picture(*each) for each in case["pictures"]]
    generator = torch.Generator("cpu").manual_seed(case["seed"])
    if case.get("per_image_seeds"):
        generator = [torch.Generator("cpu").manual_seed(case["seed"] + i) for i in range(images)]
    # Several pictures need as many prompts.
    count = len(pictures)
    more = {}
    if case["model"] == "two_texts":
        more = dict(width=case["width"], height=case["height"], guidance_rescale=case.get("guidance_rescale", 0.0))
    negative = case.get("negative_prompt")
    out = pipe([case["prompt"]] * count, image=pictures, negative_prompt=[negative] * count if negative else None,
               num_inference_steps=case["steps"], guidance_scale=case["guidance"],
               image_guidance_scale=case.get("image_scale", 1.5), num_images_per_prompt=images // count, eta=eta,
               generator=generator, **more).images
    pipe.scheduler = own
    return out


def main() -> None:
    torch.set_grad_enabled(False)
    pipes = {model: make_pipeline(model) for model in MODELS}
    cases = {name: BASE | case for name, case in CASES.items()}
    images = {name: as_tensor(run(pipes[case["model"]], case)) for name, case in cases.items()}
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
