"""Which network learns faster: curves of several trainings of each, loss against steps and against arithmetic.

Every RUN is NETWORK=FOLDER, a work folder of `denoiser --network NETWORK`; several runs of a network (seeds) are averaged.
Prints for a few steps of the first network how many steps, and how much arithmetic, the others needed to be as good.
"""

import argparse
import pathlib

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from networks import NETWORKS, TEXT_WIDTH
from plot_log import read

SMOOTHING = 5  # lines of the log on each side


def operations(network: str) -> float:
    """Billions of multiplications and additions of one forward pass for a picture of 128x128, without the text encoder."""
    model = NETWORKS[network]().eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 16, 16, 16), torch.tensor([1]), torch.zeros(1, 77, TEXT_WIDTH))
    return counter.get_total_flops() / 1e9


def smoothed(values: np.ndarray) -> np.ndarray:
    """Means over neighbours; near the ends over fewer."""
    sums = np.cumsum(np.concatenate([[0.], values]))
    places = np.arange(len(values))
    low, high = np.maximum(places - SMOOTHING, 0), np.minimum(places + SMOOTHING + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)


def curve(folders: list) -> tuple:
    """Steps, and the velocity error at each of them: the mean over runs, smoothed, never rising."""
    runs = [read([folder / "log.jsonl"]) for folder in folders]
    count = min(len(lines) for lines in runs)
    errors = np.mean([[line["velocity_error"] for line in lines[:count]] for lines in runs], 0)
    return np.array([line["step"] for line in runs[0][:count]]), np.minimum.accumulate(smoothed(errors))


def steps_until(steps: np.ndarray, errors: np.ndarray, wanted: float) -> float:
    """The first step at which the error is as small as wanted, between the lines by interpolation; infinity if it never is."""
    if wanted < errors[-1]:
        return float("inf")
    return float(np.interp(-wanted, -errors, steps))


def table(curves: dict, costs: dict, marks: list) -> list:
    """Rows (step, network, error there, ratio of steps, ratio of arithmetic); ratios are against the first network."""
    (first, (steps, errors)), *others = curves.items()
    rows = []
    for mark in marks:
        wanted = float(np.interp(mark, steps, errors))
        for name, (other_steps, other_errors) in others:
            needed = steps_until(other_steps, other_errors, wanted) / mark
            rows.append((mark, name, wanted, needed, needed * costs[name] / costs[first]))
    return rows


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="NETWORK=FOLDER")
    parser.add_argument("--out", type=pathlib.Path, help="draw the curves to this PNG (needs matplotlib)")


def draw(curves: dict, costs: dict, out: pathlib.Path) -> None:
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 4), layout="constrained")
    by_steps, by_arithmetic = figure.subplots(1, 2, sharey=True)
    for name, (steps, errors) in curves.items():
        by_steps.plot(steps, errors, label=name)
        by_arithmetic.plot(steps * costs[name], errors, label=name)
    by_steps.set(xlabel="step", ylabel="velocity error", yscale="log")
    by_arithmetic.set(xlabel="steps x GFLOP of a forward pass")
    by_steps.legend()
    figure.savefig(out, dpi=100)


def run(options) -> None:
    folders = {}
    for name, _, folder in (text.partition("=") for text in options.runs):
        folders.setdefault(name, []).append(pathlib.Path(folder))
    curves, costs = {name: curve(runs) for name, runs in folders.items()}, {name: operations(name) for name in folders}
    last = min(steps[-1] for steps, _ in curves.values())
    for mark, name, error, steps, arithmetic in table(curves, costs, [round(last * part) for part in (.125, .25, .5, .75)]):
        print(f"error {error:.4f} of {next(iter(curves))} at step {mark}: {name} needed {steps:.2f} times the steps, "
              f"{arithmetic:.2f} times the arithmetic")
    if options.out:
        draw(curves, costs, options.out)
