"""What both trainings share: a budget in minutes or steps, the learning rate over it, averaged weights, precision, safe saving."""

import argparse
import pathlib
import shutil
import time

import numpy as np
import torch


class Budget:
    """Counts steps and says how much of the run is over (0..1). The clock starts at the first question."""

    def __init__(self, minutes: float, steps: int):
        self.seconds, self.steps = minutes * 60, steps
        self.begin, self.step = None, 0

    def part(self) -> float:
        if self.begin is None:
            self.begin = time.monotonic()
        if self.steps:
            return self.step / self.steps
        return (time.monotonic() - self.begin) / self.seconds

    def seconds_so_far(self) -> float:
        return time.monotonic() - self.begin


def learning_rate(highest: float, step: int, part: float, warm_up: int, flat_until: float, least: float) -> float:
    """Linear warm-up, constant, then half a cosine down to `least` of the highest."""
    rate = highest * min(1, (step + 1) / warm_up)
    if part < flat_until:
        return rate
    fall = .5 * (1 + np.cos(np.pi * min(1., (part - flat_until) / (1 - flat_until))))
    return rate * (fall * (1 - least) + least)


class Average:
    """An exponential moving average of parameters; young averages forget faster."""

    def __init__(self, parameters: list, decay: float):
        self.parameters, self.decay, self.steps = parameters, decay, 0
        self.values = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 9))
        torch._foreach_lerp_(self.values, [parameter.detach() for parameter in self.parameters], 1 - decay)

    @torch.no_grad()
    def copy_to_parameters(self) -> None:
        for parameter, value in zip(self.parameters, self.values):
            parameter.copy_(value)


def take_step(loss, parameters: list, optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.)
    optimizer.step()


def mixed_precision():
    """Autocast to bfloat16 where the processor multiplies it; elsewhere it would be slower than float32."""
    fast = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast)


def save_whole(model, folder: pathlib.Path) -> None:
    """Writes beside the target and then renames, so that a half-written model never bears the name."""
    folder = pathlib.Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def add_budget_options(parser: argparse.ArgumentParser, minutes: float) -> None:
    parser.add_argument("--minutes", type=float, default=minutes, help=f"wall time of the run (default: {minutes:g})")
    parser.add_argument("--steps", type=int, default=0, help="number of steps, instead of --minutes")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
