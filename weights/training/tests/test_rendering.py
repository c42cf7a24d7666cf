"""Pictures and captions are part of the recipe: weights are trained on exactly these."""

import hashlib
import pathlib
import sys
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import write_golden  # noqa: E402
from rendering import captions, filters, landscapes, looks, materials  # noqa: E402
from rendering.objects import OBJECTS  # noqa: E402
from rendering.pixels import RGB, Grid  # noqa: E402
from rendering.render import render, sample, to_bytes  # noqa: E402
from rendering.scene import LIGHTS, STYLES, Scene, clash, draw_scene  # noqa: E402

GOLDEN_CAPTIONS = "497cd0f5b83d99c3e6e2e59e3593d2541dd95f5b400ce2f78458cd31f4e6ba40"


def random_scenes(seed: int, count: int) -> list:
    rng = np.random.default_rng(seed)
    return [draw_scene(rng) for _ in range(count)]


def small_picture(scene: Scene, seed: int = 1) -> np.ndarray:
    return render(scene, seed, 32)


class SceneTest(unittest.TestCase):
    def test_the_grammar_is_as_large_as_it_says(self):
        self.assertEqual(len(OBJECTS), 48)
        self.assertEqual(len(materials.MATERIALS), 28)

    def test_everything_occurs(self):
        drawn = random_scenes(5, 8000)
        for attribute, values in (("kind", {"material", "object", "two objects", "landscape"}), ("object", {*OBJECTS, ""}),
                                  ("material", {*materials.MATERIALS, ""}), ("light", set(LIGHTS)), ("style", set(STYLES)),
                                  ("terrain", {*landscapes.TERRAINS, ""}), ("time", {*landscapes.TIMES, ""}),
                                  ("second_object", {*OBJECTS, ""}), ("weathering", {"", *materials.WEATHERINGS})):
            self.assertEqual({getattr(scene, attribute) for scene in drawn}, values)

    def test_objects_differ_from_what_they_lie_on(self):
        for scene in random_scenes(6, 2000):
            for name in (scene.object_colour, scene.second_colour):
                self.assertFalse(name and clash(name, scene.background_colour), scene)


class CaptionTest(unittest.TestCase):
    def test_captions_are_the_recipes(self):
        words = "\n".join(captions.caption(np.random.default_rng(i), scene) for i, scene in enumerate(random_scenes(7, 500)))
        self.assertEqual(hashlib.sha256(words.encode()).hexdigest(), GOLDEN_CAPTIONS)

    def test_full_caption_states_every_attribute(self):
        for scene in random_scenes(3, 1000):
            words = captions.full_caption(scene)
            light = "glowing" if scene.light == "glow" else scene.light
            usual = materials.MATERIALS[scene.background_material].colours[0] if scene.background_material else ""
            behind = scene.background_colour if scene.background_colour != usual else ""
            for value in (scene.weathering, scene.material_colour, scene.object, scene.object_colour, scene.second_object,
                          scene.second_colour, behind, scene.size, light, scene.style):
                self.assertIn(value, words)

    def test_captions_name_no_other_colour(self):
        spoken = {word: name for name, words in captions.COLOUR_WORDS.items() for word in words} | {name: name for name in RGB}
        rng = np.random.default_rng(4)
        for scene in random_scenes(4, 1000):
            said = {spoken[word] for word in captions.caption(rng, scene).replace(",", "").split() if word in spoken}
            if scene.kind != "landscape":  # "under an orange sky"
                self.assertLessEqual(said, {scene.material_colour, scene.object_colour, scene.second_colour,
                                            scene.background_colour})

    def test_captions_use_only_words_of_the_grammar(self):
        known, rng = captions.words_of_grammar(), np.random.default_rng(8)
        for scene in random_scenes(8, 2000):
            self.assertLessEqual(set(captions.caption(rng, scene).replace(",", " , ").split()), known)

    def test_left_and_right_are_as_painted(self):
        scene = Scene("two objects", object="gem", object_colour="red", second_object="key", second_colour="blue",
                      background_colour="white")
        said = {captions.caption(np.random.default_rng(seed), scene) for seed in range(200)}
        self.assertTrue(any("red gem to the left of a blue key" in words for words in said))
        self.assertTrue(any("blue key to the right of a red gem" in words for words in said))
        picture = render(scene, 1, 64)
        self.assertGreater(picture[16:48, :32, 0].mean() - picture[16:48, :32, 2].mean(), .02)
        self.assertGreater(picture[16:48, 32:, 2].mean() - picture[16:48, 32:, 0].mean(), .02)


class PictureTest(unittest.TestCase):
    def test_pictures_equal_the_stored_ones(self):
        """Another release of Pillow or of a math library may round otherwise; a changed recipe differs by far more."""
        golden = np.load(HERE / "golden.npy")
        for seed in range(0, write_golden.COUNT, 2):
            self.assertLessEqual(np.abs(write_golden.means(seed) - golden[seed]).max(), .51, seed)

    def test_the_same_seed_gives_the_same_picture(self):
        for seed in (1, 2, 3):
            self.assertTrue(np.array_equal(sample(seed, 64)[0], sample(seed, 64)[0]))

    def test_the_same_seed_gives_the_same_scene_at_every_size(self):
        for seed in range(12):
            small, large = (sample(seed, size)[0].astype(np.float32) for size in (64, 128))
            halved = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
            coarse = [picture.reshape(8, 8, 8, 8, 3).mean((1, 3)) for picture in (small, halved)]
            self.assertLess(np.abs(coarse[0] - coarse[1]).mean(), 6, seed)

    def test_materials_tile(self):
        """A seam would be an edge: differences across the border are no larger than those inside."""
        for name, material in materials.MATERIALS.items():
            for weathering in ("", *(w for w, known in materials.WEATHERINGS.items() if name in known)):
                with self.subTest(material=name, weathering=weathering):
                    for seed in (1, 2):
                        grid = Grid(128, np.random.default_rng(seed))
                        picture = materials.draw_material(grid, name, material.colours[0], weathering)
                        for axis in (0, 1):
                            inside = np.abs(np.diff(picture, axis=axis)).mean((1 - axis, 2)).max()
                            across = np.abs(picture.take(0, axis) - picture.take(-1, axis)).mean()
                            self.assertLessEqual(across, inside * 1.2 + .01)

    def test_every_object_is_painted_in_its_colour(self):
        for name, thing in OBJECTS.items():
            red, blue = (small_picture(Scene("object", object=name, object_colour=colour_name, background_colour="gray"))
                         for colour_name in ("red", "blue"))
            self.assertGreater((red - blue)[..., 0].mean(), .008, name)
            self.assertGreater((blue - red)[..., 2].mean(), .008, name)
            self.assertLessEqual(set(thing.colours), set(RGB))

    def test_pictures_are_finite_and_in_range(self):
        for seed, scene in enumerate(random_scenes(9, 150)):
            picture = render(scene, seed, 32)
            self.assertEqual((picture.shape, picture.dtype), ((32, 32, 3), np.float32))
            self.assertTrue(np.isfinite(picture).all(), scene)
            self.assertTrue(0 <= picture.min() and picture.max() <= 1, scene)

    def test_objects_stay_in_the_picture(self):
        """A large object on white leaves a white border, but for the shadow and the outermost pixels."""
        for name in OBJECTS:
            scene = Scene("object", object=name, object_colour="red", background_colour="white", size="large")
            border = np.concatenate([small_picture(scene)[:1].reshape(-1, 3), small_picture(scene)[:, :1].reshape(-1, 3)])
            self.assertLess((border.max(1) < .35).mean(), .12, name)


class LookTest(unittest.TestCase):
    def test_pixel_art_has_few_colours_in_squares(self):
        picture = to_bytes(render(Scene("object", object="cat", object_colour="orange", background_colour="teal",
                                        style="pixel art"), 1, 128))
        squares = picture.reshape(32, 4, 32, 4, 3)
        self.assertTrue((squares == squares[:, :1, :, :1]).all())
        self.assertLessEqual(len(np.unique(picture.reshape(-1, 3), axis=0)), looks.PIXEL_ART_COLOURS)

    def test_lights_change_brightness_and_colour(self):
        scene = {"kind": "object", "object": "gem", "object_colour": "red", "background_colour": "gray"}
        plain, moon, candle, spot = (small_picture(Scene(**scene, light=light)) for light in
                                     ("", "moonlight", "candlelight", "spotlight"))
        self.assertGreater(moon[..., 2].mean() / moon[..., 0].mean(), 1.2 * plain[..., 2].mean() / plain[..., 0].mean())
        self.assertGreater(candle[..., 0].mean() / candle[..., 2].mean(), 1.2 * plain[..., 0].mean() / plain[..., 2].mean())
        self.assertLess(spot[0, 0].mean(), .5 * plain[0, 0].mean())

    def test_filters_keep_shape_and_range_and_change_the_picture(self):
        scene = Scene("landscape", terrain="hills", time="day")
        plain = small_picture(scene)
        for name in filters.FILTERS:
            scene.style = name
            seen = small_picture(scene)
            self.assertEqual((seen.shape, seen.dtype), (plain.shape, np.float32))
            self.assertTrue(0 <= seen.min() and seen.max() <= 1, name)
            self.assertGreater(np.abs(seen - plain).mean(), .04, name)
        self.assertLess(np.ptp(seen, axis=2).mean(), .1)  # a sketch, the last, has hardly any colour


if __name__ == "__main__":
    unittest.main()
