"""What every peer's script does alike: time a piece of work and print the result as bench_parts does."""

import json
import time

PROMPT = "a gold crown on red cloth"
STEPS = 20
GUIDANCE = 7.5


def seconds_of(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def print_times(load: float, seconds: list) -> None:
    print(json.dumps({"load_s": round(load, 3), "seconds": [round(one, 4) for one in seconds]}))
