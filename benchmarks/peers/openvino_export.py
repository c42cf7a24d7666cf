"""Writes one part of a model folder as an OpenVINO model (float16 weights, as its users store them).

Run: python openvino_export.py FOLDER unet|vae|text OUT.xml
"""

import pathlib
import sys

import openvino
import torch

from models import PARTS


def main() -> None:
    folder, part, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    torch.set_grad_enabled(False)
    module = PARTS[part](folder, torch.float32)
    inputs = module.inputs()
    model = openvino.convert_model(module, example_input=inputs, input=[tuple(one.shape) for one in inputs])
    openvino.save_model(model, out, compress_to_fp16=True)


if __name__ == "__main__":
    main()
