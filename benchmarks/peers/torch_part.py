"""Times one part of a model folder, or a whole picture, in diffusers and transformers, and prints JSON.

With "compile" the modules go through torch.compile with frozen weights, and its compiling counts as loading.
Run: python torch_part.py FOLDER unet|vae|text|image float32|bfloat16 REPEATS THREADS [compile]
"""

import pathlib
import sys

import torch
import torch._inductor.config
from diffusers import StableDiffusionPipeline

from models import PARTS
from timing import GUIDANCE, PROMPT, STEPS, print_times, seconds_of


class Part:
    def __init__(self, folder: pathlib.Path, name: str, dtype: torch.dtype, compiled: bool):
        module = PARTS[name](folder, dtype)
        self.module = torch.compile(module) if compiled else module
        self.inputs = module.inputs()

    def warm_up(self) -> None:
        self.run()

    def run(self) -> None:
        self.module(*self.inputs)


class Picture:
    def __init__(self, folder: pathlib.Path, dtype: torch.dtype, compiled: bool):
        self.pipeline = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=dtype, local_files_only=True)
        self.pipeline.set_progress_bar_config(disable=True)
        if compiled:
            self.pipeline.unet = torch.compile(self.pipeline.unet)
            self.pipeline.vae.decode = torch.compile(self.pipeline.vae.decode)

    def warm_up(self) -> None:
        self.run(steps=1)

    def run(self, steps: int = STEPS) -> None:
        self.pipeline(PROMPT, num_inference_steps=steps, guidance_scale=GUIDANCE, output_type="np")


def main() -> None:
    folder, name, dtype = pathlib.Path(sys.argv[1]), sys.argv[2], getattr(torch, sys.argv[3])
    repeats, threads, compiled = int(sys.argv[4]), int(sys.argv[5]), sys.argv[6:] == ["compile"]
    torch.set_grad_enabled(False)
    torch.set_num_threads(threads)
    torch._inductor.config.freezing = True
    made = []
    load = seconds_of(lambda: made.append(Picture(folder, dtype, compiled) if name == "image" else
                                          Part(folder, name, dtype, compiled)))
    first = seconds_of(made[0].warm_up)
    print_times(load + first if compiled else load, [seconds_of(made[0].run) for _ in range(repeats)])


if __name__ == "__main__":
    main()
