"""The whole training, stage by stage. Run: python weights/training/run.py STAGE --help

  all          the whole recipe, one stage after the other
  data         renders pictures with their scenes
  tokenizer    trains the vocabulary
  vae          trains the VAE
  denoiser     trains text encoder and U-Net
  lora         trains a LoRA on pictures in one style
  inpainting   trains an inpainting U-Net
  control      trains a ControlNet that follows edges
  consistency  distils a U-Net for 1 to 4 steps
  preview      trains a small decoder for previews
  export       joins them into a pipeline folder
  classifier   trains the classifier that reads off a picture what it shows
  score        scores pictures of the fjord program
  sweep        the same over many schedulers, guidance scales, quantisations or LoRAs
  follow       how well a ControlNet is followed
  psnr         how well a VAE reconstructs pictures
  compare      which of several networks learned faster
  timesteps    the error of a denoiser by ranges of timesteps
  fine-tuning  LoRA against fine-tuning of the whole U-Net
  plot         draws the curves of a log
"""

import argparse
import ctypes
import importlib
import sys

# Stage -> the module that does it.
STAGES = {
    "all": "recipe", "data": "data", "tokenizer": "train_tokenizer", "vae": "train_vae", "denoiser": "train_denoiser",
    "lora": "train_lora", "inpainting": "train_inpainting", "control": "train_control", "consistency": "train_consistency",
    "preview": "train_preview", "export": "export", "classifier": "score.train", "score": "score.program",
    "sweep": "score.sweep", "follow": "score.control", "psnr": "score.reconstruction", "compare": "claims.compare",
    "timesteps": "claims.timesteps", "fine-tuning": "claims.fine_tuning", "plot": "plot_log",
}


def parse(arguments: list) -> tuple:
    """The module of the stage, and its options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    stage = parser.parse_args(arguments[:1]).stage
    module = importlib.import_module(STAGES[stage])
    parser = argparse.ArgumentParser(prog=f"run.py {stage}", description=module.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_options(parser)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[1:end])
    rest = arguments[end + 1:]
    if rest and not hasattr(options, "rest"):
        parser.error(f"{stage} takes no options after --, got {' '.join(rest)}")
    options.rest = rest
    return module, options


def keep_memory() -> None:
    """Lets glibc's malloc keep large blocks: a quarter of the time went into taking them from the system anew."""
    trim_threshold, mmap_threshold = -1, -3
    mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda option, value: None)
    for option in (trim_threshold, mmap_threshold):
        mallopt(option, 2 ** 31 - 1)


def main(arguments: list) -> None:
    module, options = parse(arguments)
    if hasattr(options, "threads"):
        import torch
        torch.set_num_threads(options.threads)
    module.run(options)


if __name__ == "__main__":
    keep_memory()
    main(sys.argv[1:])
