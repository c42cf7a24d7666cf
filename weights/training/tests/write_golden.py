"""Writes golden.npy: means over squares of 8x8 pixels of the renderer's first pictures, which tell when the recipe changes.

Weights are only worth going on with on the pictures that they were trained on: write it anew with a new edition, not to
make a test pass. Run: python weights/training/tests/write_golden.py
"""

import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from rendering.render import sample  # noqa: E402

COUNT, SIZE, CELLS = 60, 128, 16


def means(seed: int) -> np.ndarray:
    picture = sample(seed, SIZE)[0].astype(np.float64)
    return picture.reshape(CELLS, SIZE // CELLS, CELLS, SIZE // CELLS, 3).mean((1, 3))


if __name__ == "__main__":
    np.save(HERE / "golden.npy", np.stack([means(seed) for seed in range(COUNT)]).round(2).astype(np.float32))
