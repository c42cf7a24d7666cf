"""Quantises an exported part to int8 with NNCF: weights and activations, or weights alone.

The calibration inputs are random as the model's weights are; only the speed of the result means something.
Run: python openvino_int8.py MODEL.xml OUT.xml all|weights
"""

import sys

import nncf
import openvino

from random_inputs import random_inputs

CALIBRATION_INPUTS = 2


def quantise_all(model: openvino.Model) -> openvino.Model:
    inputs = [random_inputs(model.inputs, seed) for seed in range(CALIBRATION_INPUTS)]
    return nncf.quantize(model, nncf.Dataset(inputs), subset_size=CALIBRATION_INPUTS,
                         model_type=nncf.ModelType.TRANSFORMER, preset=nncf.QuantizationPreset.MIXED,
                         fast_bias_correction=True)


def main() -> None:
    path, out, what = sys.argv[1:4]
    model = openvino.Core().read_model(path)
    quantised = nncf.compress_weights(model) if what == "weights" else quantise_all(model)
    openvino.save_model(quantised, out, compress_to_fp16=True)


if __name__ == "__main__":
    main()
