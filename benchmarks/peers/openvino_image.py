"""Times a guided picture by exported parts in OpenVINO and the scheduler of diffusers, and prints JSON.

Run: python openvino_image.py FOLDER TEXT.xml UNET.xml VAE.xml float32|bfloat16|auto REPEATS THREADS
"""

import pathlib
import sys

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from transformers import CLIPTokenizer

from openvino_compile import compile_model
from timing import GUIDANCE, PROMPT, STEPS, print_times, seconds_of


class Picture:
    def __init__(self, folder: pathlib.Path, paths: list, dtype: str, threads: int):
        self.text, self.unet, self.vae = (compile_model(path, dtype, threads) for path in paths)
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.scheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
        self.scaling_factor = AutoencoderKL.load_config(folder / "vae")["scaling_factor"]

    def condition(self) -> np.ndarray:
        ids = self.tokenizer(["", PROMPT], padding="max_length", max_length=77, return_tensors="np").input_ids
        return self.text([ids.astype(np.int64)])[0]

    def predict(self, latents: torch.Tensor, timestep: torch.Tensor, text: np.ndarray) -> torch.Tensor:
        sample = np.concatenate([latents.numpy()] * 2)
        both = self.unet([sample, np.full(2, float(timestep), np.float32), text])[0]
        return torch.from_numpy(both[:1] + GUIDANCE * (both[1:] - both[:1]))

    def run(self, steps: int = STEPS) -> np.ndarray:
        text = self.condition()
        self.scheduler.set_timesteps(steps)
        latents = torch.randn(tuple(self.vae.inputs[0].shape)) * self.scheduler.init_noise_sigma
        for timestep in self.scheduler.timesteps:
            latents = self.scheduler.step(self.predict(latents, timestep, text), timestep, latents).prev_sample
        return self.vae([(latents / self.scaling_factor).numpy()])[0]


def main() -> None:
    folder, paths, dtype = pathlib.Path(sys.argv[1]), sys.argv[2:5], sys.argv[5]
    repeats, threads = int(sys.argv[6]), int(sys.argv[7])
    torch.set_num_threads(threads)
    made = []
    load = seconds_of(lambda: made.append(Picture(folder, paths, dtype, threads)))
    made[0].run(steps=1)  # warm-up
    print_times(load, [seconds_of(made[0].run) for _ in range(repeats)])


if __name__ == "__main__":
    main()
