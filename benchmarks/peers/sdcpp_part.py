"""Times the guided U-Net step, the VAE or a whole picture in stable-diffusion.cpp, and prints JSON.

A step's time is the time between two reports of progress; the VAE's is what the library's own log says.
Run: python sdcpp_part.py FOLDER unet|vae|image f32|f16|q8_0 REPEATS THREADS
"""

import ctypes
import re
import sys
import time

import stable_diffusion_cpp

from timing import GUIDANCE, PROMPT, STEPS, print_times, seconds_of

DECODED = re.compile(r"latent \d+ decoded, taking ([\d.]+)s")
PIXELS = 512
log = []


@stable_diffusion_cpp.sd_log_callback
def keep_log(_level, text, _data) -> None:
    log.append(text.decode(errors="replace"))


def load(folder: str, weights: str, threads: int) -> stable_diffusion_cpp.StableDiffusion:
    model = stable_diffusion_cpp.StableDiffusion(model_path=folder, wtype=weights, n_threads=threads,
                                                 vae_decode_only=True, verbose=False)
    stable_diffusion_cpp.sd_set_log_callback(keep_log, ctypes.c_void_p(0))
    return model


def generate(model, steps: int, report=None) -> None:
    model.generate_image(PROMPT, width=PIXELS, height=PIXELS, cfg_scale=GUIDANCE, sample_method="euler",
                         sample_steps=steps, progress_callback=report)


def step_times(model, repeats: int) -> list:
    ends = []
    generate(model, repeats + 1, lambda step, *_: ends.append((step, time.perf_counter())))
    ends = [when for step, when in ends if 1 <= step <= repeats + 1]
    return [after - before for before, after in zip(ends, ends[1:])]


def decode_times(model, repeats: int) -> list:
    for _ in range(repeats + 1):
        generate(model, 1)
    return [float(seconds) for seconds in DECODED.findall("".join(log))][1:]


def image_times(model, repeats: int) -> list:
    generate(model, 1)
    return [seconds_of(lambda: generate(model, STEPS)) for _ in range(repeats)]


def main() -> None:
    folder, work, weights, repeats, threads = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
    made = []
    loading = seconds_of(lambda: made.append(load(folder, weights, threads)))
    times = {"unet": step_times, "vae": decode_times, "image": image_times}[work](made[0], repeats)
    if len(times) != repeats:
        raise SystemExit(f"expected {repeats} times, found {len(times)} in the library's reports")
    print_times(loading, times)


if __name__ == "__main__":
    main()
