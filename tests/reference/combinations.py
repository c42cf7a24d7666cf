"""Expected pictures of every scheduler with every task of every family: the real pipelines of diffusers over small random
models, one small picture each.

Writes tests/data/combinations: cases.json (requests) and images.safetensors (uint8 [1, height, width, 3] a case).
Run, after pix2pix.py and control.py: OMP_NUM_THREADS=1 python tests/reference/combinations.py [CASE...]   (CASE: makes these alone)
"""

import json
import pathlib
import sys

import diffusers
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

import control
import family_tasks
import models
import pix2pix
from pipelines import random_pipeline
from seeded_weights import fill
from solvers import ANCESTRAL, DEIS, EULER, HEUN, KDPM2, KDPM2A, LCM, LMS, PNDM, SDE, TCD, UNIPC
from schedulers import MULTI, SINGLE
from tasks import as_tensor, mask_of, picture

OUT = pathlib.Path("tests/data/combinations")
SEED = 11
SCHEDULERS = {
    "ddpm": dict(scheduler="DDPMScheduler"),
    "ddim": dict(scheduler="DDIMScheduler", options=dict(eta=0.5)),
    "pndm": dict(scheduler=PNDM, options=dict(skip_prk_steps=True)),
    "lms": dict(scheduler=LMS),
    "euler": dict(scheduler=EULER),
    "euler_ancestral": dict(scheduler=ANCESTRAL),
    "heun": dict(scheduler=HEUN),
    "dpm2": dict(scheduler=KDPM2),
    # Not leading, see solver_pictures.py.
    "dpm2_ancestral": dict(scheduler=KDPM2A, options=dict(timestep_spacing="trailing")),
    "dpm_multi": dict(scheduler=MULTI),
    "dpm_single": dict(scheduler=SINGLE),
    "dpm_sde": dict(scheduler=SDE, options=dict(noise_sampler_seed=SEED)),
    "deis": dict(scheduler=DEIS),
    "unipc": dict(scheduler=UNIPC),
    "lcm": dict(scheduler=LCM),
    "tcd": dict(scheduler=TCD, options=dict(eta=0.3)),
}
BASE = dict(prompt="a gold crown", width=32, height=24, steps=4, guidance=3.0, seed=SEED)
IMAGE = dict(pictures=[[32, 24, 1]], strength=0.6, steps=6)
HOLE = dict(pictures=[[32, 24, 1]], strength=0.8, steps=5, mask=dict(box=[8, 8, 24, 20]), keep_outside=False)
TASKS = {"text": {}, "image": IMAGE, "hole": HOLE, "steered": {}, "changed": dict(pictures=[[32, 24, 1]], image_scale=1.5)}
NETS = {"random": "random_net", "sd2": "sd2_net", "sdxl": "sdxl_net"}
# model -> what is done with it
MODELS = {
    "random": ("text", "image", "hole", "steered"),
    "sd2": ("text", "image", "hole", "steered"),
    "sdxl": ("text", "image", "hole", "steered"),
    "refiner": ("image",),
    "inpaint": ("hole",),
    "xl_inpaint": ("hole",),
    "one_text": ("changed",),
    "two_texts": ("changed",),
}


def case_of(model: str, task: str, scheduler: str) -> dict:
    case = BASE | dict(model=model, task=task) | TASKS[task] | SCHEDULERS[scheduler]
    if task == "steered":
        case["controls"] = [dict(net=NETS[model], picture=[32, 24, 9])]
    return case


CASES = {f"{model}_{task}_{scheduler}": case_of(model, task, scheduler)
         for model, tasks in MODELS.items() for task in tasks for scheduler in SCHEDULERS}


def nine_channels():
    unet = UNet2DConditionModel(sample_size=8, **dict(models.SD1, cross_attention_dim=32, in_channels=9))
    fill(unet, 0)
    return diffusers.StableDiffusionPipeline(**dict(random_pipeline().components, unet=unet), requires_safety_checker=False)


OWN = {"random": random_pipeline, "inpaint": nine_channels, "one_text": lambda: pix2pix.make_pipeline("one_text"),
       "two_texts": lambda: pix2pix.make_pipeline("two_texts")}


class Runner(family_tasks.Runner):
    def base(self, model: str):
        if model in OWN and model not in self.bases:
            self.bases[model] = OWN[model]()
        return super().base(model)

    def steered(self, case: dict):
        plain = self.pipe(case, "")
        kind = getattr(diffusers, type(plain).__name__.replace("Pipeline", "ControlNetPipeline"))
        more = {} if "XL" in kind.__name__ else dict(requires_safety_checker=False)
        use = case["controls"][0]
        pipe = kind(**plain.components, controlnet=control.make(use["net"]), **more)
        pipe.set_progress_bar_config(disable=True)
        return pipe(case["prompt"], image=picture(*use["picture"]), width=case["width"], height=case["height"],
                    **self.arguments(case)).images

    def changed(self, case: dict):
        more = dict(width=case["width"], height=case["height"]) if case["model"] == "two_texts" else {}
        return self.pipe(case, "InstructPix2Pix")(case["prompt"], image=picture(*case["pictures"][0]),
                                                  image_guidance_scale=case["image_scale"], **more,
                                                  **self.arguments(case)).images

    def run(self, case: dict):
        run = dict(text=self.from_text, image=self.from_image, hole=self.inpaint, steered=self.steered,
                   changed=self.changed)
        return run[case["task"]](case)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    runner = Runner()
    images = load_file(OUT / "images.safetensors") if sys.argv[1:] else {}
    for name in sys.argv[1:] or list(CASES):
        images[name] = as_tensor(runner.run(dict(CASES[name])))
    for case in CASES.values():
        if "options" in case:  # fjord takes the request's seeds
            case["options"] = {key: value for key, value in case["options"].items() if key != "noise_sampler_seed"}
    (OUT / "cases.json").write_text(json.dumps(CASES, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
