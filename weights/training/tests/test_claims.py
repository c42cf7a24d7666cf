"""The arithmetic behind the comparison of networks, on curves that are known."""

import json
import pathlib
import sys
import tempfile
import types
import unittest

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import networks  # noqa: E402
import train_denoiser  # noqa: E402
from base_model import BaseModel  # noqa: E402
from claims import compare, fine_tuning, timesteps  # noqa: E402
from loop import Settings  # noqa: E402
from rendering.scene import Scene  # noqa: E402


class CompareTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def log_of(self, name: str, pace: float, offset: float = 0.) -> pathlib.Path:
        """A run whose error is 1 / (1 + step * pace)."""
        folder = self.folder / name
        folder.mkdir()
        lines = [{"step": step, "velocity_error": 1 / (1 + step * pace) + offset} for step in range(50, 20001, 50)]
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return folder

    def test_a_network_of_half_the_pace_needs_twice_the_steps(self):
        curves = {"a": compare.curve([self.log_of("a", .002)]), "b": compare.curve([self.log_of("b", .001)])}
        for mark, name, _, steps, arithmetic in compare.table(curves, {"a": 1., "b": 3.}, [4000, 8000]):
            self.assertEqual(name, "b")
            self.assertAlmostEqual(steps, 2, delta=.01)
            self.assertAlmostEqual(arithmetic, 6, delta=.03)

    def test_what_is_never_reached_is_infinitely_far(self):
        curves = {"a": compare.curve([self.log_of("a", .002)]), "b": compare.curve([self.log_of("b", .0005)])}
        self.assertEqual(compare.table(curves, {"a": 1., "b": 1.}, [10000])[0][3], float("inf"))

    def test_seeds_are_averaged(self):
        one = compare.curve([self.log_of("one", .001)])[1]
        two = compare.curve([self.log_of("low", .001, -.01), self.log_of("high", .001, .01)])[1]
        self.assertLess(np.abs(one - two).max(), 1e-9)

    def test_operations_are_those_of_the_layers(self):
        """Two upsamplings, of 192 channels to 8x8 and of 96 to 16x16: 3x3 at the larger size against 4x4 at the smaller."""
        saved = 2 * (192 ** 2 * (9 * 64 - 16 * 16) + 96 ** 2 * (9 * 256 - 16 * 64)) / 1e9
        found = compare.operations("unet") - compare.operations("unet-with-transposed-convolutions")
        self.assertAlmostEqual(found, saved, places=6)


class Silent(torch.nn.Module):
    """Predicts no velocity."""

    def forward(self, noisy, timesteps, states):
        return types.SimpleNamespace(sample=torch.zeros_like(noisy))


def batches_of_noise(scale: float) -> train_denoiser.Batches:
    latents = scale * np.random.default_rng(0).normal(size=(8, 16, 16, 16)).astype(np.float16)
    scenes = [Scene("landscape", terrain="sea", time="day")] * 8
    tokenizer = train_denoiser.CLIPTokenizer.from_pretrained(HERE.parents[1] / "tiny/tokenizer")
    return train_denoiser.Batches([(latents, scenes)], tokenizer)


class TimestepsTest(unittest.TestCase):
    def test_error_of_silence_is_the_velocitys_own_power(self):
        """Of latents twice as large as noise: alpha bar * 1 + (1 - alpha bar) * 4, less and less noise-like with time."""
        batches = batches_of_noise(2)
        encoder = lambda ids: types.SimpleNamespace(last_hidden_state=ids)  # noqa: E731
        found = timesteps.errors_by_range(Silent(), encoder, batches, 2000)
        for i, (mean, _) in enumerate(found):
            alphas = batches.alphas[100 * i:100 * i + 100]
            self.assertAlmostEqual(mean, (alphas + 4 * (1 - alphas)).mean().item(), delta=.15)


class FineTuningTest(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(1)

    def measured(self, way) -> dict:
        torch.manual_seed(0)
        unet, text_encoder = networks.new_unet(), train_denoiser.new_text_encoder().requires_grad_(False)
        batches = batches_of_noise(1)
        batches.batch = 2
        base = BaseModel(unet, text_encoder, None, batches)
        return fine_tuning.measure(base, batches, way, Settings(1e-3, 3, warm_up=1, average=0.), 2)

    def test_ways_train_and_ship_what_they_say(self):
        whole, lora = self.measured(None), self.measured((4, False))
        parameters = sum(parameter.numel() for parameter in networks.new_unet().parameters())
        self.assertEqual(whole["trained"], parameters)
        self.assertAlmostEqual(whole["megabytes of the file"], 2 * parameters / 1e6, delta=.1)
        self.assertEqual(lora["megabytes of the file"], 2 * lora["trained"] / 1e6)
        self.assertLess(lora["trained"], parameters / 50)
        for found in (whole, lora):
            self.assertEqual(found["steps"], 3)
            self.assertLess(found["error after"], found["error before"])


if __name__ == "__main__":
    unittest.main()
