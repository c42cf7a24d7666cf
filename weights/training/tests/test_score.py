"""The scorer: what it reads, and what it measures."""

import argparse
import contextlib
import dataclasses
import io
import pathlib
import sys
import tempfile
import unittest

import numpy as np
import torch
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from loop import Settings  # noqa: E402
from rendering.captions import full_caption  # noqa: E402
from rendering.render import render, sample, to_bytes  # noqa: E402
from rendering.scene import Scene, draw_scene  # noqa: E402
from score import attributes, classifier, control, measures, program, reconstruction, sweep, train  # noqa: E402


class AttributeTest(unittest.TestCase):
    def test_labels_name_what_is_in_the_scene(self):
        rng = np.random.default_rng(1)
        for scene in (draw_scene(rng) for _ in range(200)):
            for name, index in zip(attributes.ATTRIBUTES, attributes.labels(scene)):
                value = attributes.ATTRIBUTES[name][index] if index >= 0 else ""
                self.assertEqual(value, getattr(scene, name))

    def test_colours_are_not_asked_of_a_sketch(self):
        scene = Scene("object", object="gem", object_colour="red", background_colour="blue", style="sketch")
        found = dict(zip(attributes.ATTRIBUTES, attributes.labels(scene)))
        self.assertEqual((found["object_colour"], found["background_colour"]), (attributes.NONE, attributes.NONE))
        self.assertEqual(attributes.ATTRIBUTES["style"][found["style"]], "sketch")
        self.assertGreaterEqual(found["object"], 0)


class ClassifierTest(unittest.TestCase):
    def test_shares_count_only_what_is_asked(self):
        width = len(attributes.ATTRIBUTES)
        wanted = np.full((2, width), attributes.NONE)
        wanted[:, 0] = (0, 1)  # a material, an object
        wanted[0, 1], wanted[1, 4] = 3, 2
        found = np.zeros((2, width), int)
        found[:, 0] = (0, 1)
        found[0, 1], found[1, 4] = 3, 9
        shares = classifier.shares(found, wanted)
        self.assertEqual(shares["attributes"], .75)
        self.assertEqual(shares["pictures"], .5)
        self.assertEqual((shares["pictures: material"], shares["pictures: object"]), (1., 0.))
        self.assertEqual((shares["attribute: material"], shares["attribute: object"]), (1., 0.))

    def test_it_takes_pictures_of_any_size(self):
        torch.manual_seed(0)
        model = classifier.Classifier().eval()
        self.assertEqual(model.features(torch.zeros(1, 3, 256, 256)).shape, (1, classifier.FEATURES))

    def test_it_learns(self):
        torch.set_num_threads(1)
        drawn = [sample(seed, 64) for seed in range(48)]
        images = np.array([picture for picture, _, _ in drawn])
        wanted = torch.tensor([attributes.labels(scene) for _, _, scene in drawn])
        torch.manual_seed(0)
        model = classifier.Classifier()
        with tempfile.TemporaryDirectory() as folder:
            train.train(model, [images], wanted, Settings(2e-3, 24, warm_up=2), pathlib.Path(folder))
        found, features = classifier.read(model, [train.to_batch(images)])
        self.assertEqual(features.shape, (48, classifier.FEATURES))
        kinds = (found[:, 0] == wanted[:, 0].numpy()).mean()
        self.assertGreater(kinds, .5)  # guessing gives about a third


class MeasureTest(unittest.TestCase):
    def test_distance_of_gaussians_is_as_in_closed_form(self):
        rng = np.random.default_rng(0)
        features = rng.normal(size=(4000, 3))
        features = (features - features.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(features, rowvar=False))).T
        self.assertAlmostEqual(measures.frechet_distance(features, features), 0, places=9)
        # Means differ by (3, 0, 0), deviations by a factor 2 in all three: 9 + 3 (2 - 1)^2.
        self.assertAlmostEqual(measures.frechet_distance(features, features * 2 + [3, 0, 0]), 12, places=9)

    def test_saturation(self):
        gray, red = np.full((1, 4, 4, 3), 80, np.uint8), np.zeros((1, 4, 4, 3), np.uint8)
        red[..., 0] = 255
        self.assertEqual((measures.saturation(gray), measures.saturation(red)), (0., 1.))

    def test_seams_of_tiles_and_of_cut_pictures(self):
        tile = to_bytes(render(Scene("material", material="water", material_colour="blue"), 1, 128))
        self.assertLess(measures.seam_error(tile), 1.1)
        self.assertGreater(measures.seam_error(tile[:100, :100]), 1.5)

    def test_blockiness_is_one_for_noise_and_more_for_blocks(self):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        self.assertAlmostEqual(measures.blockiness(noise), 1, delta=.1)
        blocks = noise[::8, ::8].repeat(8, 0).repeat(8, 1) // 2 + noise // 8
        self.assertGreater(measures.blockiness(blocks), 2)


class SweepTest(unittest.TestCase):
    def test_settings_are_named_once_and_cover_what_is_claimed(self):
        settings = sweep.scheduler_settings() | sweep.guidance_settings()
        for name in ("DDPM, 1000 steps", "DDIM, 50 steps", "DPM-Solver++, 20 steps", "guidance 7", "guidance 6, rescale 0.7"):
            self.assertIn(name, settings)
        self.assertEqual(len({tuple(arguments) for arguments in settings.values()}), len(settings))

    def options(self, folder: pathlib.Path, **more) -> argparse.Namespace:
        torch.save(classifier.Classifier().state_dict(), folder / "classifier.pt")
        program_file = folder / "program"  # stands for fjord: notes its arguments, and copies a picture to --out
        Image.fromarray(sample(1, 32)[0]).save(folder / "picture.png")
        program_file.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n[ "$1" = quantize ] && exit 0\n'
                                f'while [ "$1" != --out ]; do shift; done\ncp {folder}/picture.png "$2"\n')
        program_file.chmod(0o755)
        given = dict(program=program_file, model=folder, count=6, out=folder / "out.jsonl", sheets=None, old=False, only="", loras=None)
        return argparse.Namespace(classifier=folder / "classifier.pt", **(given | more))

    def run_quietly(self, options) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            sweep.run(options)

    def test_a_sweep_goes_on_where_it_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            options = self.options(pathlib.Path(folder), sweep="guidance", only="guidance 7")
            self.run_quietly(options)
            first = options.out.read_text()
            self.run_quietly(options)
            self.assertEqual(options.out.read_text(), first)
            self.assertEqual(len(first.splitlines()), 3)

    def test_a_sweep_makes_the_models_it_needs_and_shows_pictures(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.run_quietly(self.options(folder, sweep="quantization", only="int8 weights only", sheets=folder / "sheets"))
            calls = (folder / "calls").read_text().splitlines()
            made, *pictures = [line.split() for line in calls]
            self.assertEqual((made[:2], made[3:]), (["quantize", name], ["--inputs", "unchanged"]))
            self.assertEqual({words[2] for words in pictures}, {made[2]})
            with Image.open(folder / "sheets/int8-weights-only.png") as sheet:
                self.assertEqual(sheet.size, (3 * 32, 2 * 32))

    def test_loras_are_tried_alone_and_in_pairs(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file in ("ink-kohya", "chalk-kohya", "chalk-peft"):
                (folder / f"{file}.safetensors").touch()
            settings = sweep.lora_settings(folder)
        self.assertEqual(list(settings), ["no LoRA", "chalk", "ink", "chalk and ink"])
        self.assertEqual(settings["chalk and ink"][4:], ["--lora", f"{name}/chalk-kohya.safetensors",
                                                         "--lora", f"{name}/ink-kohya.safetensors"])


class ControlTest(unittest.TestCase):
    def test_overlap_of_lines(self):
        line = np.zeros((32, 32), bool)
        line[16] = True
        self.assertEqual(control.overlap(line, line), 1)
        self.assertEqual(control.overlap(line, np.roll(line, 1, 0)), 1)
        self.assertEqual(control.overlap(line, np.roll(line, 3, 0)), 0)
        half = line.copy()
        half[:, 16:] = False  # met by all of its own 16 pixels, and by 17 of the line's 32
        self.assertAlmostEqual(control.overlap(line, half), (33 / 48) / (2 - 33 / 48))

    def test_overlaps_hand_the_map_to_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            program_file = pathlib.Path(folder) / "program"  # stands for fjord: its picture is the map, which must be --control's
            program_file.write_text('#!/bin/sh\nfor word; do case $word in *=*.png) map=${word#*=};; esac; done\n'
                                    'while [ "$1" != --out ]; do shift; done\ncp "$map" "$2"\n')
            program_file.chmod(0o755)
            options = argparse.Namespace(program=program_file, model=folder)
            scene = Scene("object", object="gem", object_colour="red", background_colour="white")
            found = control.overlaps(options, [(1, scene)], ["--control", "net={map}"])
        self.assertGreater(found[0], .3)  # both sides of every line of the map are edges, most of them a pixel away


class ProgramTest(unittest.TestCase):
    def test_old_scenes_are_those_of_the_first_edition(self):
        for _, scene in program.scenes_to_draw(60, old=True):
            self.assertIn(scene.object, {"", *program.OLD_OBJECTS})
            self.assertFalse(scene.light or scene.style)
            self.assertTrue(full_caption(scene))

    def test_styled_scenes_are_the_plain_ones_in_that_style(self):
        plain = [scene for _, scene in program.scenes_to_draw(60) if not scene.style and not scene.light]
        styled = [scene for _, scene in program.scenes_to_draw(len(plain), style="sketch")]
        for one, other in zip(plain, styled):
            self.assertEqual(dataclasses.replace(one, style="sketch"), other)
            self.assertIn("sketch", full_caption(other))

    def test_renders_score_against_themselves(self):
        torch.manual_seed(0)
        scenes = program.scenes_to_draw(12)
        pictures = [to_bytes(render(scene, [seed, 2], 64)) for seed, scene in scenes]
        scores = program.score(classifier.Classifier().eval(), pictures, pictures, [scene for _, scene in scenes])
        self.assertAlmostEqual(scores["distance"], 0, places=3)
        self.assertEqual(scores["saturation"], scores["saturation of renders"])
        self.assertEqual(scores["sample"], 12)

    def test_psnr(self):
        first = np.zeros((1, 8, 8, 3), np.uint8)
        self.assertAlmostEqual(reconstruction.psnr(first, first + 1)[0], 48.1308, places=3)


if __name__ == "__main__":
    unittest.main()
