"""--lora, --embedding, --fuse-lora, --image-adapter and --image-prompt, their replay, and the examples, end to end as a shell
would run them.

Environment: as cli_test.py.
"""

import json
import pathlib
import subprocess
import sys
import unittest

import cli_test
from cli_test import EXAMPLE, MODEL, ROOT, size_and_pixels
from tasks_cli_test import write_png

sys.path.insert(0, str(ROOT / "tests/support"))
import adapter_files


class AdapterTest(cli_test.ProgramTest):
    def setUp(self):
        super().setUp()
        names = ("lora.safetensors", "word.safetensors", "ip.safetensors", "image_encoder", "like.png", "other.png", "mask.png")
        self.lora, self.word, self.adapter, self.encoder, self.like, self.other, self.mask = (self.folder / name for name in names)
        features = json.loads((MODEL / "text_encoder/config.json").read_text())["hidden_size"]
        adapter_files.write_lora(MODEL / "unet", self.lora)
        adapter_files.write_embedding(features, self.word)
        adapter_files.write_image_adapter(MODEL / "unet", self.adapter)
        adapter_files.write_image_encoder(self.encoder)
        write_png(self.like, 64, 64, 2, b"".join(bytes((x * 4, 90, 255 - x * 4)) for x in range(64)))
        write_png(self.other, 40, 64, 0, bytes(6 * x for x in range(40)))
        write_png(self.mask, 64, 64, 0, bytes(255 if x < 32 else 0 for x in range(64)))

    def assert_all_differ_and_replay(self, plain: tuple, rows: tuple) -> None:
        seen = {plain[2]}
        for count, arguments in enumerate(rows):
            with self.subTest(arguments=arguments):
                picture = self.picture(*arguments)
                seen.add(picture[2])
                self.assertEqual(len(seen), count + 2)
                done = self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn(b"is not the one", done.stderr)
                self.assertEqual(size_and_pixels(self.folder / "again.png"), picture)

    def test_loras_count_and_replay(self):
        self.assert_all_differ_and_replay(self.picture(), (
            ("--lora", self.lora), ("--lora", f"{self.lora}:0.4"), ("--lora", f"{self.lora}:0.7:0"),
            ("--lora", f"{self.lora}:0.2", "--lora", f"{self.lora}:0.3")))

    def test_a_fused_lora_is_nearly_the_same(self):
        beside, plain = self.picture("--lora", self.lora), self.picture()
        fused = self.picture("--lora", self.lora, "--fuse-lora")
        self.assertNotEqual(fused[2], plain[2])
        different = sum(a != b for a, b in zip(fused[2], beside[2]))
        self.assertLess(different, 0.05 * len(fused[2]))

    def test_embeddings_count_and_replay(self):
        prompt = dict(prompt="a gold ruby1 crown")
        plain = self.picture(**prompt)
        self.assertNotEqual(self.picture("--embedding", f"ruby1={self.word}", **prompt)[2], plain[2])
        done = self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "again.png"), size_and_pixels(self.folder / "a.png"))

    def test_image_prompts_count_and_replay(self):
        use = ("--image-adapter", self.adapter)
        self.assert_all_differ_and_replay(self.picture(), (
            (*use, "--image-prompt", self.like), (*use, "--image-prompt", f"{self.like}:0.5"),
            (*use, "--image-encoder", self.encoder, "--image-prompt", f"{self.like},{self.other}"),
            (*use, "--image-prompt", self.like, "--image-prompt-mask", self.mask),
            (*use, "--image-prompt", f"{self.like}:0", "--image-prompt-layers", "up_blocks.1=1"),
            (*use, "--image-prompt", self.like, "--image-prompt", f"{self.other}:0.4")))

    def test_replay_warns_of_another_file(self):
        self.picture("--image-adapter", self.adapter, "--image-prompt", self.like, "--lora", self.lora)
        write_png(self.like, 64, 64, 0, bytes(64))
        done = self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"like.png\" is not the one of the first time", done.stderr)
        self.lora.unlink()
        self.assertEqual(self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png").returncode, 66)

    def test_bad_files_are_one_sentence(self):
        use = ("--image-adapter", self.adapter)
        for code, word, arguments in (
                (66, "none", ("--lora", self.folder / "none")), (65, "from -100 to 100", ("--lora", f"{self.lora}:101")),
                (65, "IP-Adapter", ("--lora", self.adapter)), (65, "expected an IP-Adapter", ("--image-adapter", self.lora, "--image-prompt", self.like)),
                (64, "needs --image-adapter", ("--image-prompt", self.like)),
                (65, "no layer of the U-Net", (*use, "--image-prompt", self.like, "--image-prompt-layers", "up_blocks.9=1")),
                (66, "expected an image encoder", (*use, "--image-encoder", self.folder, "--image-prompt", self.like))):
            with self.subTest(arguments=arguments):
                done = self.txt2img(*arguments)
                errors = [line for line in done.stderr.decode().splitlines() if not line.startswith("{")]
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertEqual(len(errors), 1, done.stderr)
                self.assertIn(word, errors[0])
                self.assertFalse((self.folder / "a.png").exists())

    @unittest.skipUnless(EXAMPLE, "the examples were not built")
    def test_examples(self):
        folder, out = pathlib.Path(EXAMPLE).parent, self.folder / "e.png"
        for name, arguments in (("image_prompt", (MODEL, self.adapter, self.encoder, self.like, "0.5", "sand", out)),
                                ("lora", (MODEL, self.lora, "sand", self.folder / "e"))):
            done = subprocess.run([folder / name, *arguments], capture_output=True, timeout=600)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(subprocess.run([folder / name], capture_output=True).returncode, 64)
            self.assertEqual(subprocess.run([folder / name, "none", *arguments[1:]], capture_output=True).returncode, 1)
        self.assertTrue(out.exists())
        self.assertNotEqual(size_and_pixels(self.folder / "e-whole.png"), size_and_pixels(self.folder / "e-without.png"))


if __name__ == "__main__":
    unittest.main()
