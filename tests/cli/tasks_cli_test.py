"""fjord img2img and fjord inpaint, their replay, and their examples, end to end as a shell would run them.

Environment: as cli_test.py.
"""

import pathlib
import shutil
import struct
import subprocess
import unittest
import zlib

import cli_test
from cli_test import EXAMPLE, MODEL, STEPS, size_and_pixels, texts


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path: pathlib.Path, width: int, height: int, colour: int, row: bytes) -> None:
    """A picture of equal rows."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress((b"\0" + row) * height))
                     + chunk(b"IEND", b""))


def pixel_rows(path: pathlib.Path) -> list:
    """The rows of an 8-bit RGB picture without their filters (PNG specification, section 9)."""
    width, height, lines = size_and_pixels(path)
    stride, above, rows = 3 * width, bytes(3 * width), []
    for y in range(height):
        kind, line = lines[y * (stride + 1)], bytearray(lines[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            left, up, corner = (line[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
            nearest = min((left, up, corner), key=lambda v: abs(left + up - corner - v))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, nearest)[kind]) & 255
        rows.append(bytes(line))
        above = rows[-1]
    return rows


class TaskTest(cli_test.ProgramTest):
    def setUp(self):
        super().setUp()
        self.source, self.mask = self.folder / "in.png", self.folder / "mask.png"
        write_png(self.source, 64, 48, 2, b"".join(bytes((x * 4, 90, 255 - x * 4)) for x in range(64)))
        write_png(self.mask, 64, 48, 0, bytes(255 if 16 <= x < 40 else 0 for x in range(64)))

    def run_task(self, task: str, *arguments, out="a.png") -> subprocess.CompletedProcess:
        return self.run_program(task, "--model", MODEL, "--prompt", "a blue potion on sand", "--steps", STEPS, "--threads", 1,
                                "--out", self.folder / out, *arguments)

    def made(self, task: str, *arguments, out="a.png") -> tuple:
        done = self.run_task(task, *arguments, out=out)
        self.assertEqual(done.returncode, 0, done.stderr)
        return size_and_pixels(self.folder / out)

    def assert_no_picture(self, done, code: int, *words: str) -> None:
        errors = [line for line in done.stderr.decode().splitlines() if not line.startswith("{")]
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(errors), 1, done.stderr)
        for word in words:
            self.assertIn(word, errors[0])
        self.assertFalse((self.folder / "a.png").exists())

    def assert_replays(self) -> None:
        done = self.run_program("replay", self.folder / "a.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"warning", done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "a-replay.png"), size_and_pixels(self.folder / "a.png"))

    def test_img2img_replays_and_every_option_counts(self):
        plain = self.made("img2img", "--image", self.source, "--strength", 0.8)
        self.assertEqual(plain[:2], (64, 48))
        self.assertIn("Denoising strength: 0.8", texts(self.folder / "a.png")["parameters"])
        self.assert_replays()
        for arguments in (("--strength", 0.6), ("--width", 48, "--fit", "crop"), ("--width", 48, "--fit", "fill"),
                          ("--seamless", "x"), ("--variation-strength", 0.5, "--variation-seed", 7), ("--hires", 1.5)):
            with self.subTest(arguments=arguments):
                self.assertNotEqual(self.made("img2img", "--image", self.source, *arguments), plain)
                self.assert_replays()

    def test_a_batch_of_pictures(self):
        self.made("txt2img", "--width", 64, "--height", 48, out="other.png")
        done = self.run_task("img2img", "--image", self.source, "--image", self.folder / "other.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(size_and_pixels(self.folder / "a-1.png"), size_and_pixels(self.folder / "a-2.png"))
        done = self.run_program("replay", self.folder / "a-2.png", "--out", self.folder / "b.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "b.png"), size_and_pixels(self.folder / "a-2.png"))

    def test_inpaint_leaves_what_the_mask_leaves_and_replays(self):
        seen = set()
        for arguments in ((), ("--region", "native", "--padding", 8), ("--region", "fitted", "--padding", 4), ("--grow", 3),
                          ("--match-colors",), ("--strength", 0.5)):
            with self.subTest(arguments=arguments):
                seen.add(self.made("inpaint", "--image", self.source, "--mask", self.mask, *arguments)[2])
                self.assert_replays()
                for new, old in zip(pixel_rows(self.folder / "a.png"), pixel_rows(self.source)):
                    self.assertEqual((new[:3 * 13], new[3 * 43:]), (old[:3 * 13], old[3 * 43:]))
        self.assertEqual(len(seen), 6)

    def test_outpaint_grows_the_picture_around_the_old_one(self):
        self.assertEqual(self.made("inpaint", "--image", self.source, "--extend", "8,4,20,0", "--region", "native")[:2], (92, 52))
        self.assert_replays()
        for new, old in zip(pixel_rows(self.folder / "a.png")[4:], pixel_rows(self.source)):
            self.assertEqual(new[3 * 8:3 * 72], old)

    def test_soft_masks_and_erased_ones(self):
        erased = self.folder / "erased.png"
        write_png(erased, 64, 48, 6, b"".join(bytes((9, 9, 9, 0 if 16 <= x < 40 else 255)) for x in range(64)))
        by_luma = self.made("inpaint", "--image", self.source, "--mask", self.mask)
        self.assertEqual(self.made("inpaint", "--image", self.source, "--mask", erased, "--mask-from", "erased"), by_luma)
        self.assert_replays()
        self.assertEqual(self.made("inpaint", "--image", self.source, "--mask", self.mask, "--soft"), by_luma)
        self.assertNotEqual(self.made("inpaint", "--image", self.source, "--mask", self.mask, "--outside", "repaint"), by_luma)

    def test_replay_warns_of_another_picture_and_misses_a_lost_one(self):
        self.made("img2img", "--image", self.source)
        shutil.copy(self.source, self.folder / "kept.png")
        write_png(self.source, 64, 48, 0, bytes(64))
        self.assertIn(b"is not the one of the first time", self.run_program("replay", self.folder / "a.png").stderr)
        self.source.unlink()
        self.assertEqual(self.run_program("replay", self.folder / "a.png").returncode, 66)
        done = self.run_program("replay", self.folder / "a.png", "--image", self.folder / "kept.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "a-replay.png"), size_and_pixels(self.folder / "a.png"))

    def test_bad_inputs_are_one_sentence(self):
        image, mask = ("--image", self.source), ("--mask", self.mask)
        broken, text = self.folder / "broken.png", self.folder / "text.png"
        broken.write_bytes(self.source.read_bytes()[:-20])
        text.write_text("no picture")
        small = self.folder / "small.png"
        write_png(small, 8, 8, 0, bytes(8))
        for task, code, word, arguments in (
                ("img2img", 64, "--image is required", ()), ("inpaint", 64, "--image is required", mask),
                ("inpaint", 64, "--mask or --extend", image), ("img2img", 65, "strength must be", (*image, "--strength", "nan")),
                ("img2img", 65, "leaves none", (*image, "--strength", "0.01")),
                ("img2img", 64, "--fit: expected", (*image, "--fit", "cut")),
                ("inpaint", 64, "LEFT,TOP,RIGHT,BOTTOM", (*image, "--extend", "1,2")),
                ("inpaint", 64, "whole numbers", (*image, "--extend", "1,2,3,4.5")),
                ("inpaint", 65, "nothing is painted", (*image, *mask, "--mask-from", "erased")),
                ("inpaint", 65, "picture's size, 64x48, got 8x8", (*image, "--mask", small)),
                ("txt2img", 64, "--seamless: expected", ("--seamless", "z")), ("txt2img", 65, "hires.scale", ("--hires", "99")),
                ("img2img", 66, "there is no file", ("--image", self.folder / "none.png")),
                ("img2img", 65, "is damaged", ("--image", broken)), ("img2img", 65, "is not a PNG file", ("--image", text))):
            with self.subTest(task=task, arguments=arguments):
                self.assert_no_picture(self.run_task(task, *arguments), code, word)

    @unittest.skipUnless(EXAMPLE, "the examples were not built")
    def test_examples(self):
        folder, out = pathlib.Path(EXAMPLE).parent, self.folder / "e.png"
        for name, arguments in (("img2img", (MODEL, self.source, "sand", "0.5", out)),
                                ("inpaint", (MODEL, self.source, self.mask, "sand", out))):
            done = subprocess.run([folder / name, *arguments], capture_output=True, timeout=600)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(size_and_pixels(out)[:2], (64, 48))
            self.assertEqual(subprocess.run([folder / name], capture_output=True).returncode, 64)
            self.assertEqual(subprocess.run([folder / name, "none", *arguments[1:]], capture_output=True).returncode, 1)


if __name__ == "__main__":
    unittest.main()
