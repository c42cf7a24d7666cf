"""What all trainings share: steps that can be stopped and gone on with, averaged weights, the learning rate, a log.

Everything random in a step comes from the seed and the step's number, so a run that was stopped and resumed gives the
same weights, bit by bit, as one that was not.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil
import signal
import time
from collections.abc import Callable

import numpy as np
import torch

from optimizer import optimizers

LOG_EVERY = 50


@dataclasses.dataclass
class Settings:
    rate: float  # the highest learning rate
    steps: int = 0  # where the run ends, and the rate has fallen; 0: it goes on at the highest rate until it is stopped
    minutes: float = 0.  # stop after this time, to be resumed; 0: no limit
    seed: int = 0
    warm_up: int = 200  # steps over which the rate rises after a start without optimizer state
    decay: float = .25  # share of `steps` at the end over which the rate falls
    weight_decay: float = 1e-2
    average: float = .999  # of the moving average
    save_minutes: float = 5.
    muon: bool = True  # for matrices and convolutions, instead of AdamW
    bfloat16: bool = False  # activations of the forward pass
    pause_while: pathlib.Path | None = None  # no step is taken while this file exists


def learning_rate(settings: Settings, step: int, begin: int) -> float:
    """Linear warm-up from the step `begin`, constant, then half a cosine down to 2 % of the highest."""
    rate = settings.rate * min(1, (step - begin + 1) / settings.warm_up)
    fall_from = settings.steps * (1 - settings.decay)
    if not settings.steps or step < fall_from:
        return rate
    part = min(1., (step - fall_from) / max(settings.steps - fall_from, 1))
    return float(rate * (.02 + .98 * .5 * (1 + np.cos(np.pi * part))))


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
    def swap(self) -> None:
        """Exchanges the averaged and the current values."""
        for parameter, value in zip(self.parameters, self.values):
            kept = parameter.detach().clone()
            parameter.copy_(value)
            value.copy_(kept)


class Run:
    """A training in a folder: state.pt (weights, optimizer, average, step) and log.jsonl."""

    def __init__(self, folder: pathlib.Path, modules: dict, settings: Settings, begin: int = 0):
        self.folder, self.modules, self.settings = folder, modules, settings
        self.parameters = [p for module in modules.values() for p in module.parameters() if p.requires_grad]
        self.optimizers = optimizers(modules, settings.rate, settings.weight_decay, settings.muon)
        self.average = Average(self.parameters, settings.average)
        self.begin = self.step = begin
        self.measures = []
        self.asked_to_end = False
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        """Goes on from state.pt."""
        state = torch.load(self.folder / "state.pt", weights_only=True)
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.average.values, self.average.steps = state["average"], state["average_steps"]
        self.begin, self.step = state["begin"], state["step"]
        log = self.folder / "log.jsonl"
        if log.exists():  # steps after the last save will be taken again
            lines = [line for line in log.read_text().splitlines() if json.loads(line)["step"] <= self.step]
            log.write_text("".join(line + "\n" for line in lines))

    def save(self) -> None:
        state = {"modules": {name: module.state_dict() for name, module in self.modules.items()},
                 "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                 "average": self.average.values, "average_steps": self.average.steps, "begin": self.begin,
                 "step": self.step}
        torch.save(state, self.folder / "state.part")
        (self.folder / "state.part").rename(self.folder / "state.pt")
        (self.folder / "progress.json").write_text(json.dumps({"step": self.step}) + "\n")

    def train(self, losses: Callable) -> None:
        """Takes steps until the end of the run or of the time, or SIGTERM. losses(step, rng) -> (loss, {name: number})."""
        before = signal.signal(signal.SIGTERM, self._ask_to_end)
        try:
            self._take_steps(losses)
        finally:
            signal.signal(signal.SIGTERM, before)
        self.save()

    def _ask_to_end(self, *_) -> None:
        self.asked_to_end = True

    def _take_steps(self, losses: Callable) -> None:
        begin = saved = time.monotonic()
        while not self.asked_to_end and (not self.settings.steps or self.step < self.settings.steps):
            now = time.monotonic()
            if self.settings.minutes and now - begin > self.settings.minutes * 60:
                break
            if now - saved > self.settings.save_minutes * 60:
                self.save()
                saved = now
            self._wait_while_paused()
            if not self.asked_to_end:
                self._take_step(losses)

    def _wait_while_paused(self) -> None:
        while not self.asked_to_end and self.settings.pause_while and self.settings.pause_while.exists():
            time.sleep(1)

    def _take_step(self, losses: Callable) -> None:
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
        with precision(self.settings.bfloat16):
            loss, measures = losses(self.step, np.random.default_rng([self.settings.seed, self.step]))
        rate = learning_rate(self.settings, self.step, self.begin)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update()
        self.step += 1
        self._log({"loss": loss.item(), **measures}, rate)

    def _log(self, measures: dict, rate: float) -> None:
        self.measures.append(measures)
        if self.step % LOG_EVERY == 0:
            means = {name: round(float(np.mean([row[name] for row in self.measures])), 5) for name in measures}
            line = {"step": self.step, "time": round(time.time()), "rate": round(rate, 7), **means}
            with open(self.folder / "log.jsonl", "a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
            self.measures = []

    def write(self, name: str, folder: pathlib.Path, **more) -> None:
        """Saves the averaged weights of a module in diffusers' format as float16, and beside them training.json."""
        self.average.swap()
        module = self.modules[name]
        save_whole(module.half(), folder, {"steps": self.step, **more})
        module.float()
        self.average.swap()


def precision(bfloat16: bool):
    """Autocast to bfloat16. Whether it is faster depends on the processor and the network: measure a few steps."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16)


def save_whole(model, folder: pathlib.Path, notes: dict | None = None) -> None:
    """Writes beside the target and then renames, so that a half-written model never bears the name."""
    folder = pathlib.Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part)
    if notes is not None:
        (part / "training.json").write_text(json.dumps(notes) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def steps_of(folder: pathlib.Path) -> int:
    """How many steps the weights in a folder have been trained."""
    notes = pathlib.Path(folder) / "training.json"
    return json.loads(notes.read_text())["steps"] if notes.exists() else 0


def add_options(parser: argparse.ArgumentParser, rate: float) -> None:
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder of the run: state.pt, log.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on from the state in the work folder")
    parser.add_argument("--rate", type=float, default=rate, help=f"highest learning rate (default: {rate:g})")
    parser.add_argument("--steps", type=int, default=0, help="where the run ends; the rate falls towards it")
    parser.add_argument("--decay", type=float, default=.25, help="share of the steps over which the rate falls (default: .25)")
    parser.add_argument("--minutes", type=float, default=0., help="stop after this time, to be resumed later")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adamw", action="store_true", help="AdamW for everything, instead of Muon for matrices")
    parser.add_argument("--bfloat16", action="store_true", help="forward pass in bfloat16")
    parser.add_argument("--pause-while", type=pathlib.Path, help="take no step while this file exists")


def settings_of(options, **more) -> Settings:
    return Settings(options.rate, options.steps, options.minutes, options.seed, decay=options.decay, muon=not options.adamw,
                    bfloat16=options.bfloat16, pause_while=options.pause_while, **more)
