"""Measures of pictures that need no prompt: distance of distributions, saturation of colours, seams of tiles."""

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Between Gaussians fitted to two sets of features [count, features] (arXiv:1706.08500, on features of our own)."""
    means = first.mean(0) - second.mean(0)
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in (first, second)]
    # The trace of (C1 C2)^(1/2) is the sum of the roots of the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2).
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    middle = np.linalg.eigvalsh(root @ covariances[1] @ root)
    return float(means @ means + sum(np.trace(c) for c in covariances) - 2 * np.sqrt(np.clip(middle, 0, None)).sum())


def saturation(pictures: np.ndarray) -> float:
    """Mean of (largest - smallest channel) / 255 over uint8 [count, height, width, 3]."""
    return float(np.ptp(pictures.astype(np.int16), axis=-1).mean() / 255)


def seam_error(picture: np.ndarray) -> float:
    """How much rougher a uint8 picture [height, width, 3] is across its sides than inside: 1 is a seamless tile.

    The difference of neighbours across the border, over the largest such difference of lines inside, less the mean one.
    """
    values = picture.astype(np.float64)
    ratios = []
    for axis in (0, 1):
        inside = np.abs(np.diff(values, axis=axis)).mean(2).mean(1 - axis)
        across = np.abs(values.take(0, axis) - values.take(-1, axis)).mean()
        ratios.append(across / max(np.sort(inside)[int(.95 * len(inside))], 1e-9))
    return float(max(ratios))


def blockiness(picture: np.ndarray, cell: int = 8) -> float:
    """How much rougher a uint8 picture [height, width, 3] is across the lines of a grid than elsewhere: 1 is as rough."""
    values = picture.astype(np.float64)
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(values, axis=axis)).mean(2).mean(1 - axis)
        on_grid = np.arange(len(steps)) % cell == cell - 1
        ratios.append(steps[on_grid].mean() / max(steps[~on_grid].mean(), 1e-9))
    return float(np.mean(ratios))
