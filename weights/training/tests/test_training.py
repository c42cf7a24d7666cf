"""Every stage of the training, for a few steps on a few pictures."""

import contextlib
import io
import itertools
import pathlib
import sys
import tempfile
import unittest

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import data  # noqa: E402
import export  # noqa: E402
import networks  # noqa: E402
import recipe  # noqa: E402
import run as stages  # noqa: E402
import train_denoiser  # noqa: E402
import train_tokenizer  # noqa: E402
import train_vae  # noqa: E402
from loop import Settings, save_whole, steps_of  # noqa: E402
from rendering.captions import words_of_grammar  # noqa: E402
from rendering.render import sample  # noqa: E402

TINY = HERE.parents[1] / "tiny"


class TokenizerTest(unittest.TestCase):
    def test_every_word_of_the_grammar_is_one_token(self):
        vocabulary, merges = train_tokenizer.train()
        self.assertEqual(len(vocabulary), train_tokenizer.SIZE)
        self.assertEqual(len(set(vocabulary)), train_tokenizer.SIZE)
        self.assertLessEqual({word + "</w>" for word in words_of_grammar()}, set(vocabulary))
        with tempfile.TemporaryDirectory() as folder:
            train_tokenizer.save(pathlib.Path(folder))
            tokenizer = train_denoiser.CLIPTokenizer.from_pretrained(folder)
        words = sorted(word for word in words_of_grammar() if word.isalpha())
        self.assertEqual(len(tokenizer(" ".join(words)).input_ids), len(words) + 2)
        self.assertEqual(tokenizer.decode(tokenizer("zebra 7!").input_ids[1:-1]), "zebra 7 !")


class StageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        data.make(cls.folder / "data", data.Choice(0, 40, 64))
        cls.images, cls.scenes = data.load_images(cls.folder / "data"), data.load_scenes(cls.folder / "data")

    def vae_after(self, steps: int, name: str, decoder_only=False, vae=None):
        torch.manual_seed(0)
        vae = vae or train_vae.new_vae()
        run = train_vae.train(vae, self.images, Settings(2e-3, steps, warm_up=5), self.folder / name, train_vae.Crops(32, 2),
                              decoder_only)
        return vae, run

    def test_data_holds_pictures_and_scenes(self):
        self.assertEqual((self.images.shape, len(self.scenes)), ((40, 64, 64, 3), 40))
        picture, _, scene = sample(3, 64)
        self.assertTrue(np.array_equal(self.images[3], picture))
        self.assertEqual(self.scenes[3], scene)
        styles = [data.styled_scene(seed, .5).style in data.FILTERS for seed in range(200)]
        self.assertTrue(70 < sum(styles) < 130)

    def test_data_of_some_kinds_leaves_out_the_seeds_of_others(self):
        found = itertools.islice(data.chosen_scenes(data.Choice(5, kinds=("landscape", ))), 4)
        wanted = ((seed, data.scene_of(seed)) for seed in itertools.count(5))
        self.assertEqual(list(found), list(itertools.islice((pair for pair in wanted if pair[1].kind == "landscape"), 4)))

    def test_vae_learns(self):
        torch.manual_seed(0)
        vae = train_vae.new_vae()
        batch = train_vae.to_batch(self.images[:2])
        before = train_vae.losses(vae, batch, False)[0].item()
        train_vae.train(vae, self.images[:2], Settings(2e-3, 30, warm_up=5), self.folder / "vae", train_vae.Crops(64, 2))
        self.assertLess(train_vae.losses(vae, batch, False)[0].item(), .9 * before)

    def test_a_widened_vae_gives_the_same_pictures(self):
        torch.manual_seed(1)
        narrow = train_vae.new_vae(4).eval()
        for parameter in narrow.parameters():
            torch.nn.init.normal_(parameter, std=.1)
        wide = train_vae.widened(narrow).eval()
        batch = train_vae.to_batch(self.images[:2])
        with torch.no_grad():
            old, new = (vae.encode(batch).latent_dist for vae in (narrow, wide))
            self.assertEqual(new.mean.shape[1], train_vae.LATENT_CHANNELS)
            for ours, wanted in ((new.mean, old.mean), (new.logvar, old.logvar)):  # wider layers may add in another order
                self.assertLess((ours[:, :4] - wanted).abs().max() / wanted.abs().max(), 1e-5)
            self.assertLess((wide.decode(new.mean).sample - narrow.decode(old.mean).sample).abs().max(), 1e-5)

    def test_decoder_only_leaves_the_encoder(self):
        vae = train_vae.new_vae()
        before = {name: value.clone() for name, value in vae.state_dict().items()}
        self.vae_after(2, "decoder", decoder_only=True, vae=vae)
        for name, value in vae.state_dict().items():
            kept = name.startswith(("encoder.", "quant_conv."))
            self.assertEqual(torch.equal(value, before[name]), kept, name)

    def test_written_weights_are_the_averages_in_half_precision(self):
        vae, run = self.vae_after(2, "written")
        values = [value.clone() for value in run.average.values]
        run.write("vae", self.folder / "written/out", extra=1)
        self.assertEqual(steps_of(self.folder / "written/out"), 2)
        stored = train_vae.load_vae(self.folder / "written/out")
        for parameter, value in zip(stored.parameters(), values):
            self.assertTrue(torch.equal(parameter, value.half().float()))

    def test_loss_weights_have_mean_one_and_little_noise_counts_less(self):
        weights = train_denoiser.loss_weights(train_denoiser.alphas_cumprod())
        self.assertAlmostEqual(weights.mean().item(), 1., places=5)
        self.assertLess(weights[0], .1 * weights[300])
        self.assertAlmostEqual(weights[-1].item(), weights[300].item(), places=5)

    def test_the_last_timestep_is_pure_noise(self):
        self.assertEqual(train_denoiser.alphas_cumprod()[-1], 0)

    def test_timesteps_of_a_batch_are_spread(self):
        timesteps = train_denoiser.Batches([], None).spread_timesteps(10)
        self.assertEqual((timesteps // 100).tolist(), list(range(10)))

    def test_larger_pictures_come_in_smaller_batches(self):
        sets = [(np.zeros((40, 16, 16, 16), np.float16), self.scenes), (np.zeros((40, 16, 32, 32), np.float16), self.scenes)]
        batches = train_denoiser.Batches(sets, train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer"), 8)
        shapes = {tuple(batches.draw(np.random.default_rng(seed))[0].shape) for seed in range(12)}
        self.assertEqual(shapes, {(8, 16, 16, 16), (2, 16, 32, 32)})

    def test_denoiser_trains_and_exports(self):
        train_tokenizer.save(self.folder / "tokenizer")
        torch.manual_seed(0)
        save_whole(train_vae.new_vae().half(), self.folder / "small_vae")
        vae = train_vae.load_vae(self.folder / "small_vae").eval()
        latents = train_denoiser.latents_of(vae, self.folder / "data")
        self.assertEqual((latents.shape, latents.dtype), ((40, 16, 8, 8), np.float16))
        tokenizer = train_denoiser.CLIPTokenizer.from_pretrained(self.folder / "tokenizer")
        batches = train_denoiser.Batches([(latents, self.scenes)], tokenizer, 2)
        unet, text_encoder = networks.new_unet(), train_denoiser.new_text_encoder()
        run = train_denoiser.train(unet, text_encoder, batches, Settings(1e-3, 2), self.folder / "denoiser")
        self.assertTrue(np.isfinite([row["loss"] for row in run.measures]).all())
        for name in ("unet", "text_encoder"):
            run.write(name, self.folder / "denoiser" / name)
        self.check_export(self.folder / "model")

    def check_export(self, out: pathlib.Path):
        export.export(self.folder / "denoiser", self.folder / "small_vae", self.folder / "tokenizer", out)
        names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
        shipped = {str(path.relative_to(TINY)) for path in TINY.rglob("*") if path.is_file()}
        self.assertLessEqual(shipped - names, {"README.md", "tokenizer/special_tokens_map.json"})
        self.assertNotIn("vae/training.json", names)
        self.assertNotIn("_name_or_path", (out / "vae/config.json").read_text())
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        self.assertLess(size, 40e6)
        pipeline = export.StableDiffusionPipeline.from_pretrained(out, torch_dtype=torch.float32)
        pipeline.set_progress_bar_config(disable=True)
        picture = pipeline("a red brick wall", num_inference_steps=1, height=64, width=64, output_type="np").images
        self.assertEqual(picture.shape, (1, 64, 64, 3))

    def test_every_command_of_the_recipe_is_understood(self):
        for stage in recipe.stages(self.folder):
            module, options = stages.parse(recipe.command(self.folder, stage, ["--pause-while", "file"]))
            self.assertTrue(callable(module.run))
            self.assertEqual(getattr(options, "steps", 0), stage.steps)
        self.assertEqual(options.vae, self.folder / "vae")

    def test_every_stage_has_help(self):
        for stage in stages.STAGES:
            said = io.StringIO()
            with contextlib.redirect_stdout(said), self.assertRaises(SystemExit) as end:
                stages.main([stage, "--help"])
            self.assertEqual(end.exception.code, 0)
            self.assertIn(f"run.py {stage}", said.getvalue())
        self.assertEqual(set(stages.STAGES), {line.split()[0] for line in stages.__doc__.splitlines() if line.startswith("  ")})


if __name__ == "__main__":
    unittest.main()
