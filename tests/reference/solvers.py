"""Records what diffusers' schedulers of the families Euler, PNDM, DEIS, UniPC, LCM and TCD do, for tests/schedulers.

As schedulers.py does it: every case runs the real class in float32, and with its float32 tables widened to float64
after set_timesteps. Two things are put in place of the reference's own, because they are not the algorithm:
numpy's float32 logarithm, which differs from processor to processor in its last bit, by the correctly rounded one; and
where a class takes no custom sigmas, its Karras (or exponential) levels by the given ones.
Run from the repository root, with torchsde 0.2.6 installed: python tests/reference/solvers.py
"""

import contextlib
import copy
import functools
import inspect
import itertools
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file

from processor import finish, recordings_folder
from schedulers import COSINE, MULTI, SD, SINGLE, SPACINGS, TRAINED, WideTorch, begin_at, make, network, replaced

OUT = recordings_folder("solvers")
SHAPE = (2, 2, 1, 3)
EULER, ANCESTRAL, HEUN, LMS = (name + "DiscreteScheduler" for name in ("Euler", "EulerAncestral", "Heun", "LMS"))
KDPM2, KDPM2A, SDE = "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler"
PNDM, DEIS, UNIPC = "PNDMScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler"
LCM, TCD = "LCMScheduler", "TCDScheduler"
SIGMA_CLASSES = (EULER, ANCESTRAL, HEUN, LMS, KDPM2, KDPM2A, SDE)
SOLVERS = (MULTI, SINGLE, DEIS, UNIPC)
SPREADS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")
TYPES = ("epsilon", "v_prediction", "sample")
STEP_OPTIONS = ("eta", "s_churn", "s_tmin", "s_tmax", "s_noise")
AYS = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
SIGMAS = [12.5, 5.0, 2.25, 0.75, 0.25, 0.0]


def case(name, plan, *parts, begin=0, **options):
    config = {"_class_name": name}
    for part in (*parts, options):
        config.update(part)
    if name == SDE:
        config.setdefault("noise_sampler_seed", 5)
    if name == TCD:
        config.setdefault("eta", 0.0)  # that of StableDiffusionPipeline; step()'s own is 0.3
    return {"config": config, "plan": plan, "begin": begin}


def sigma_cases():
    for name, type_, spacing in itertools.product(SIGMA_CLASSES, TYPES[:2], SPACINGS):
        yield case(name, 5, SD, prediction_type=type_, timestep_spacing=spacing, steps_offset=1)
    for name in (EULER, HEUN, LMS):
        yield case(name, 5, SD, prediction_type="sample")
    for name, spread in itertools.product((EULER, HEUN, LMS, KDPM2, KDPM2A, SDE), SPREADS):
        yield case(name, 6, SD, {spread: True})
        yield case(name, 5, COSINE, {spread: True}, prediction_type="v_prediction", timestep_spacing="leading")
    for name, betas in itertools.product(SIGMA_CLASSES, ({}, COSINE, TRAINED)):
        yield case(name, 4, betas, prediction_type="v_prediction")
    for name, spacing in itertools.product((EULER, ANCESTRAL), SPACINGS):
        yield case(name, 5, SD, rescale_betas_zero_snr=True, timestep_spacing=spacing, prediction_type="v_prediction")
    for name in SIGMA_CLASSES:
        order = 1 if name in (EULER, ANCESTRAL, LMS) else 2
        for begin in (1, 2, 4):
            yield case(name, 7, SD, begin=begin * order)
        yield case(name, 5, SD, use_exponential_sigmas=name != ANCESTRAL, begin=order, timestep_spacing="leading")
        yield case(name, {"sigmas": SIGMAS}, SD)
        yield case(name, 7, SD, sigma_table=AYS)
        if name not in (KDPM2, KDPM2A):  # which fail with one step
            yield case(name, 1, SD)
    yield case(LMS, 12, SD)
    yield case(EULER, 5, SD, final_sigmas_type="sigma_min")
    yield case(EULER, {"sigmas": SIGMAS[:-1]}, SD, timestep_spacing="leading")
    yield case(EULER, {"sigmas": AYS[:-1] + [0.0]}, SD, use_karras_sigmas=True)
    yield case(EULER, [999.0, 800.0, 333.25, 17.5, 0.0], SD)
    yield case(HEUN, [999.0, 800.0, 333.25, 17.5, 0.0], SD)
    for spread in ({}, dict(use_karras_sigmas=True)):
        yield case(EULER, 5, SD, spread, interpolation_type="log_linear")
        yield case(EULER, 5, SD, spread, sigma_min=0.1, sigma_max=9.5)
        yield case(EULER, 5, SD, spread, timestep_type="continuous", prediction_type="v_prediction")
    for type_ in TYPES:
        yield case(EULER, 6, SD, prediction_type=type_, s_churn=2.0)
    yield case(EULER, 6, SD, s_churn=9.0, s_tmin=0.5, s_tmax=8.0, s_noise=1.05)
    yield case(SDE, 4, SD, s_noise=0.5)
    yield case(SDE, 5, SD, noise_sampler_seed=[7, 2**40 + 3], use_karras_sigmas=True)
    yield case(HEUN, 4, beta_schedule="exp", num_train_timesteps=200)
    yield case(HEUN, 5, SD, clip_sample=True, clip_sample_range=0.7)


def solver_cases():
    for name, order, type_ in itertools.product((DEIS, UNIPC), (1, 2, 3), TYPES):
        yield case(name, 7, SD, solver_order=order, prediction_type=type_)
    for name, spacing in itertools.product((DEIS, UNIPC), SPACINGS):
        yield case(name, 6, SD, timestep_spacing=spacing, steps_offset=1)
    for name, spread in itertools.product(SOLVERS, SPREADS):
        yield case(name, 7, SD, {spread: True})
        yield case(name, 5, COSINE, {spread: True}, prediction_type="v_prediction", final_sigmas_type="sigma_min")
    for name, betas in itertools.product((DEIS, UNIPC), ({}, COSINE, TRAINED)):
        yield case(name, 5, betas, prediction_type="v_prediction")
    for name, order, begin in itertools.product((DEIS, UNIPC), (2, 3), (1, 2, 5)):
        yield case(name, 7, SD, solver_order=order, begin=begin)
    for name, order in itertools.product((DEIS, UNIPC), (2, 3)):
        yield case(name, 16, SD, solver_order=order, lower_order_final=False, final_sigmas_type="sigma_min")
        yield case(name, 5, SD, solver_order=order, lower_order_final=False, final_sigmas_type="sigma_min")
        yield case(name, 6, SD, solver_order=order, thresholding=True, sample_max_value=1.5)
    for name in SOLVERS:
        yield case(name, {"sigmas": SIGMAS if name != DEIS else SIGMAS[:-1]}, SD, final_sigmas_type="zero")
        yield case(name, 7, SD, sigma_table=AYS)
        yield case(name, 1, SD)
    yield case(MULTI, {"sigmas": SIGMAS[:-1]}, SD, algorithm_type="dpmsolver", final_sigmas_type="sigma_min")
    for solver, order, clean in itertools.product(("bh1", "bh2"), (1, 2, 3), (True, False)):
        yield case(UNIPC, 6, SD, solver_type=solver, solver_order=order, predict_x0=clean,
                   final_sigmas_type="sigma_min", prediction_type=TYPES[order - 1])
    yield case(UNIPC, 7, SD, disable_corrector=[0, 3], solver_order=3)
    yield case(UNIPC, 7, SD, disable_corrector=[])
    yield case(UNIPC, 6, SD, use_karras_sigmas=True, sigma_min=0.1, sigma_max=9.5)
    for spacing in SPACINGS:
        yield case(UNIPC, 6, SD, rescale_betas_zero_snr=True, timestep_spacing=spacing, prediction_type="v_prediction")


def other_cases():
    for type_, spacing, skip in itertools.product(TYPES[:2], SPACINGS, (True, False)):
        yield case(PNDM, 9, SD, prediction_type=type_, timestep_spacing=spacing, skip_prk_steps=skip, steps_offset=1)
    for betas, skip in itertools.product(({}, COSINE, TRAINED), (True, False)):
        yield case(PNDM, 6, betas, prediction_type="v_prediction", skip_prk_steps=skip, set_alpha_to_one=True)
    for steps in (1, 2, 3, 20):
        yield case(PNDM, steps, SD, skip_prk_steps=True)
    for begin in (1, 2, 4, 8):
        yield case(PNDM, 8, SD, skip_prk_steps=True, begin=begin)
    yield case(PNDM, 4, SD)
    for name, type_ in itertools.product((LCM, TCD), TYPES):
        yield case(name, 4, prediction_type=type_)
        yield case(name, 6, SD, prediction_type=type_, original_inference_steps=20, begin=2)
    for name in (LCM, TCD):
        yield case(name, 1)
        yield case(name, 50)
        yield case(name, [900, 700, 301, 12])
        yield case(name, 5, COSINE, rescale_betas_zero_snr=True, prediction_type="v_prediction")
        yield case(name, 4, TRAINED, original_inference_steps=10)
    yield case(LCM, 4, thresholding=True, dynamic_thresholding_ratio=0.8)
    yield case(LCM, 4, clip_sample=True, clip_sample_range=0.6, timestep_scaling=0.01)
    for eta, type_ in itertools.product((0.3, 1.0), TYPES):
        yield case(TCD, 7, prediction_type=type_, eta=eta)


class RoundedLog:
    """numpy with a correctly rounded float32 logarithm."""

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def log(x):
        if isinstance(x, torch.Tensor):
            return torch.log(x.double()).to(x.dtype)
        if getattr(x, "dtype", None) == np.float32:
            return np.log(np.asarray(x, np.float64)).astype(np.float32)
        return np.log(x)


def interpolated(table, steps):
    """The first `steps` of steps + 1 levels, log-linear in the table."""
    places = np.linspace(0, len(table) - 1, steps + 1)[:-1]
    return np.exp(np.interp(places, np.arange(len(table)), np.log(table)))


def set_levels(scheduler, levels, last):
    """What set_timesteps would do if the class took these levels and this end."""
    spread = "_convert_to_karras" if type(scheduler).__name__ in SOLVERS else "_convert_to_exponential"
    if not hasattr(scheduler, spread):  # EulerAncestral
        logs = RoundedLog.log(np.array(((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod) ** 0.5))
        find = functools.partial(type(make({"_class_name": EULER}))._sigma_to_t, None, log_sigmas=logs)
        scheduler.set_timesteps(len(levels))
        scheduler.sigmas = torch.tensor([*levels, last], dtype=torch.float32)
        scheduler.timesteps = torch.tensor([float(find(np.float64(level))) for level in levels], dtype=torch.float32)
        return
    option = "use_karras_sigmas" if spread == "_convert_to_karras" else "use_exponential_sigmas"
    scheduler.register_to_config(**{option: True})
    setattr(scheduler, spread, lambda **_: np.array(levels, dtype=np.float64))
    scheduler.set_timesteps(len(levels))
    if last is not None:
        scheduler.sigmas[-1] = last


def plan(scheduler, wanted, table):
    if table:
        ends_clean = scheduler.config.get("final_sigmas_type", "zero") == "zero" and "DEIS" not in str(type(scheduler))
        set_levels(scheduler, interpolated(table, wanted), 0.0 if ends_clean else table[-1])
    elif isinstance(wanted, dict):
        if type(scheduler).__name__ == EULER:
            scheduler.set_timesteps(sigmas=wanted["sigmas"])
        else:
            set_levels(scheduler, wanted["sigmas"][:-1], wanted["sigmas"][-1])
    elif isinstance(wanted, list):
        scheduler.set_timesteps(timesteps=wanted)
    else:
        scheduler.set_timesteps(wanted)


@functools.lru_cache(maxsize=1)
def made(config):
    return make(json.loads(config))


@contextlib.contextmanager
def planned(about):
    """The scheduler after set_timesteps, in a module whose logarithm is rounded correctly."""
    config = {key: value for key, value in about["config"].items() if key not in (*STEP_OPTIONS, "sigma_table")}
    scheduler = copy.copy(made(json.dumps(config)))  # whose constructors are slow; set_timesteps renews what changes
    with replaced(sys.modules[type(scheduler).__module__], np=RoundedLog()):
        plan(scheduler, about["plan"], about["config"].get("sigma_table"))
        yield scheduler


def middle_of(about, scheduler):
    return (about["begin"] + len(scheduler.timesteps)) // 2


def clean_of(scheduler, output, t, x):
    """x_0 by its definition, for the classes that do not return it."""
    config = scheduler.config
    if hasattr(scheduler, "sigmas"):
        alpha, sigma = scheduler._sigma_to_alpha_sigma_t(scheduler.sigmas[scheduler.step_index])
    else:
        alpha, sigma = scheduler.alphas_cumprod[t] ** 0.5, (1 - scheduler.alphas_cumprod[t]) ** 0.5
    clean = {"epsilon": lambda: (x - sigma * output) / alpha, "sample": lambda: output,
             "v_prediction": lambda: alpha * x - sigma * output}[config.prediction_type]()
    if config.get("thresholding") and config.get("predict_x0", True):
        return scheduler._threshold_sample(clean)
    if config.get("clip_sample"):
        return clean.clamp(-config.clip_sample_range, config.clip_sample_range)
    return clean


def run(about, inputs, dtype):
    """All samples after each step, and the predicted clean sample at the middle step, where that is known."""
    draws, drawn = iter(inputs["noise"]), []

    def recorded_noise(shape, generator=None, device=None, dtype=None):
        assert tuple(shape) == SHAPE
        drawn.append(next(draws).to(dtype))
        return drawn[-1]

    with planned(about) as scheduler:
        begin_at(scheduler, about["begin"])
        if dtype == torch.float64:
            for name, value in vars(scheduler).items():
                if isinstance(value, torch.Tensor) and value.dtype == torch.float32:
                    setattr(scheduler, name, value.double())
            scalings = getattr(scheduler, "get_scalings_for_boundary_condition_discrete", None)
            if scalings:
                scheduler.get_scalings_for_boundary_condition_discrete = lambda t: scalings(float(t))
        module = sys.modules[type(scheduler).__module__]
        fakes = dict(torch=WideTorch() if dtype == torch.float64 else torch)
        if hasattr(module, "randn_tensor"):
            fakes["randn_tensor"] = recorded_noise
        options = {name: about["config"][name] for name in STEP_OPTIONS if name in about["config"]}
        assert all(name in inspect.signature(scheduler.step).parameters for name in options)
        x, bias = inputs["start"].to(dtype), inputs["bias"].to(dtype)
        samples, middle = [], []
        with replaced(module, **fakes):
            for i, t in list(enumerate(scheduler.timesteps))[about["begin"] :]:
                seen = scheduler.scale_model_input(x, t)
                output = network(seen, t.item(), bias, None)
                if i == middle_of(about, scheduler):
                    if type(scheduler).__name__ not in SIGMA_CLASSES and "Solver" not in type(scheduler).__name__:
                        if hasattr(scheduler, "sigmas") and scheduler.step_index is None:
                            scheduler._init_step_index(t)
                        middle = [clean_of(scheduler, output, t, x)]
                result = scheduler.step(output, t, x, **options)
                churned = "s_churn" in about["config"]  # the clean sample is then that of a noisier one
                if i == middle_of(about, scheduler) and type(scheduler).__name__ in SIGMA_CLASSES and not churned:
                    middle = [result.pred_original_sample]
                x = result.prev_sample
                assert x.dtype == dtype, (x, about)
                if not x.isfinite().all():
                    raise ArithmeticError("the reference gives NaN")
                samples.append(x)
    return scheduler, torch.stack(samples), middle, len(drawn)


def noised(about, inputs):
    """add_noise at the middle step, before the run."""
    with planned(about) as scheduler:
        for name in ("alphas_cumprod", "sigmas"):
            if hasattr(scheduler, name):
                setattr(scheduler, name, getattr(scheduler, name).double())
        middle = middle_of(about, scheduler)
        begin_at(scheduler, middle)
        return scheduler.add_noise(inputs["start"], inputs["noise"][0], scheduler.timesteps[middle : middle + 1])


def trajectories():
    torch.manual_seed(4)
    inputs = {name: torch.randn(shape).double() for name, shape in
              (("start", SHAPE), ("bias", SHAPE), ("noise", (52, *SHAPE)))}
    tensors = {name: value.float() for name, value in inputs.items()}
    listed = []
    for about in itertools.chain(sigma_cases(), solver_cases(), other_cases()):
        try:
            scheduler, wide, middle, draws = run(about, inputs, torch.float64)
            narrow_scheduler, narrow, _, _ = run(about, inputs, torch.float32)
            added = noised(about, inputs)
        except ArithmeticError as error:
            print("left out,", error, about)  # differences of squares of far levels, in float32
            continue
        except Exception as error:
            raise RuntimeError(about) from error
        key = f"{len(listed):03}"
        tensors[key + ".timesteps"] = scheduler.timesteps.double()
        tensors[key + ".float64"] = wide
        tensors[key + ".float32"] = narrow
        tensors[key + ".middle"] = torch.stack([added, *middle])
        listed.append({"key": key, "draws": draws, "init_noise_sigma": float(narrow_scheduler.init_noise_sigma),
                       "order": getattr(scheduler, "order", 1), **about})
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, OUT / "trajectories.safetensors")
    (OUT / "cases.json").write_text("[\n" + ",\n".join(json.dumps(about) for about in listed) + "\n]\n")
    print(len(listed), "trajectories")


def digest(values):
    result = 1469598103934665603
    for bits in np.asarray(values, np.float32).view(np.uint32):
        result = (result ^ int(bits)) * 1099511628211 % 2**64
    return result >> 32 | 1  # never 0, which means: refused


def table_digest(config, steps):
    """A digest of timesteps and levels, 0 where fjord refuses: outside the table, or one level twice.

    numpy.arange makes trailing spacing one timestep too long for some steps, the last being -1; 0 there too.
    """
    about = {"config": config, "plan": steps, "begin": 0}
    try:
        with planned(about) as scheduler:
            timesteps = scheduler.timesteps.numpy()
    except (ValueError, IndexError, RuntimeError, AssertionError):
        return 0
    if timesteps.max() >= scheduler.config.num_train_timesteps or timesteps.min() < 0:
        return 0
    if not hasattr(scheduler, "sigmas"):
        return digest(timesteps)
    levels = scheduler.sigmas.numpy()[: len(timesteps)]
    if "Multistep" in config["_class_name"] and (np.diff(levels) >= 0).any():
        return 0
    return digest(np.concatenate([timesteps.astype(np.float32), levels]))


def sweeps():
    some = [*range(2, 31), 50, 100, 333, 999]
    wanted = [{"_class_name": name, "timestep_spacing": spacing, "steps_offset": 1, **SD}
              for name in (EULER, HEUN, KDPM2, KDPM2A, SDE, UNIPC, PNDM) for spacing in SPACINGS]
    wanted += [{"_class_name": name, **betas, spread: True} for name in (EULER, KDPM2, SDE, MULTI, DEIS)
               for betas in (SD, COSINE) for spread in SPREADS]
    wanted += [{"_class_name": PNDM, "skip_prk_steps": True, **SD}, {"_class_name": LCM}, {"_class_name": TCD},
               {"_class_name": EULER, "interpolation_type": "log_linear", **SD},
               {"_class_name": EULER, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", **SD}]
    listed, digests = [], {}
    for index, config in enumerate(wanted):
        key = f"{index:02}"
        listed.append({"key": key, "config": config})
        digests[key] = torch.tensor([[n, table_digest(config, n)] for n in some], dtype=torch.uint32)
    save_file(digests, OUT / "sweeps.safetensors")
    (OUT / "sweeps.json").write_text("[\n" + ",\n".join(json.dumps(each) for each in listed) + "\n]\n")


def quantiles():
    """Of the beta distribution that use_beta_sigmas takes, and of others."""
    import scipy.stats

    shapes = ((0.6, 0.6), (0.5, 2.0), (3.0, 1.25))
    levels = [0.0, 1e-9, 1e-4, *np.linspace(0.01, 0.99, 99).tolist(), 1 - 1e-4, 1 - 1e-9, 1.0]
    return [[p, a, b, float(scipy.stats.beta.ppf(p, a, b))] for a, b in shapes for p in levels]


def brownian():
    """Increments of torchsde's tree, as BrownianTreeNoiseSampler sets it up."""
    import torchsde

    listed, tensors = [], {}
    for index, (seed, low, high, dtype) in enumerate(
        [(0, 0.029167, 14.614647, torch.float32), (2**33 + 9, 0.1, 3.0, torch.float64), (77, 1.5, 1.500004, torch.float32)]
    ):
        tree = torchsde.BrownianInterval(t0=low, t1=high, size=(2, 17), dtype=dtype, entropy=seed, tol=1e-6,
                                         pool_size=24, halfway_tree=True)
        span = high - low
        for part, (begin, end) in enumerate([(0, 1), (0.25, 0.5), (0.1234567, 0.7654321), (0, 0.3), (0.5, 1)]):
            times = (low + begin * span, low + end * span)
            key = f"{index}{part}"
            listed.append({"key": key, "seed": seed, "low": low, "high": high, "from": times[0], "to": times[1]})
            tensors[key] = tree(*times)
    save_file(tensors, OUT / "brownian.safetensors")
    seeds = [{"entropy": e, "spawn_key": list(k), "pool_size": p,
              "seeds": np.random.SeedSequence(e, spawn_key=k, pool_size=p).generate_state(5).tolist()}
             for e, k, p in ((0, (), 4), (7, (), 24), (2**40 + 1, (3, 2**35), 24), (5, (0, 0), 4))]
    (OUT / "brownian.json").write_text(json.dumps({"trees": listed, "seeds": seeds, "quantiles": quantiles()}) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for part in (trajectories, sweeps, brownian):
        if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
            part()
    finish("solvers")
