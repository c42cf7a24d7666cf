"""Records what diffusers' schedulers do: trajectories, timesteps and tables, for tests/schedulers.

Every case runs the real class twice: as it is, in float32, and with its float32 tables widened to float64 after
set_timesteps, so that only the algorithm is compared. The "network" is a fixed function of (x, t) that the C++ test
repeats; the noise comes from a recorded list. Run from the repository root: python tests/reference/schedulers.py
"""

import contextlib
import itertools
import json
import math
import pathlib
import sys
import warnings

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

from processor import finish, recordings_folder

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
OUT = recordings_folder("schedulers")
SHAPE = (2, 4, 2, 3)
DDPM, DDIM = "DDPMScheduler", "DDIMScheduler"
MULTI, SINGLE = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
SD = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
COSINE = dict(beta_schedule="squaredcos_cap_v2")
TRAINED = dict(trained_betas=[round(0.002 + 0.0004 * i + 0.001 * (i % 3), 6) for i in range(50)], num_train_timesteps=50)
TYPES = ("epsilon", "v_prediction", "sample")
SPACINGS = ("leading", "linspace", "trailing")


def cases():
    """Configuration, steps or custom timesteps, and first step (of img2img) of every case."""

    def case(name, plan, *parts, begin=0, **options):
        config = {"_class_name": name}
        for part in parts:
            config.update(part)
        return {"config": {**config, **options}, "plan": plan, "begin": begin}

    for type_, spacing in itertools.product(TYPES, SPACINGS):
        common = dict(prediction_type=type_, timestep_spacing=spacing)
        yield case(DDPM, 6, SD, common, clip_sample=False)
        yield case(DDIM, 7, SD, common, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
        yield case(MULTI, 8, SD, common)
    for name, betas in itertools.product((DDPM, DDIM, MULTI, SINGLE), ({}, COSINE, TRAINED)):
        yield case(name, 5, betas, prediction_type="v_prediction", variance_type=None)
    for schedule in ("laplace", "sigmoid"):
        yield case(DDPM, 5, beta_schedule=schedule, num_train_timesteps=200)
    for variance in ("fixed_small_log", "fixed_large", "learned", "learned_range"):
        yield case(DDPM, 6, SD, variance_type=variance, clip_sample_range=1.5)
        yield case(DDPM, 5, prediction_type="v_prediction", variance_type=variance, thresholding=True)
    for name in (DDPM, DDIM):
        for spacing in SPACINGS:
            zero = dict(rescale_betas_zero_snr=True, timestep_spacing=spacing, prediction_type="v_prediction")
            yield case(name, 6, SD, zero, clip_sample=False)
        yield case(name, 6, SD, thresholding=True, sample_max_value=2.0, dynamic_thresholding_ratio=0.9)
        yield case(name, 1, SD, timestep_spacing="trailing")
    yield case(DDPM, [999, 850, 736, 645, 455, 233, 24], SD)
    yield case(DDPM, [700, 10, 0], SD, clip_sample=False, prediction_type="sample")
    for eta, type_ in itertools.product((0.3, 1.0), TYPES):
        yield case(DDIM, 6, SD, prediction_type=type_, eta=eta, set_alpha_to_one=False, steps_offset=1)
    yield case(DDIM, 5, SD, prediction_type="v_prediction", eta=0.9, timestep_spacing="trailing", clip_sample=False,
               rescale_betas_zero_snr=True)
    yield case(DDIM, 9, SD, eta=0.5, thresholding=True)

    ends = {"dpmsolver++": "zero", "sde-dpmsolver++": "zero", "dpmsolver": "sigma_min", "sde-dpmsolver": "sigma_min"}
    for algorithm, solver, order in itertools.product(ends, ("midpoint", "heun"), (1, 2, 3)):
        common = dict(algorithm_type=algorithm, solver_type=solver, solver_order=order,
                      final_sigmas_type=ends[algorithm])
        if not (algorithm == "sde-dpmsolver" and order == 3):
            yield case(MULTI, 7, SD, common, prediction_type=TYPES[order % 3])
        if algorithm != "sde-dpmsolver":
            yield case(SINGLE, 8, SD, common)
            yield case(SINGLE, 6, SD, common, prediction_type=TYPES[order - 1])
    for name, spread in itertools.product((MULTI, SINGLE), ("use_karras_sigmas", "use_exponential_sigmas")):
        yield case(name, 7, SD, {spread: True})
        yield case(name, 6, {spread: True}, final_sigmas_type="sigma_min", prediction_type="v_prediction")
        yield case(name, 5, COSINE, {spread: True}, prediction_type="v_prediction", lambda_min_clipped=-5.1)
    yield case(MULTI, 7, SD, use_lu_lambdas=True)
    yield case(MULTI, 6, COSINE, use_lu_lambdas=True, prediction_type="v_prediction")
    yield case(MULTI, 16, SD, use_karras_sigmas=True, final_sigmas_type="sigma_min", lower_order_final=False)
    yield case(MULTI, 7, SD, use_karras_sigmas=True, algorithm_type="sde-dpmsolver++", solver_order=2)
    for order, lower, euler in itertools.product((2, 3), (True, False), (True, False)):
        yield case(MULTI, 6, SD, solver_order=order, lower_order_final=lower, euler_at_final=euler,
                   final_sigmas_type="sigma_min")
    for order, lower, steps in itertools.product((1, 2, 3), (True, False), (5, 6, 7)):
        yield case(SINGLE, steps, SD, solver_order=order, lower_order_final=lower, final_sigmas_type="sigma_min")
    for spacing, type_ in itertools.product(SPACINGS, ("v_prediction", "sample")):
        yield case(MULTI, 6, SD, rescale_betas_zero_snr=True, timestep_spacing=spacing, prediction_type=type_)
    for spacing in SPACINGS:
        yield case(MULTI, 6, COSINE, lambda_min_clipped=-5.1, timestep_spacing=spacing, steps_offset=1)
    yield case(SINGLE, 6, COSINE, lambda_min_clipped=-5.1)
    for name, algorithm in ((MULTI, "dpmsolver"), (MULTI, "dpmsolver++"), (SINGLE, "dpmsolver++")):
        yield case(name, 6, SD, algorithm_type=algorithm, thresholding=True, final_sigmas_type="sigma_min",
                   sample_max_value=1.5)
    for name in (MULTI, SINGLE):
        yield case(name, 5, SD, algorithm_type="deis", solver_type="logrho", final_sigmas_type="sigma_min")
        yield case(name, [999, 850, 736, 545, 343, 124, 24], SD)
        yield case(name, [800, 300, 0], SD, prediction_type="v_prediction")
        yield case(name, 1, SD)
        yield case(name, 17, SD, solver_order=3)
    for steps, order in itertools.product((14, 15), (2, 3)):
        yield case(MULTI, steps, SD, solver_order=order, final_sigmas_type="sigma_min")
    for name, begin in itertools.product((DDPM, DDIM), (2, 5)):
        yield case(name, 6, SD, begin=begin, timestep_spacing="trailing")
    for name, order, begin in itertools.product((MULTI, SINGLE), (2, 3), (1, 2, 5)):
        yield case(name, 9, SD, solver_order=order, begin=begin)


def network(x, t, bias, variance_type):
    """The stand-in for a network; tests/schedulers/recorded.cpp repeats it line by line."""
    prediction = torch.tanh(x * 0.8 + bias) * (0.9 + 0.1 * math.cos(t * 0.01))
    if variance_type == "learned_range":
        return torch.cat([prediction, torch.tanh(bias - x * 0.5)], 1)
    if variance_type == "learned":
        return torch.cat([prediction, torch.tanh(bias - x * 0.5) * 0.04 + 0.05], 1)
    return prediction


class WideTorch:
    """The torch module with float32 meaning float64, for code that widens to float32 by name."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


@contextlib.contextmanager
def replaced(module, **names):
    old = {name: getattr(module, name) for name in names}
    try:
        for name, value in names.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in old.items():
            setattr(module, name, value)


def make(config):
    cls = getattr(diffusers, config["_class_name"])
    return cls.from_config({key: value for key, value in config.items() if key != "eta"})


def plan(scheduler, wanted):
    if isinstance(wanted, list):
        scheduler.set_timesteps(timesteps=wanted)
    else:
        scheduler.set_timesteps(wanted)


def begin_at(scheduler, index):
    """Without it DPM-Solver looks its place up by timestep, and fails where the first two timesteps round alike."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)


def middle_of(case, scheduler):
    """The step at which the clean sample and the noise level are recorded."""
    return (case["begin"] + len(scheduler.timesteps)) // 2


def clean_of(scheduler, output, t, x):
    """The predicted clean sample of a DPM-Solver at its present step."""
    if scheduler.step_index is None:
        scheduler._init_step_index(t)  # what step() begins with
    converted = scheduler.convert_model_output(output, sample=x)
    if scheduler.config.algorithm_type.endswith("++"):
        return converted
    alpha, sigma = scheduler._sigma_to_alpha_sigma_t(scheduler.sigmas[scheduler.step_index])
    return (x - sigma * converted) / alpha


def run(case, inputs, dtype):
    """All samples after each step; and, at the middle step, the predicted clean sample."""
    config = case["config"]
    scheduler = make(config)
    plan(scheduler, case["plan"])
    begin_at(scheduler, case["begin"])
    if dtype == torch.float64:
        for name, value in vars(scheduler).items():
            if isinstance(value, torch.Tensor) and value.dtype == torch.float32:
                setattr(scheduler, name, value.double())
    draws = iter(inputs["noise"])
    drawn = []

    def recorded_noise(shape, generator=None, device=None, dtype=None):
        assert tuple(shape) == SHAPE
        drawn.append(next(draws).to(dtype))
        return drawn[-1]

    module = sys.modules[type(scheduler).__module__]
    fakes = dict(randn_tensor=recorded_noise, torch=WideTorch() if dtype == torch.float64 else torch)
    extra = {"eta": config["eta"]} if "eta" in config else {}
    x, bias = inputs["start"].to(dtype), inputs["bias"].to(dtype)
    samples, clean, middle = [], None, middle_of(case, scheduler)
    with replaced(module, **fakes):
        for i, t in list(enumerate(scheduler.timesteps))[case["begin"] :]:
            output = network(x, t.item(), bias, config.get("variance_type"))
            if i == middle and "Solver" in config["_class_name"]:
                clean = clean_of(scheduler, output, t, x)
            result = scheduler.step(output, t, x, **extra)
            if i == middle and clean is None:
                clean = result.pred_original_sample
            x = result.prev_sample
            assert x.dtype == dtype, (x.dtype, config)
            samples.append(x)
    return scheduler, torch.stack(samples), clean, len(drawn)


def noised(case, inputs):
    """add_noise at the middle step, before the run."""
    scheduler = make(case["config"])
    plan(scheduler, case["plan"])
    for name in ("alphas_cumprod", "sigmas"):
        if hasattr(scheduler, name):
            setattr(scheduler, name, getattr(scheduler, name).double())
    middle = middle_of(case, scheduler)
    begin_at(scheduler, middle)
    t = scheduler.timesteps[middle : middle + 1]
    return scheduler.add_noise(inputs["start"], inputs["noise"][0], t)


def trajectories():
    torch.manual_seed(3)
    inputs = {name: torch.randn(shape).double() for name, shape in
              (("start", SHAPE), ("bias", SHAPE), ("noise", (20, *SHAPE)))}
    tensors = {name: value.float() for name, value in inputs.items()}
    listed = []
    for index, case in enumerate(cases()):
        scheduler, wide, clean, draws = run(case, inputs, torch.float64)
        _, narrow, _, _ = run(case, inputs, torch.float32)
        assert wide.isfinite().all() and narrow.isfinite().all(), case
        key = f"{index:03}"
        tensors[key + ".timesteps"] = scheduler.timesteps.to(torch.int32)
        tensors[key + ".float64"] = wide
        tensors[key + ".float32"] = narrow
        tensors[key + ".clean"] = clean
        tensors[key + ".noised"] = noised(case, inputs)
        if index % 10 == 0:
            tensors[key + ".bfloat16"] = run(case, inputs, torch.bfloat16)[1]
        listed.append({"key": key, "draws": draws, "init_noise_sigma": float(scheduler.init_noise_sigma), **case})
    save_file({name: value.contiguous() for name, value in tensors.items()}, OUT / "trajectories.safetensors")
    (OUT / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in listed) + "\n]\n")
    print(len(listed), "trajectories")


def tables():
    """alphas_cumprod, bit by bit."""
    wanted = {
        "linear": {}, "scaled_linear": SD, "cosine": COSINE, "trained": TRAINED,
        "laplace": dict(beta_schedule="laplace"), "sigmoid": dict(beta_schedule="sigmoid"),
        "zero_snr": dict(**SD, rescale_betas_zero_snr=True), "short": dict(**SD, num_train_timesteps=100),
    }
    listed = [{"key": key, "config": {"_class_name": DDPM, **config}} for key, config in wanted.items()]
    save_file({case["key"]: make(case["config"]).alphas_cumprod for case in listed}, OUT / "tables.safetensors")
    (OUT / "tables.json").write_text(json.dumps(listed, indent=1) + "\n")


def digest(timesteps):
    value = 1469598103934665603
    for t in timesteps:
        value = (value ^ int(t)) * 1099511628211 % 2**64
    return value >> 32 | 1  # never 0, which means: refused


def timesteps_digest(config, steps):
    """A digest of the timesteps, 0 where fjord refuses: outside the table, or one noise level twice.

    numpy.arange makes trailing spacing one timestep too long for some steps, the last being -1; fjord leaves it out.
    """
    scheduler = make(config)
    try:
        plan(scheduler, steps)
    except (ValueError, IndexError):
        return 0
    timesteps = scheduler.timesteps.numpy()
    timesteps = timesteps[timesteps >= 0]
    solver = "Solver" in config["_class_name"]
    levels = scheduler.sigmas.numpy()[: len(timesteps)] if solver else timesteps
    if timesteps.max() >= scheduler.config.num_train_timesteps or (np.diff(levels) >= 0).any():
        return 0
    return digest(timesteps)


def sweeps():
    """The timesteps of every class and spacing for many numbers of steps."""
    every, some = list(range(1, 1002)), list(range(1, 61)) + [75, 100, 150, 333, 500]
    wanted = [(every, {"_class_name": name, "timestep_spacing": spacing, "steps_offset": offset, **SD})
              for name in (DDIM, MULTI) for spacing in SPACINGS for offset in (0, 1) if offset == 0 or spacing == "leading"]
    wanted += [(every, {"_class_name": DDPM, "timestep_spacing": "trailing", "num_train_timesteps": 777})]
    wanted += [(every, {"_class_name": SINGLE, **SD})]
    wanted += [(every, {"_class_name": MULTI, **COSINE, "lambda_min_clipped": -5.1, "timestep_spacing": spacing})
               for spacing in SPACINGS]
    for spread in ("use_karras_sigmas", "use_exponential_sigmas", "use_lu_lambdas"):
        for betas in (SD, {}, COSINE):
            wanted += [(some, {"_class_name": name, **betas, spread: True}) for name in
                       ((MULTI,) if spread == "use_lu_lambdas" else (MULTI, SINGLE))]
    listed, digests = [], {}
    for index, (steps, config) in enumerate(wanted):
        key = f"{index:02}"
        listed.append({"key": key, "config": config})
        digests[key] = torch.tensor([[n, timesteps_digest(config, n)] for n in steps], dtype=torch.uint32)
    save_file(digests, OUT / "sweeps.safetensors")
    (OUT / "sweeps.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in listed) + "\n]\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    trajectories()
    tables()
    sweeps()
    finish("schedulers")
