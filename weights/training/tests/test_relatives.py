"""What is trained from a finished model, and the networks that it is compared with."""

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
import networks  # noqa: E402
import train_consistency  # noqa: E402
import train_control  # noqa: E402
import train_denoiser  # noqa: E402
import train_inpainting  # noqa: E402
import train_lora  # noqa: E402
import train_preview  # noqa: E402
import train_vae  # noqa: E402
from loop import Settings  # noqa: E402

TINY = HERE.parents[1] / "tiny"


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


class ConsistencyTest(unittest.TestCase):
    """The teacher's step and the boundary are those of diffusers' schedulers."""

    def setUp(self):
        class Constant(torch.nn.Module):
            def forward(self, z, timesteps, states):
                return types.SimpleNamespace(sample=torch.sin(z) + states)

        self.distillation = train_consistency.Distillation(Constant(), Constant(), Constant(),
                                                           train_denoiser.alphas_cumprod(), 1.)

    def test_teacher_step_is_ddims(self):
        scheduler = DDIMScheduler(**train_denoiser.NOISE, clip_sample=False, set_alpha_to_one=False,
                                  timestep_spacing="trailing")
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


class RelativeTest(unittest.TestCase):
    """A few pictures with made-up latents, and networks that nothing has trained."""

    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        data.make(cls.folder / "data", data.Choice(0, 40, 64))
        cls.images, cls.scenes = data.load_images(cls.folder / "data"), data.load_scenes(cls.folder / "data")
        latents = np.random.default_rng(0).normal(size=(40, 16, 8, 8)).astype(np.float16)
        tokenizer = train_denoiser.CLIPTokenizer.from_pretrained(TINY / "tokenizer")
        cls.batches = train_denoiser.Batches([(latents, cls.scenes)], tokenizer, 8)

    def test_inpainting_starts_as_the_base_and_trains(self):
        torch.manual_seed(0)
        base, text_encoder = networks.new_unet().eval(), train_denoiser.new_text_encoder().requires_grad_(False)
        unet = train_inpainting.inpainting_unet(base).eval()
        self.assertEqual(unet.config.in_channels, 33)
        noisy, states = torch.randn(1, 16, 8, 8), torch.randn(1, 77, 128)
        with torch.no_grad():
            wide = unet(torch.cat([noisy, torch.randn(1, 17, 8, 8)], 1), 500, states).sample
            self.assertLess((wide - base(noisy, 500, states).sample).abs().max(), 1e-5)
        batches = train_inpainting.InpaintingBatches(self.batches, self.images, train_vae.new_vae().eval())
        run = train_inpainting.train(unet, text_encoder, batches, Settings(1e-3, 2), self.folder / "inpainting")
        self.assertTrue(np.isfinite([row["loss"] for row in run.measures]).all())
        self.assertGreater(unet.conv_in.weight[:, 16:].abs().max(), 0)

    def test_control_starts_without_a_say_and_trains(self):
        torch.manual_seed(0)
        unet, text_encoder = networks.new_unet().eval(), train_denoiser.new_text_encoder().requires_grad_(False)
        control = train_control.new_control(unet)
        inputs = torch.randn(1, 16, 8, 8), torch.tensor([500]), torch.randn(1, 77, 128)

        def largest_say():
            with torch.no_grad():
                down, middle = control(*inputs, train_control.control_map(self.images[:1]), return_dict=False)
            return max(value.abs().max().item() for value in (*down, middle))

        self.assertEqual(largest_say(), 0)
        train_control.train(control, unet, text_encoder, self.batches, self.images, Settings(1e-3, 2), self.folder / "control")
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
        distillation = train_consistency.Distillation(*unets, self.batches.alphas, 4.)
        before = unets[1].conv_in.weight.clone()
        run = train_consistency.train(distillation, train_denoiser.new_text_encoder().requires_grad_(False), self.batches,
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


if __name__ == "__main__":
    unittest.main()
