"""Options that say where a model's parts come from, and fjord convert, as a shell would run them; model: weights/tiny.

Environment: FJORD_PROGRAM.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "weights/tiny"
PROGRAM = os.path.abspath(os.environ["FJORD_PROGRAM"])
SMALL = ("txt2img", "--prompt", "a red gem", "--steps", "2", "--width", "64", "--height", "64")
PICTURE = (*SMALL, "--model", str(MODEL))


class ModelFilesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name: str) -> str:
        return str(pathlib.Path(self.folder.name) / name)

    def fjord(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess:
        run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=600)
        self.assertEqual(run.returncode, code, run.stderr)
        return run

    def test_parts_from_elsewhere_survive_a_replay(self) -> None:
        vae, tokenizer = str(MODEL / "vae"), str(MODEL / "tokenizer")
        options = ("--vae", vae, "--tokenizer", tokenizer, "--prediction-type", "epsilon")
        self.fjord(*PICTURE, *options, "--out", self.path("a.png"))
        self.fjord(*PICTURE, "--out", self.path("plain.png"))
        self.fjord("replay", self.path("a.png"), "--out", self.path("b.png"))
        first, again, plain = (pathlib.Path(self.path(name)).read_bytes() for name in ("a.png", "b.png", "plain.png"))
        self.assertEqual(first, again)
        self.assertNotEqual(first, plain)

    def test_what_is_wrong_is_said_in_one_sentence(self) -> None:
        pathlib.Path(self.path("model.ckpt")).write_bytes(b"\x80\x02}q\x00" + bytes(100))
        for arguments, code, sentence in (
            ((*PICTURE, "--vae", "/no/such/vae"), 66, "cannot read"),
            ((*PICTURE, "--variant", "fp16"), 66, "no part of the model has weights of the variant"),
            ((*PICTURE, "--prediction-type", "noise"), 65, "prediction_type must be"),
            ((*PICTURE, "--zero-terminal-snr", "maybe"), 64, "--zero-terminal-snr must be yes or no"),
            ((*SMALL, "--model", self.path("model.ckpt")), 65, "a Python pickle"),
        ):
            run = self.fjord(*arguments, "--out", self.path("a.png"), code=code)
            self.assertIn(sentence, run.stderr)
            errors = [line for line in run.stderr.splitlines() if not line.startswith("{")]
            self.assertEqual(len(errors), 1, run.stderr)

    def test_inspect_says_why_a_file_is_no_model(self) -> None:
        weights = MODEL / "unet/diffusion_pytorch_model.safetensors"
        report = json.loads(self.fjord("inspect", str(weights), "--json").stdout)
        self.assertEqual(report["kind"], "safetensors file")
        self.assertIn("a U-Net alone", report["parts"][0]["facts"]["no whole model"])

    def test_convert_refuses_what_the_original_layout_cannot_say(self) -> None:
        run = self.fjord("convert", str(MODEL), self.path("out.safetensors"), code=65)
        self.assertIn("attention_head_dim", run.stderr)
        self.assertEqual(os.listdir(self.folder.name), [])


if __name__ == "__main__":
    unittest.main()
