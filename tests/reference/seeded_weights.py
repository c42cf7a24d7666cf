"""Weights and inputs that the C++ tests draw again: one seeded stream of torch.randn per model, tensors in sorted order.

tests/support/seeded_weights.h does the same; torch.randn is bit-equal on both sides.
"""

import torch


def fill(module: torch.nn.Module, seed: int) -> None:
    """Overwrites every parameter: scale weights about 1, other vectors small, matrices scaled by their fan-in."""
    generator = torch.Generator("cpu").manual_seed(seed)
    with torch.no_grad():
        for name, tensor in sorted(module.state_dict().items()):
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.numel(), generator=generator).reshape(tensor.shape)
            if tensor.dim() >= 2:
                noise = noise / (tensor.numel() / tensor.shape[0]) ** 0.5
            elif name.endswith(".weight"):
                noise = 1 + 0.1 * noise
            else:
                noise = 0.1 * noise
            tensor.copy_(noise)


def normal(seed: int, *shape: int) -> torch.Tensor:
    """Standard normal numbers of a seed of their own."""
    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))
