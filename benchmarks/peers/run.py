"""Times fjord and its peers in turn and prints the ratios. benchmarks/peers.sh sets up what this needs and calls it."""

import argparse
import json
import os
import pathlib
import statistics
import sys

import measure
import report
from contenders import PEERS, QUICK_PEERS, Absent, Places, Row, fjord

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPEATS = {"unet": 3, "vae": 3, "text": 10, "image": 1}
ROUNDS = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/peers.sh", description="fjord beside its peers on this machine.")
    parser.add_argument("--quick", action="store_true",
                        help="one round of one repeat of the parts of SD1.5, against OpenVINO and diffusers only")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the rows as JSON")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--threads", default=str(len(os.sched_getaffinity(0))), metavar='"1 2"',
                        help="thread counts to run with (default: all cores)")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD,WORD",
                        help="rows that have all words of one of these, e.g. unet,bf16 sdxl image,int8")
    parser.add_argument("--peers", nargs="+", choices=PEERS, metavar="PEER", help=f"some of {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--repeats", type=int, help="timed runs of a process")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin", metavar="FOLDER",
                        help="take fjord's programs from here and build nothing")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / ".deps/peers/models", help=argparse.SUPPRESS)
    return parser.parse_args()


def all_rows(quick: bool, threads: int) -> list:
    works = ("unet", "vae", "text") if quick else ("unet", "vae", "text", "image")
    rows = [Row("sd15", work, precision, threads) for work in works for precision in ("fp32", "bf16")]
    if not quick:
        rows += [Row("sd15", work, "int8", threads) for work in ("unet", "image")]
        rows += [Row("sdxl", "unet", precision, threads) for precision in ("fp32", "bf16")]
    return rows


def is_wanted(row: Row, only: list) -> bool:
    words = {row.model, row.work, row.precision}
    return not only or any(words.issuperset(one.split(",")) for one in only)


def say(*words) -> None:
    print(*words, file=sys.stderr, flush=True)


def contenders(row: Row, peers: list, repeats: int, places: Places, notes: dict) -> dict:
    """Everyone who can take part, with what they need made; the others' reasons go into notes."""
    out = {}
    for name in ("fjord", *peers):
        try:
            contender = (fjord if name == "fjord" else PEERS[name])(row, repeats, places)
            for path, command in contender.needs:
                measure.make(path, command)
            out[name] = contender
        except Absent as reason:
            notes[name] = f"not run: {reason}"
        except measure.Failed as reason:
            notes[name] = f"failed: {reason}"
    return out


def play_round(row: Row, takes_part: dict, notes: dict) -> dict:
    cores = sorted(os.sched_getaffinity(0))[:row.threads]
    measured = {}
    for name in list(takes_part):
        try:
            one = measure.run(takes_part[name].command, cores)
            measured[name] = {**one, "time_s": statistics.median(one["seconds"])}
            say(row.model, row.work, row.precision, row.threads, name, one)
        except measure.Failed as reason:
            notes[name] = f"failed: {reason}"
            del takes_part[name]
            say(row.model, row.work, row.precision, row.threads, name, notes[name])
    return measured


def measure_row(row: Row, options: argparse.Namespace) -> tuple:
    notes = {}
    peers = options.peers or (QUICK_PEERS if options.quick else list(PEERS))
    repeats = options.repeats or (1 if options.quick or row.model == "sdxl" else REPEATS[row.work])
    takes_part = contenders(row, peers, repeats, Places(options.models, options.programs), notes)
    rounds = [play_round(row, takes_part, notes) for _ in range(options.rounds)]
    return row, rounds, notes


def write(results: list, options: argparse.Namespace) -> None:
    if options.json:
        facts = {"processor": report.processor(), "cores": os.cpu_count(), "versions": report.versions()}
        rows = [report.json_row(*result) for result in results]
        options.json.write_text(json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(report.markdown(results, options.rounds))


def main() -> int:
    options = arguments()
    options.rounds = options.rounds or (1 if options.quick else ROUNDS)
    counts = [int(count) for count in options.threads.split()]
    if max(counts) > len(os.sched_getaffinity(0)):
        raise SystemExit(f"--threads: this process may use {len(os.sched_getaffinity(0))} cores")
    rows = [row for count in counts for row in all_rows(options.quick, count) if is_wanted(row, options.only)]
    if not rows:
        raise SystemExit("--only: no row has all of these words")
    results = []
    for row in rows:
        results.append(measure_row(row, options))
        write(results, options)  # what is measured stays, should a later row be interrupted
    print(report.markdown(results, options.rounds))
    return int(any(notes.get("fjord", "").startswith("failed") for _, _, notes in results))


if __name__ == "__main__":
    sys.exit(main())
