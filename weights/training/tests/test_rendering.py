"""Pictures and captions are part of the recipe: the shipped weights were trained on exactly these."""

import hashlib
import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rendering import materials, scenes  # noqa: E402
from rendering.pixels import COLOURS, RGB, SIZE  # noqa: E402

GOLDEN_COUNT = 60
GOLDEN_CAPTIONS = "b5489abaa39ab4f27b3b23eb0b6e5cce6dc1f8cdf80a521b10001877893093a9"


class CaptionTest(unittest.TestCase):
    def test_captions_are_the_recipes(self):
        captions = "\n".join(scenes.sample(seed)[1] for seed in range(GOLDEN_COUNT))
        self.assertEqual(hashlib.sha256(captions.encode()).hexdigest(), GOLDEN_CAPTIONS)

    def test_full_caption_states_every_attribute(self):
        rng = np.random.default_rng(3)
        for _ in range(500):
            scene = scenes.draw_scene(rng)
            words = scenes.full_caption(scene)
            for value in (scene.weathering, scene.material_colour, scene.object, scene.object_colour, scene.second_object,
                          scene.second_colour, scene.background_colour, scene.size):
                self.assertIn(value, words)

    def test_captions_use_only_words_of_the_scene(self):
        rng = np.random.default_rng(4)
        for _ in range(500):
            scene = scenes.draw_scene(rng)
            said = set(scenes.caption(rng, scene).split())
            allowed = {scene.material_colour, scene.object_colour, scene.second_colour, scene.background_colour}
            # Words of phrases such as "under an orange sky" are not colours of things.
            if scene.kind != "landscape" and not scene.background_material and scene.material not in ("checker", ):
                self.assertLessEqual(said & set(RGB), allowed, said)

    def test_all_kinds_and_every_word_of_the_vocabulary_occur(self):
        rng = np.random.default_rng(5)
        drawn = [scenes.draw_scene(rng) for _ in range(4000)]
        self.assertEqual({scene.kind for scene in drawn}, {"material", "object", "two objects", "landscape"})
        self.assertEqual({scene.object for scene in drawn} - {""}, set(scenes.OBJECTS))
        self.assertEqual({scene.material for scene in drawn} - {""}, set(materials.MATERIALS))


class PictureTest(unittest.TestCase):
    def test_pictures_equal_the_stored_ones(self):
        """tests/golden.npy holds means over squares of 8x8 pixels of the first pictures, as the weights saw them."""
        golden = np.load(pathlib.Path(__file__).parent / "golden.npy")
        for seed, expected in enumerate(golden):
            picture = scenes.sample(seed)[0].astype(np.float64)
            means = picture.reshape(16, SIZE // 16, 16, SIZE // 16, 3).mean((1, 3))
            self.assertLessEqual(np.abs(means - expected).max(), .51, seed)

    def test_the_same_seed_gives_the_same_picture(self):
        for seed in (1, 2, 3):
            self.assertTrue(np.array_equal(scenes.sample(seed)[0], scenes.sample(seed)[0]))

    def test_materials_tile(self):
        """A seam would be an edge: differences across the border are no larger than those inside."""
        for name in materials.MATERIALS:
            for weathering in ("", *(w for w, known in materials.WEATHERINGS.items() if name in known)):
                with self.subTest(material=name, weathering=weathering):
                    colour_name = materials.MATERIALS[name].colours[0]
                    picture = materials.draw_material(np.random.default_rng(1), name, colour_name, weathering)
                    inside = np.abs(np.diff(picture, axis=1)).mean((0, 2)).max()
                    across = np.abs(picture[:, 0] - picture[:, -1]).mean()
                    self.assertLessEqual(across, inside * 1.2 + .01)

    def test_every_object_is_painted_in_its_colour(self):
        for name, colours in scenes.OBJECTS.items():
            red, blue = (scenes.Scene("object", object=name, object_colour=colour_name, background_colour="gray")
                         for colour_name in ("red", "blue"))
            means = [scenes.render(np.random.default_rng(1), scene).mean((0, 1)) for scene in (red, blue)]
            self.assertGreater(means[0][0] - means[1][0], .01, name)
            self.assertGreater(means[1][2] - means[0][2], .01, name)
            self.assertTrue(set(colours) <= set(COLOURS) | {"gold", "silver"})


if __name__ == "__main__":
    unittest.main()
