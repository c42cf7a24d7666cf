"""A model folder as stable-diffusion.cpp reads it: the text encoder's names begin with text_model, the rest is linked.

Run: python sdcpp_model.py FOLDER OUT
"""

import pathlib
import sys

from safetensors.torch import load_file, save_file

PREFIX = "text_model."
TEXT = "text_encoder/model.safetensors"


def main() -> None:
    folder, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    (out / TEXT).parent.mkdir(parents=True)
    for part in ("unet", "vae"):
        (out / part).symlink_to(folder / part)
    tensors = load_file(folder / TEXT)
    save_file({PREFIX + name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}, out / TEXT)


if __name__ == "__main__":
    main()
