"""--control, --inpaint-control, --guess-mode, their replay, and the example, end to end as a shell would run them.

Environment: as cli_test.py.
"""

import pathlib
import subprocess
import sys
import unittest

import cli_test
from cli_test import EXAMPLE, MODEL, ROOT, STEPS, size_and_pixels
from tasks_cli_test import write_png

sys.path.insert(0, str(ROOT / "tests/support"))
from control_file import write_controlnet


class ControlTest(cli_test.ProgramTest):
    def setUp(self):
        super().setUp()
        self.net, self.seen, self.mask = (self.folder / name for name in ("net.safetensors", "seen.png", "mask.png"))
        write_controlnet(MODEL / "unet", self.net)
        write_png(self.seen, 64, 64, 2, b"".join(bytes((x * 4, 90, 255 - x * 4)) for x in range(64)))
        write_png(self.mask, 64, 64, 0, bytes(255 if 16 <= x < 40 else 0 for x in range(64)))

    def use(self, numbers: str = "") -> str:
        return f"{self.net}={self.seen}{numbers}"

    def run_task(self, task: str, *arguments) -> subprocess.CompletedProcess:
        return self.run_program(task, "--model", MODEL, "--prompt", "a blue potion on sand", "--steps", STEPS, "--threads", 1,
                                "--out", self.folder / "b.png", *arguments)

    def assert_replays(self, name: str, picture: tuple) -> None:
        done = self.run_program("replay", self.folder / name, "--out", self.folder / "again.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"is not the one", done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "again.png"), picture)

    def test_every_number_counts_and_replays(self):
        seen = {self.picture()[2]}
        for count, arguments in enumerate((("--control", self.use()), ("--control", self.use(":0.5")),
                                           ("--control", self.use(":1:0.5:1")), ("--control", self.use(":1:0:0.5")),
                                           ("--control", self.use(), "--guess-mode"),
                                           ("--control", self.use(), "--control", self.use(":0.3")))):
            with self.subTest(arguments=arguments):
                picture = self.picture(*arguments)
                seen.add(picture[2])
                self.assertEqual(len(seen), count + 2)
                self.assert_replays("a.png", picture)

    def test_pictures_to_start_from_and_masks(self):
        image, mask = ("--image", self.seen), ("--mask", self.mask)
        for task, arguments in (("img2img", (*image, "--control", self.use(":0.8"))),
                                ("inpaint", (*image, *mask, "--control", self.use())),
                                ("inpaint", (*image, *mask, "--inpaint-control", f"{self.net}:0.9:0:0.8"))):
            with self.subTest(task=task, arguments=arguments):
                done = self.run_task(task, *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"warning: ", done.stderr)  # what a single file does not say
                self.assert_replays("b.png", size_and_pixels(self.folder / "b.png"))

    def test_replay_warns_of_another_network_and_another_picture(self):
        self.picture("--control", self.use())
        write_png(self.seen, 64, 64, 0, bytes(64))
        done = self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"seen.png\" is not the one of the first time", done.stderr)
        self.net.unlink()
        done = self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png")
        self.assertEqual(done.returncode, 66, done.stderr)

    def test_bad_controls_are_one_sentence(self):
        unet = MODEL / "unet/diffusion_pytorch_model.safetensors"
        for code, word, arguments in (
                (64, "expected MODEL=PICTURE.png", ("--control", self.net)),
                (64, "expected MODEL=PICTURE.png", ("--control", f"{self.net}=")),
                (64, "got two numbers", ("--control", self.use(":1:0"))),
                (65, "must be from 0 to 100, got 101", ("--control", self.use(":101"))),
                (65, "not backwards", ("--control", self.use(":1:0.8:0.2"))),
                (66, "none.png", ("--control", f"{self.net}={self.folder / 'none.png'}")),
                (66, "there is no", ("--control", f"{self.folder / 'none'}={self.seen}"))):
            with self.subTest(arguments=arguments):
                done = self.txt2img(*arguments)
                errors = [line for line in done.stderr.decode().splitlines()
                          if not line.startswith(("{", "fjord: warning"))]
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertEqual(len(errors), 1, done.stderr)
                self.assertIn(word, errors[0])
        done = self.txt2img("--control", f"{unet}={self.seen}")
        self.assertIn(b"is a U-Net; expected a ControlNet", done.stderr)

    @unittest.skipUnless(EXAMPLE, "the examples were not built")
    def test_example(self):
        example, out = pathlib.Path(EXAMPLE).parent / "controlnet", self.folder / "e.png"
        done = subprocess.run([example, MODEL, self.net, self.seen, "sand", out], capture_output=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(out)[:2], (64, 64))
        self.assertEqual(subprocess.run([example], capture_output=True).returncode, 64)
        self.assertEqual(subprocess.run([example, MODEL, "none", self.seen, "sand", out], capture_output=True).returncode, 1)


if __name__ == "__main__":
    unittest.main()
