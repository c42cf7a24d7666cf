"""The order of the recipe, and that it goes on where it stopped."""

import json
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import recipe  # noqa: E402
import run  # noqa: E402


class RecipeTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.work = pathlib.Path(temporary.name)
        self.called = []

    def finish(self, words: list) -> None:
        """Stands for run.main: notes the call, and leaves what the stage would leave."""
        self.called.append(words)
        stage = next(s for s in recipe.stages(self.work) if not recipe.is_done(self.work, s))
        result = self.work / stage.result
        result.parent.mkdir(parents=True, exist_ok=True)
        result.touch()
        self.progress(stage, stage.steps)

    def progress(self, stage, steps: int) -> None:
        folder = recipe.run_folder(self.work, stage)
        folder.mkdir(exist_ok=True)
        (folder / "state.pt").touch()
        (folder / "progress.json").write_text(json.dumps({"step": steps}))

    def test_every_stage_is_done_once_and_in_order(self):
        recipe.go_on(self.work, 0, ["--seed", "3"], self.finish)
        self.assertEqual([words[0] for words in self.called],
                         ["data", "vae", "tokenizer", "data", "data", "denoiser", "data", "denoiser", "export", "classifier"])
        self.assertEqual(self.called[1][-4:], ["--seed", "3", "--from", str(recipe.stages(self.work)[1].start)])
        recipe.go_on(self.work, 0, [], self.fail)

    def test_a_stopped_training_is_resumed_and_nothing_comes_after_it(self):
        first, vae = recipe.stages(self.work)[:2]
        self.finish([])
        self.progress(vae, vae.steps // 2)
        (self.work / vae.result).mkdir()
        calls = []
        recipe.go_on(self.work, 10, [], calls.append)
        self.assertEqual(len(calls), 1)
        self.assertEqual((calls[0][0], calls[0][-1]), ("vae", "--resume"))
        self.assertIn("--minutes", calls[0])
        self.assertNotIn("--from", calls[0])


class ParseTest(unittest.TestCase):
    def test_options_after_two_dashes_are_for_what_is_called(self):
        _, options = run.parse(["all", "w", "--minutes", "3", "--", "--threads", "2"])
        self.assertEqual((options.work, options.minutes, options.rest), (pathlib.Path("w"), 3., ["--threads", "2"]))
        self.assertEqual(run.parse(["all", "w"])[1].rest, [])


if __name__ == "__main__":
    unittest.main()
