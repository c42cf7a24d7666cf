"""The measured rows as JSON and as Markdown tables."""

import importlib.metadata
import os
import pathlib
import statistics

from contenders import PEERS

NAMES = {"fjord": "fjord", "openvino": "OpenVINO", "openvino_weights": "OpenVINO, int8 weights only",
         "diffusers": "diffusers", "torch_compile": "diffusers with torch.compile", "sdcpp": "stable-diffusion.cpp"}
PACKAGES = ("torch", "diffusers", "transformers", "openvino", "nncf", "stable-diffusion-cpp-python")


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return os.uname().machine


def versions() -> str:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def middle(rounds: list, name: str, field: str) -> float | None:
    values = [one[name][field] for one in rounds if name in one]
    return round(statistics.median(values), 4) if values else None


def ratios(rounds: list, peer: str) -> list:
    """The peer's time over fjord's, round by round."""
    return [one[peer]["time_s"] / one["fjord"]["time_s"] for one in rounds if peer in one and "fjord" in one]


def json_row(row, rounds: list, notes: dict) -> dict:
    out = {"model": row.model, "work": row.work, "precision": row.precision, "threads": row.threads}
    for name in ("fjord", *PEERS):
        out[f"{name}_s"] = middle(rounds, name, "time_s")
        out[f"{name}_peak_gib"] = middle(rounds, name, "peak_gib")
        out[f"{name}_load_s"] = middle(rounds, name, "load_s")
    for name in PEERS:
        values = ratios(rounds, name)
        out[f"speedup_over_{name}"] = round(statistics.median(values), 3) if values else None
        out[f"speedup_over_{name}_spread"] = [round(min(values), 3), round(max(values), 3)] if values else None
    return {**out, "rounds": len(rounds), "notes": notes}


def spread(values: list, digits: int) -> str:
    if not values:
        return ""
    middle_value, least, most = (f"{one:.{digits}f}" for one in (statistics.median(values), min(values), max(values)))
    return middle_value if len(values) == 1 else f"{middle_value} ({least} to {most})"


def cells(name: str, rounds: list) -> list:
    values = [one[name] for one in rounds if name in one]
    return [spread([one["time_s"] for one in values], 3), spread(ratios(rounds, name), 2) if name != "fjord" else "",
            spread([one["peak_gib"] for one in values], 2), spread([one["load_s"] for one in values], 1)]


def table(work: str, results: list) -> list:
    lines = [f"## {work}", "", "| model | precision | threads | | seconds | over fjord's | peak memory, GiB | "
             "load, s |", "|---|---|---|---|---|---|---|---|"]
    for row, rounds, notes in results:
        if row.work != work:
            continue
        start = f"| {row.model} | {row.precision} | {row.threads} |"
        for name in ("fjord", *PEERS):
            if any(name in one for one in rounds):
                lines.append(f"{start} {NAMES[name]} | " + " | ".join(cells(name, rounds)) + " |")
            elif notes.get(name, "").startswith("failed"):
                lines.append(f"{start} {NAMES[name]} | {notes[name]} | | | |")
            elif name == "fjord":
                lines.append(f"{start} fjord | {notes[name]} | | | |")
    return [*lines, ""]


def markdown(results: list, rounds: int) -> str:
    works = list(dict.fromkeys(row.work for row, _, _ in results))
    head = ["# fjord beside its peers", "",
            f"{processor()}, {os.cpu_count()} cores. Random weights; median (least to most) of {rounds} rounds, in "
            "each of which all run in turn, a process each, on the same cores. Ratios are taken within a round.",
            f"{versions()}. Made by `benchmarks/peers.sh`.", ""]
    return "\n".join(head + [line for work in works for line in table(work, results)])
