"""The whole training, stage by stage. Run: python weights/training/run.py STAGE --help

  data         renders pictures with their scenes
  tokenizer    trains the vocabulary
  vae          trains the VAE
  denoiser     trains text encoder and U-Net
  export       joins them into a pipeline folder
  classifier   trains the classifier that reads off a picture what it shows
  score        scores pictures of the fjord program
  psnr         how well a VAE reconstructs pictures
  plot         draws the curves of a log
"""

import argparse
import importlib

# Stage -> the module that does it.
STAGES = {"data": "data", "tokenizer": "train_tokenizer", "vae": "train_vae", "denoiser": "train_denoiser", "export": "export",
          "classifier": "score.train", "score": "score.program", "psnr": "score.reconstruction", "plot": "plot_log"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, add_help=False)
    parser.add_argument("stage", choices=STAGES)
    stage, rest = parser.parse_known_args()
    module = importlib.import_module(STAGES[stage.stage])
    parser = argparse.ArgumentParser(prog=f"run.py {stage.stage}", description=module.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_options(parser)
    options = parser.parse_args(rest)
    if hasattr(options, "threads"):
        import torch
        torch.set_num_threads(options.threads)
    module.run(options)


if __name__ == "__main__":
    main()
