"""Where recordings of bit-by-bit arithmetic belong: square roots, logarithms and exponentials of whole tensors are MKL's in
PyTorch, and their last bit depends on the make of the processor. tests/data/<name> was recorded on AMD's; what differs on
Intel's (AVX-512) lies in tests/data/<name>_intel, with a probe by which the tests know such a processor."""

import filecmp
import pathlib

import torch
from safetensors.torch import save_file

DATA = pathlib.Path("tests/data")


def is_intel() -> bool:
    return "GenuineIntel" in pathlib.Path("/proc/cpuinfo").read_text()


def recordings_folder(name: str) -> pathlib.Path:
    return DATA / (f"{name}_intel" if is_intel() else name)


def finish(name: str) -> None:
    """Leaves only what differs in a folder of Intel's, and the probe."""
    folder = recordings_folder(name)
    if folder == DATA / name:
        return
    for path in folder.iterdir():
        if (DATA / name / path.name).exists() and filecmp.cmp(path, DATA / name / path.name, shallow=False):
            path.unlink()
    x = torch.linspace(0.001, 20, 4096)
    save_file({"input": x, "sqrt": x.sqrt(), "log": x.log(), "exp": x.exp()}, folder / "probe.safetensors")
