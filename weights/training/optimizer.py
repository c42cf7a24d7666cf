"""Muon (Jordan and others 2024; scaled as in arXiv:2502.16982) for matrices and convolutions, AdamW for the rest.

The momentum of a matrix is made orthogonal before it is taken as a step, so that all its directions learn equally fast.
Steps are scaled to the size of AdamW's, so that one learning rate serves both.
"""

import torch

MOMENTUM, ROUNDS = .95, 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the polynomial that drives singular values towards 1
ADAM_SIZE = .2  # root mean square of a usual AdamW step


def times_transposed(a, b):
    """a @ b.T by oneDNN: on AMD's processors MKL, which `@` uses, takes twice as long or more, but for the smallest."""
    if torch.backends.mkldnn.is_available() and a.device.type == "cpu":
        return torch.ops.mkldnn._linear_pointwise(a.contiguous(), b.contiguous(), None, "none", [], "")
    return a @ b.T


def orthogonal(matrix):
    """Nearly the nearest matrix whose singular values are 1 (Newton-Schulz).

    Every round multiplies by a polynomial of the Gram matrix, which is small and symmetric: the rounds are taken there.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    gram, product = times_transposed(x, x), None
    a, b, c = COEFFICIENTS
    for i in range(ROUNDS):
        factor = times_transposed(gram, gram).mul_(c).add_(gram, alpha=b)
        factor.diagonal().add_(a)
        product = factor if product is None else times_transposed(factor, product)
        if i + 1 < ROUNDS:
            gram = times_transposed(times_transposed(factor, gram), factor)
    x = times_transposed(product, x.T)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """For parameters of two or more dimensions; the first is a row."""

    def __init__(self, parameters, rate: float, weight_decay: float):
        super().__init__(parameters, {"lr": rate, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, group["lr"], group["weight_decay"])

    def _step(self, parameter, rate: float, weight_decay: float) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(parameter.grad, 1 - MOMENTUM)
        update = parameter.grad.lerp(momentum, MOMENTUM)  # Nesterov's
        matrix = orthogonal(update.flatten(1))
        parameter.mul_(1 - rate * weight_decay)
        parameter.add_(matrix.view_as(parameter), alpha=-rate * ADAM_SIZE * max(matrix.shape) ** .5)


def optimizers(modules: dict, rate: float, weight_decay: float, muon: bool) -> list:
    """Those that together train everything in the modules that is to be trained."""
    matrices, others = [], []
    for module in modules.values():
        embeddings = {id(part.weight) for part in module.modules() if isinstance(part, torch.nn.Embedding)}
        for parameter in filter(lambda p: p.requires_grad, module.parameters()):
            is_matrix = muon and parameter.ndim >= 2 and id(parameter) not in embeddings
            (matrices if is_matrix else others).append(parameter)
    out = []
    if others:
        out.append(torch.optim.AdamW(others, lr=rate, betas=(.9, .99), foreach=True, weight_decay=weight_decay))
    if matrices:
        out.append(Muon(matrices, rate, weight_decay))
    return out
