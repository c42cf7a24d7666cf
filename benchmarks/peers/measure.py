"""One process on given cores: what it prints, its peak memory, or one line on why it failed."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_S = 3600
MAX_LINE = 160


class Failed(Exception):
    """A process that did not end well; the text is one line."""


def last_line(text: str, otherwise: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else otherwise).replace(f"{ROOT}/", "").replace("|", "/")[:MAX_LINE]


def wait(child: subprocess.Popen) -> tuple:
    """The process's exit status and its resources, as the system counts them."""
    timer = threading.Timer(LIMIT_S, child.kill)
    timer.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:
        child.kill()
        raise
    finally:
        timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage


def run(command: list, cores: list) -> dict:
    """Runs the command with one thread a core; it prints {"load_s", "seconds"} as its last line."""
    pinned = ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]
    environment = dict(os.environ, OMP_NUM_THREADS=str(len(cores)))
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as log:
        start = time.monotonic()
        code, usage = wait(subprocess.Popen(pinned, stdout=out, stderr=log, env=environment))
        seconds = time.monotonic() - start
        out.seek(0)
        log.seek(0)
        if code < 0:
            raise Failed(f"killed by signal {-code}" if seconds < LIMIT_S else f"took more than {LIMIT_S} s")
        if code > 0:
            raise Failed(last_line(log.read(), f"exit code {code}"))
        said = json.loads(last_line(out.read(), "{}"))
    return {**said, "peak_gib": round(usage.ru_maxrss / 2**20, 3)}


def make(path: pathlib.Path, command: list) -> None:
    """Runs a command that writes `path`, unless it is there; nothing half written stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(last_line(done.stderr, f"exit code {done.returncode}"))
    except BaseException:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise
