"""Curves of a training's log.jsonl, one panel for each measure, as a PNG. Needs matplotlib."""

import argparse
import json
import pathlib


def read(logs: list) -> list:
    """The lines of several logs that follow each other, by step."""
    lines = {}
    for log in logs:
        for line in log.read_text().splitlines():
            fields = json.loads(line)
            lines[fields["step"]] = fields
    return [lines[step] for step in sorted(lines)]


def plot(lines: list, out: pathlib.Path) -> None:
    from matplotlib.figure import Figure
    names = [name for name in lines[0] if name not in ("step", "time")]
    figure = Figure(figsize=(8, 2 * len(names)), layout="constrained")
    for axis, name in zip(figure.subplots(len(names), sharex=True, squeeze=False)[:, 0], names):
        axis.plot([line["step"] for line in lines], [line[name] for line in lines], linewidth=1)
        axis.set_ylabel(name)
        axis.grid(alpha=.3)
    figure.supxlabel("step")
    figure.savefig(out, dpi=100)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=pathlib.Path, help="a PNG file")
    parser.add_argument("logs", type=pathlib.Path, nargs="+")


def run(options) -> None:
    plot(read(options.logs), options.out)
