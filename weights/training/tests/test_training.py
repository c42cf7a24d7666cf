"""Every stage of the training, for a few steps on a few pictures."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
TINY = HERE.parents[1] / "tiny"
sys.path.insert(0, str(HERE.parent))

import export  # noqa: E402
import judge  # noqa: E402
import make_dataset  # noqa: E402
import train_denoiser  # noqa: E402
import train_tokenizer  # noqa: E402
import train_vae  # noqa: E402
from schedule import Average, Budget, learning_rate, save_whole  # noqa: E402


class TokenizerTest(unittest.TestCase):
    def test_training_gives_the_shipped_vocabulary(self):
        vocabulary, merges = train_tokenizer.train()
        shipped = json.loads((TINY / "tokenizer/vocab.json").read_text())
        self.assertEqual({token: i for i, token in enumerate(vocabulary)}, shipped)
        lines = (TINY / "tokenizer/merges.txt").read_text().splitlines()
        self.assertEqual([" ".join(pair) for pair in merges], [line for line in lines if line and line[0] != "#"])


class ScheduleTest(unittest.TestCase):
    def test_learning_rate_warms_up_stays_and_falls(self):
        def rate(step, part):
            return learning_rate(1., step, part, 100, .3, .02)
        self.assertAlmostEqual(rate(0, 0.), .01)
        self.assertEqual(rate(200, .2), 1.)
        self.assertAlmostEqual(rate(200, .65), .51)
        self.assertAlmostEqual(rate(200, 1.), .02)

    def test_average_follows_the_parameters(self):
        parameter = torch.nn.Parameter(torch.zeros(1))
        average = Average([parameter], .5)
        for _ in range(50):
            with torch.no_grad():
                parameter.fill_(1.)
            average.update()
        self.assertAlmostEqual(average.values[0].item(), 1., places=5)

    def test_loss_weights_have_mean_one_and_fall_with_noise(self):
        weights = train_denoiser.loss_weights(train_denoiser.alphas_cumprod())
        self.assertAlmostEqual(weights.mean().item(), 1., places=5)
        self.assertLess(weights[-1], weights[300])


class StageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        make_dataset.make(cls.folder / "data", 0, 70)
        cls.images = make_dataset.load_images(cls.folder / "data")
        cls.scenes = make_dataset.load_scenes(cls.folder / "data")

    def vae_after(self, steps: int, decoder_only=False, vae=None):
        torch.manual_seed(0)
        vae = vae or train_vae.new_vae()
        history = train_vae.train(vae, self.images, Budget(0, steps), 0, decoder_only, 2e-3)
        return vae, history

    def test_dataset_holds_pictures_and_scenes(self):
        self.assertEqual(self.images.shape, (70, 128, 128, 3))
        self.assertEqual(len(self.scenes), 70)
        picture, _, scene = make_dataset.sample(3)
        self.assertTrue(np.array_equal(self.images[3], picture))
        self.assertEqual(self.scenes[3], scene)

    def test_vae_learns_and_repeats(self):
        first, history = self.vae_after(12)
        again, _ = self.vae_after(12)
        self.assertTrue(np.isfinite(history).all())
        self.assertLess(np.mean(history[-3:]), history[0])
        for a, b in zip(first.parameters(), again.parameters()):
            self.assertTrue(torch.equal(a, b))

    def test_decoder_only_leaves_the_encoder(self):
        vae = train_vae.AutoencoderKL.from_pretrained(TINY / "vae", torch_dtype=torch.float32)
        before = {name: value.clone() for name, value in vae.state_dict().items()}
        self.vae_after(2, decoder_only=True, vae=vae)
        for name, value in vae.state_dict().items():
            kept = name.startswith(("encoder.", "quant_conv."))
            self.assertEqual(torch.equal(value, before[name]), kept, name)

    def test_scaling_factor_makes_unit_variance(self):
        vae = train_vae.AutoencoderKL.from_pretrained(TINY / "vae", torch_dtype=torch.float32).eval()
        latents = train_vae.encode(vae, self.images)
        self.assertEqual(latents.shape, (70, 2, 4, 16, 16))
        # 70 pictures stand for the 24,000 of the training within a few per cent.
        self.assertAlmostEqual(train_vae.scaling_factor(latents) / vae.config.scaling_factor, 1, delta=.1)

    def test_denoiser_trains_and_exports(self):
        vae = train_vae.AutoencoderKL.from_pretrained(TINY / "vae", torch_dtype=torch.float32).eval()
        tokenizer = train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer")
        batches = train_denoiser.Batches(train_vae.encode(vae, self.images), vae.config.scaling_factor, self.scenes,
                                         tokenizer, 0)
        torch.manual_seed(0)
        unet, text_encoder = train_denoiser.new_unet(), train_denoiser.new_text_encoder()
        history = train_denoiser.train(unet, text_encoder, batches, Budget(0, 2), 0, 1e-3)
        self.assertTrue(np.isfinite(history).all())
        save_whole(unet, self.folder / "denoiser/unet")
        save_whole(text_encoder, self.folder / "denoiser/text_encoder")
        out = self.folder / "model"
        export.export(self.folder / "denoiser", TINY / "vae", TINY / "tokenizer", out)
        names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        shipped = sorted(str(path.relative_to(TINY)) for path in TINY.rglob("*") if path.is_file())
        self.assertLessEqual(set(shipped) - set(names), {"README.md", "tokenizer/special_tokens_map.json"})
        self.assertNotIn("_name_or_path", (out / "vae/config.json").read_text())
        pipeline = export.StableDiffusionPipeline.from_pretrained(out, torch_dtype=torch.float32)
        pipeline.set_progress_bar_config(disable=True)
        picture = pipeline("a red brick wall", num_inference_steps=1, height=64, width=64, output_type="np").images
        self.assertEqual(picture.shape, (1, 64, 64, 3))

    def test_judge_learns_and_scores(self):
        vae = train_vae.AutoencoderKL.from_pretrained(TINY / "vae", torch_dtype=torch.float32).eval()
        torch.manual_seed(0)
        model = judge.Judge()
        history = judge.train(model, vae, self.images, self.scenes, Budget(0, 25), 0)
        self.assertLess(np.mean(history[-3:]), .75 * history[0])
        scores = judge.score(model, self.images, self.scenes)
        self.assertGreater(scores["attributes"], .2)  # 70 pictures, half learned by heart

    def test_labels_name_what_is_in_the_scene(self):
        scene = judge.draw_scene(np.random.default_rng(1))
        for name, index in zip(judge.ATTRIBUTES, judge.labels(scene)):
            value = (scene.background_colour or scene.background_material) if name == "background" else getattr(scene, name)
            self.assertEqual(judge.ATTRIBUTES[name][index] if index >= 0 else "", value)

    def test_the_shipped_weights_go_on_without_a_jump(self):
        """Their velocity error on fresh batches is that of a trained model, far below a new one's of about 1."""
        vae = train_vae.AutoencoderKL.from_pretrained(TINY / "vae", torch_dtype=torch.float32).eval()
        batches = train_denoiser.Batches(train_vae.encode(vae, self.images), vae.config.scaling_factor, self.scenes,
                                         train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer"), 0)
        unet = train_denoiser.UNet2DConditionModel.from_pretrained(TINY / "unet", torch_dtype=torch.float32)
        text_encoder = train_denoiser.CLIPTextModel.from_pretrained(TINY / "text_encoder", dtype=torch.float32)
        history = train_denoiser.train(unet, text_encoder, batches, Budget(0, 1), 0, 1e-4)
        self.assertLess(history[0], .35)

    def test_every_script_has_help(self):
        for script in ("make_dataset", "train_tokenizer", "train_vae", "train_denoiser", "export", "judge"):
            done = subprocess.run([sys.executable, HERE.parent / f"{script}.py", "--help"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("usage", done.stdout)


if __name__ == "__main__":
    unittest.main()
