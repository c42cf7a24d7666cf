"""Every stage of the training, for a few steps on a few pictures."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import types
import unittest

import numpy as np
import torch
from diffusers import DDIMScheduler, LCMScheduler

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import data  # noqa: E402
import export  # noqa: E402
import networks  # noqa: E402
import plot_log  # noqa: E402
import run as stages  # noqa: E402
import train_consistency  # noqa: E402
import train_control  # noqa: E402
import train_denoiser  # noqa: E402
import train_inpainting  # noqa: E402
import train_lora  # noqa: E402
import train_preview  # noqa: E402
import train_tokenizer  # noqa: E402
import train_vae  # noqa: E402
from loop import Average, Run, Settings, learning_rate, save_whole, steps_of  # noqa: E402
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


class LearningRateTest(unittest.TestCase):
    def test_it_warms_up_stays_and_falls(self):
        settings = Settings(1., steps=1000, warm_up=100, decay=.25)
        self.assertAlmostEqual(learning_rate(settings, 0, 0), .01)
        self.assertEqual(learning_rate(settings, 700, 0), 1.)
        self.assertAlmostEqual(learning_rate(settings, 875, 0), .51)
        self.assertAlmostEqual(learning_rate(settings, 1000, 0), .02)

    def test_it_warms_up_again_after_a_start_from_weights(self):
        self.assertAlmostEqual(learning_rate(Settings(1., warm_up=100), 5000, 5000), .01)

    def test_without_an_end_it_stays(self):
        self.assertEqual(learning_rate(Settings(1.), 10 ** 6, 0), 1.)


class RunTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_of(self, folder: str, steps: int, resume: bool = False, **more) -> torch.nn.Module:
        torch.manual_seed(0)
        module = torch.nn.Linear(4, 4)
        run = Run(self.folder / folder, {"linear": module}, Settings(.1, steps, average=.9, **more))
        if resume:
            run.resume()

        def losses(step, rng):
            loss = (module(torch.randn(8, 4)) - float(rng.random())).square().mean()
            return loss, {"step_seen": step}

        run.train(losses)
        run.average.swap()
        return module

    def test_a_resumed_run_equals_one_that_was_not_stopped(self):
        whole = self.run_of("whole", 120, decay=0.)
        self.run_of("parts", 60, decay=0.)
        parts = self.run_of("parts", 120, resume=True, decay=0.)
        for a, b in zip(whole.parameters(), parts.parameters()):
            self.assertTrue(torch.equal(a, b))
        logs = [[{k: v for k, v in json.loads(line).items() if k != "time"} for line in
                 (self.folder / folder / "log.jsonl").read_text().splitlines()] for folder in ("whole", "parts")]
        self.assertEqual([line["step"] for line in logs[0]], [50, 100])
        self.assertEqual(logs[0][0], logs[1][0])

    def test_steps_after_the_last_save_leave_the_log_on_resuming(self):
        self.run_of("again", 60)
        (self.folder / "again/log.jsonl").write_text('{"step": 50}\n{"step": 100}\n')
        self.run_of("again", 61, resume=True)
        self.assertEqual((self.folder / "again/log.jsonl").read_text(), '{"step": 50}\n')

    def test_time_ends_a_run_that_can_be_resumed(self):
        self.run_of("short", 10 ** 9, minutes=1e-4)
        self.assertTrue((self.folder / "short/state.pt").exists())

    def test_average_follows_the_parameters_and_swaps(self):
        parameter = torch.nn.Parameter(torch.zeros(1))
        average = Average([parameter], .5)
        for _ in range(50):
            with torch.no_grad():
                parameter.fill_(1.)
            average.update()
        with torch.no_grad():
            parameter.fill_(2.)
        average.swap()
        self.assertAlmostEqual(parameter.item(), 1., places=5)
        self.assertEqual(average.values[0].item(), 2.)

    def test_plot_joins_logs(self):
        files = [self.folder / "a.jsonl", self.folder / "b.jsonl"]
        files[0].write_text('{"step": 50, "time": 1, "loss": 2.0}\n')
        files[1].write_text('{"step": 50, "time": 2, "loss": 1.5}\n{"step": 100, "time": 3, "loss": 1.0}\n')
        self.assertEqual([line["loss"] for line in plot_log.read(files)], [1.5, 1.0])


class ConsistencyTest(unittest.TestCase):
    """The teacher's step and the boundary are those of diffusers' schedulers."""

    def setUp(self):
        class Constant(torch.nn.Module):
            def forward(self, z, timesteps, states):
                return types.SimpleNamespace(sample=torch.sin(z) + states)

        self.distillation = train_consistency.Distillation(Constant(), Constant(), Constant(),
                                                           train_denoiser.alphas_cumprod(), 1.)

    def test_teacher_step_is_ddims(self):
        scheduler = DDIMScheduler(**train_denoiser.BETAS, prediction_type="v_prediction", clip_sample=False,
                                  set_alpha_to_one=False, timestep_spacing="trailing")
        scheduler.set_timesteps(50)
        torch.manual_seed(0)
        z, states = torch.randn(1, 4, 2, 2), torch.randn(1, 4, 2, 2)
        expected = scheduler.step(torch.sin(z) + states, 499, z).prev_sample
        found = self.distillation.teacher_step(z, torch.tensor([499]), torch.tensor([479]), states, torch.zeros_like(states))
        self.assertLess((found - expected).abs().max(), 1e-5)

    def test_boundary_is_that_of_lcm(self):
        scheduler = LCMScheduler()
        for timestep in (0, 19, 499):
            skip, out = train_consistency.boundary(torch.tensor([timestep]))
            expected = scheduler.get_scalings_for_boundary_condition_discrete(torch.tensor(float(timestep)))
            self.assertAlmostEqual(skip.item(), expected[0].item(), places=6)
            self.assertAlmostEqual(out.item(), expected[1].item(), places=6)


class NetworkTest(unittest.TestCase):
    def test_all_have_nearly_the_size_of_the_unet_and_train(self):
        torch.manual_seed(0)
        inputs = torch.randn(2, 16, 16, 16), torch.tensor([10, 900]), torch.randn(2, 77, 128)
        size = sum(parameter.numel() for parameter in networks.new_unet().parameters())
        for name, make in networks.NETWORKS.items():
            with self.subTest(network=name):
                network = make()
                found = sum(parameter.numel() for parameter in network.parameters())
                self.assertLess(abs(found / size - 1), .06)
                sample = network(*inputs).sample
                self.assertEqual(sample.shape, inputs[0].shape)
                (sample - inputs[0]).square().mean().backward()
                trained = [parameter.grad is not None for parameter in network.parameters()]
                self.assertTrue(all(trained))

    def test_without_skips_the_first_half_speaks_only_through_the_middle(self):
        torch.manual_seed(0)
        plain, cut = networks.new_unet(4).eval(), networks.unet_without_skips(4).eval()
        cut.load_state_dict(plain.state_dict())
        inputs = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 77, 128)
        for unet, is_open in ((plain, True), (cut, False)):
            # With a silent middle block only the skips can tell one picture from another.
            unet.mid_block.register_forward_hook(lambda *_: torch.zeros(1, 192, 2, 2))
            with torch.no_grad():
                moved = (unet(*inputs).sample - unet(inputs[0] + 1, *inputs[1:]).sample).abs().max().item()
            self.assertEqual(moved > 1e-4, is_open)


class LoraTest(unittest.TestCase):
    def test_it_changes_nothing_at_first_and_equals_merged_weights_later(self):
        torch.manual_seed(0)
        unet = networks.new_unet(4).eval()
        inputs = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 77, 128)
        with torch.no_grad():
            plain = unet(*inputs).sample
            loras = train_lora.add_lora(unet, 4, True)
            self.assertTrue(torch.equal(unet(*inputs).sample, plain))
            for lora in loras.values():
                torch.nn.init.normal_(lora.up.weight, std=.02)
            changed = unet(*inputs).sample
            for lora in loras.values():
                down, up = lora.down.weight, lora.up.weight
                lora.layer.weight += (up.flatten(1) @ down.flatten(1)).reshape(lora.layer.weight.shape)
                lora.up.weight.zero_()
            self.assertLess((unet(*inputs).sample - changed).abs().max(), 1e-4)
            self.assertGreater((changed - plain).abs().max(), 1e-3)

    def test_only_the_change_is_trained_and_its_names_are_the_fields(self):
        unet = networks.new_unet(4)
        loras = train_lora.add_lora(unet, 2, False)
        trained = [name for name, parameter in unet.named_parameters() if parameter.requires_grad]
        self.assertTrue(trained and all(".down." in name or ".up." in name for name in trained))
        self.assertIn("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0.lora_up.weight",
                      train_lora.kohya_names(loras))
        self.assertIn("unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0.lora_B.weight",
                      train_lora.peft_names(loras))


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
            self.assertTrue(torch.equal(new.mean[:, :4], old.mean))
            self.assertTrue(torch.equal(new.logvar[:, :4], old.logvar))
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

    def test_loss_weights_have_mean_one_and_fall_with_noise(self):
        weights = train_denoiser.loss_weights(train_denoiser.alphas_cumprod())
        self.assertAlmostEqual(weights.mean().item(), 1., places=5)
        self.assertLess(weights[-1], weights[300])

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

    def test_inpainting_starts_as_the_base_and_trains(self):
        torch.manual_seed(0)
        base, text_encoder = networks.new_unet().eval(), train_denoiser.new_text_encoder().requires_grad_(False)
        unet = train_inpainting.inpainting_unet(base).eval()
        self.assertEqual(unet.config.in_channels, 33)
        noisy, states = torch.randn(1, 16, 8, 8), torch.randn(1, 77, 128)
        with torch.no_grad():
            wide = unet(torch.cat([noisy, torch.randn(1, 17, 8, 8)], 1), 500, states).sample
            self.assertLess((wide - base(noisy, 500, states).sample).abs().max(), 1e-5)
        latents = np.random.default_rng(0).normal(size=(40, 16, 8, 8)).astype(np.float16)
        plain = train_denoiser.Batches([(latents, self.scenes)],
                                       train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer"), 8)
        batches = train_inpainting.InpaintingBatches(plain, self.images, train_vae.new_vae().eval())
        run = train_inpainting.train(unet, text_encoder, batches, Settings(1e-3, 2), self.folder / "inpainting")
        self.assertTrue(np.isfinite([row["loss"] for row in run.measures]).all())
        self.assertGreater(unet.conv_in.weight[:, 16:].abs().max(), 0)

    def test_control_starts_without_a_say_and_trains(self):
        torch.manual_seed(0)
        unet, text_encoder = networks.new_unet().eval(), train_denoiser.new_text_encoder().requires_grad_(False)
        control = train_control.new_control(unet)
        latents = np.random.default_rng(0).normal(size=(40, 16, 8, 8)).astype(np.float16)
        batches = train_denoiser.Batches([(latents, self.scenes)],
                                         train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer"), 8)
        inputs = torch.randn(1, 16, 8, 8), torch.tensor([500]), torch.randn(1, 77, 128)

        def largest_say():
            with torch.no_grad():
                down, middle = control(*inputs, train_control.control_map(self.images[:1]), return_dict=False)
            return max(value.abs().max().item() for value in (*down, middle))

        self.assertEqual(largest_say(), 0)
        train_control.train(control, unet, text_encoder, batches, self.images, Settings(1e-3, 2), self.folder / "control")
        self.assertGreater(largest_say(), 0)

    def test_edges_are_where_the_picture_changes(self):
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[:, 32:] = 200
        found = train_control.edges_of(picture)
        self.assertTrue(found[:, 31:33].all())
        self.assertFalse(found[:, :28].any() or found[:, 36:].any())
        shares = [train_control.edges_of(image).mean() for image in self.images]
        self.assertTrue(.03 < np.mean(shares) < .4, np.mean(shares))

    def test_consistency_trains(self):
        torch.manual_seed(0)
        unets = [networks.new_unet() for _ in range(3)]
        latents = np.random.default_rng(0).normal(size=(40, 16, 8, 8)).astype(np.float16)
        batches = train_denoiser.Batches([(latents, self.scenes)],
                                         train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer"), 8)
        distillation = train_consistency.Distillation(*unets, batches.alphas, 4.)
        before = unets[1].conv_in.weight.clone()
        run = train_consistency.train(distillation, train_denoiser.new_text_encoder().requires_grad_(False), batches,
                                      Settings(1e-4, 2), self.folder / "consistency")
        self.assertTrue(np.isfinite([row["loss"] for row in run.measures]).all())
        self.assertFalse(torch.equal(unets[1].conv_in.weight, before))

    def test_masks_cover_a_part_or_everything(self):
        shares = [train_inpainting.random_mask(np.random.default_rng(seed), 64).mean() for seed in range(100)]
        self.assertGreater(min(shares), .03)
        self.assertTrue(3 < sum(share == 1 for share in shares) < 25)

    def test_preview_learns(self):
        torch.manual_seed(0)
        preview, batch = train_preview.new_preview(), train_vae.to_batch(self.images[:8])
        latents = torch.randn(40, 16, 8, 8)
        before = train_preview.losses(preview, batch, latents[:8])[0].item()
        train_preview.train(preview, self.images, latents.numpy(), Settings(2e-3, 10, warm_up=2), self.folder / "preview")
        self.assertLess(train_preview.losses(preview, batch, latents[:8])[0].item(), .9 * before)

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
