"""Muon: what it does to matrices, and which parameters it takes."""

import pathlib
import sys
import unittest

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from optimizer import ADAM_SIZE, Muon, optimizers, orthogonal  # noqa: E402


class OrthogonalTest(unittest.TestCase):
    def test_singular_values_become_nearly_one_and_directions_stay(self):
        torch.manual_seed(0)
        for shape in ((16, 144), (64, 64), (96, 24)):
            matrix = torch.randn(shape)
            u, s, v = torch.linalg.svd(matrix, full_matrices=False)
            turned = u.T @ orthogonal(matrix) @ v.T  # diagonal, if the directions stayed
            values = turned.diagonal()[s > .05 * s.max()]
            self.assertTrue(((values > .6) & (values < 1.3)).all(), f"{shape}: {values.min()}..{values.max()}")
            self.assertLess((turned - torch.diag(turned.diagonal())).abs().max(), 1e-3)

    def test_zero_stays_zero(self):
        self.assertEqual(orthogonal(torch.zeros(3, 5)).abs().max(), 0)


class MuonTest(unittest.TestCase):
    def test_a_step_has_the_size_of_the_rate(self):
        torch.manual_seed(0)
        parameter = torch.nn.Parameter(torch.zeros(32, 8, 3, 3))
        parameter.grad = torch.randn_like(parameter) * 1e-6
        Muon([parameter], .5, 0.).step()
        size = parameter.detach().square().mean().sqrt()
        self.assertLess(abs(size - .5 * ADAM_SIZE), .2 * .5 * ADAM_SIZE)

    def test_weights_decay(self):
        parameter = torch.nn.Parameter(torch.ones(2, 2))
        parameter.grad = torch.zeros(2, 2)
        Muon([parameter], .5, .1).step()
        self.assertTrue(torch.allclose(parameter, torch.full((2, 2), .95)))

    def test_matrices_go_to_muon_and_the_rest_to_adamw(self):
        module = torch.nn.Sequential(torch.nn.Embedding(4, 8), torch.nn.Linear(8, 8), torch.nn.Conv2d(1, 2, 3),
                                     torch.nn.Linear(2, 2))
        module[3].requires_grad_(False)
        both = optimizers({"all": module}, .1, 0., muon=True)
        shapes = [[tuple(p.shape) for p in optimizer.param_groups[0]["params"]] for optimizer in both]
        self.assertEqual(shapes, [[(4, 8), (8, ), (2, )], [(8, 8), (2, 1, 3, 3)]])
        self.assertEqual(len(optimizers({"all": module}, .1, 0., muon=False)), 1)

    def test_it_finds_a_linear_map(self):
        torch.manual_seed(0)
        wanted, module = torch.randn(4, 4), torch.nn.Linear(4, 4, bias=False)
        both = optimizers({"all": module}, .1, 0., muon=True)
        for step in range(400):
            for optimizer in both:
                optimizer.zero_grad()
                optimizer.param_groups[0]["lr"] = .1 * (1 - step / 400)
            x = torch.randn(32, 4)
            (module(x) - x @ wanted.T).square().mean().backward()
            for optimizer in both:
                optimizer.step()
        self.assertLess((module.weight - wanted).abs().max(), .02)


if __name__ == "__main__":
    unittest.main()
