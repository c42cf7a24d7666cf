"""Random inputs for an OpenVINO model with fixed shapes."""

import numpy as np

TIMESTEP = 500.0


def random_input(port, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(port.partial_shape.to_shape())
    if port.element_type.is_integral():
        return rng.integers(0, 1000, shape).astype(np.int64)
    return (rng.standard_normal(shape) if len(shape) > 1 else np.full(shape, TIMESTEP)).astype(np.float32)


def random_inputs(ports, seed: int = 0) -> list:
    rng = np.random.default_rng(seed)
    return [random_input(port, rng) for port in ports]
