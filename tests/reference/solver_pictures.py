"""Expected pictures of StableDiffusionPipeline over weights/tiny with every scheduler of solvers.py.

Writes tests/data/solver_pictures: cases.json (the requests) and images.safetensors (uint8 [images, height, width, 3]).
Run, with torchsde 0.2.6 installed: python tests/reference/solver_pictures.py
"""

import json
import pathlib

import diffusers
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

from pipelines import BASE, TINY, run
from solvers import AYS, DEIS, EULER, ANCESTRAL, HEUN, KDPM2, KDPM2A, LCM, LMS, PNDM, SDE, TCD, UNIPC
from schedulers import MULTI, SINGLE

OUT = pathlib.Path("tests/data/solver_pictures")
# name -> what differs from pipelines.BASE
CASES = {
    "euler": dict(scheduler=EULER),
    "euler_leading": dict(scheduler=EULER, options=dict(timestep_spacing="leading")),
    "euler_trailing": dict(scheduler=EULER, options=dict(timestep_spacing="trailing")),
    "euler_karras": dict(scheduler=EULER, options=dict(use_karras_sigmas=True)),
    "euler_exponential": dict(scheduler=EULER, options=dict(use_exponential_sigmas=True)),
    "euler_beta": dict(scheduler=EULER, options=dict(use_beta_sigmas=True)),
    "euler_ays": dict(scheduler=EULER, sigmas=AYS[:-1] + [0.0], steps=10),
    "euler_zero_snr": dict(scheduler=EULER, options=dict(rescale_betas_zero_snr=True, timestep_spacing="trailing",
                                                         prediction_type="v_prediction"), guidance_rescale=0.7),
    "euler_ancestral": dict(scheduler=ANCESTRAL),
    "heun": dict(scheduler=HEUN),
    "heun_karras": dict(scheduler=HEUN, options=dict(use_karras_sigmas=True)),
    "lms": dict(scheduler=LMS, steps=8),
    "lms_karras": dict(scheduler=LMS, steps=8, options=dict(use_karras_sigmas=True)),
    "dpm2": dict(scheduler=KDPM2),
    "dpm2_karras": dict(scheduler=KDPM2, options=dict(use_karras_sigmas=True)),
    # Not leading, where the last levels are so far apart that one rounding moves 0.5 % of the values.
    "dpm2_ancestral": dict(scheduler=KDPM2A, options=dict(timestep_spacing="trailing")),
    "dpm_sde": dict(scheduler=SDE, options=dict(noise_sampler_seed=11)),
    "dpm_sde_karras": dict(scheduler=SDE, options=dict(noise_sampler_seed=11, use_karras_sigmas=True)),
    "pndm": dict(scheduler=PNDM, steps=7),
    "pndm_skip": dict(scheduler=PNDM, options=dict(skip_prk_steps=True)),
    "deis": dict(scheduler=DEIS),
    "deis_third_order": dict(scheduler=DEIS, steps=9, options=dict(solver_order=3, use_karras_sigmas=True)),
    "unipc": dict(scheduler=UNIPC),
    "unipc_third_order": dict(scheduler=UNIPC, steps=9, options=dict(solver_order=3, solver_type="bh1",
                                                                     final_sigmas_type="sigma_min")),
    "dpm_plus_plus_beta": dict(scheduler=MULTI, options=dict(use_beta_sigmas=True)),
    "dpm_plus_plus_exponential": dict(scheduler=MULTI, options=dict(use_exponential_sigmas=True)),
    "dpm_plus_plus_lu": dict(scheduler=MULTI, options=dict(use_lu_lambdas=True)),
    "dpm_single_beta": dict(scheduler=SINGLE, options=dict(use_beta_sigmas=True)),
    "dpm_plus_plus_ays": dict(scheduler=MULTI, timesteps=diffusers.schedulers.AysSchedules["StableDiffusionTimesteps"],
                              steps=10),
    "lcm": dict(scheduler=LCM, steps=4, guidance=1.0),
    "tcd": dict(scheduler=TCD, steps=4, guidance=1.0, options=dict(eta=0.3)),
    "batch_sde": dict(scheduler=SDE, images=2, per_image_seeds=True, options=dict(noise_sampler_seed=[11, 12])),
}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    pipe = StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    images, cases = {}, {}
    for name, case in CASES.items():
        images[name] = run(pipe, case)
        cases[name] = BASE | case
        cases[name].get("options", {}).pop("noise_sampler_seed", None)  # fjord takes the request's seeds
    (OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
