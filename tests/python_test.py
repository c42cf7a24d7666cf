"""The Python package on the library of this build, and the wheel that `pip install .` makes of it."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "support")]

try:
    import numpy as np
except ImportError:
    sys.exit(77)

import fjord
import wheel_backend
from adapter_files import write_image_adapter, write_image_encoder
from control_file import write_controlnet

SMALL = {"width": 32, "height": 32, "steps": 2, "seed": 7}


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.pipeline = fjord.Pipeline(ROOT / "weights" / "tiny", threads=1)

    def test_generate(self) -> None:
        steps = []
        result = self.pipeline.generate("lava", images=2, progress=lambda *now: steps.append(now), **SMALL)
        self.assertEqual(result.images.shape, (2, 32, 32, 3))
        self.assertEqual(result.images.dtype, np.uint8)
        self.assertEqual(result.latents.shape, (2, 4, 4, 4))
        self.assertEqual(steps, [(0, 2), (1, 2), (2, 2), (2, 2)])
        self.assertEqual(result.seed, 7)

    def test_same_picture_from_latents_embeddings_and_jobs(self) -> None:
        wanted = self.pipeline.generate("lava", **SMALL).images
        embeddings = self.pipeline.encode_prompt("lava")
        with tempfile.TemporaryDirectory() as folder:
            embeddings.save(pathlib.Path(folder) / "lava.safetensors")
            embeddings = fjord.Embeddings.load(pathlib.Path(folder) / "lava.safetensors")
        np.testing.assert_array_equal(self.pipeline.generate(embeddings, **SMALL).images, wanted)
        job = fjord.Queue().submit(self.pipeline, "lava", preview_every=1, **SMALL)
        np.testing.assert_array_equal(job.result().images, wanted)

    def test_jobs(self) -> None:
        queue = fjord.Queue(time_slices=True)
        job = queue.submit(self.pipeline, "lava", preview_every=1, **SMALL)
        cancelled = queue.submit(self.pipeline, "lava", priority=-1, **SMALL)
        self.assertEqual(job.status.state, "queued")
        cancelled.cancel()
        while queue.advance(5):
            pass
        self.assertEqual(job.status[:3], ("done", 2, 2))
        self.assertEqual(job.preview.shape, (4, 4, 4))
        with self.assertRaises(fjord.Error) as caught:
            cancelled.result()
        self.assertEqual(caught.exception.code, "cancelled")

    def test_errors(self) -> None:
        with self.assertRaisesRegex(fjord.Error, "steps must be from 1 to 1000, got -1") as caught:
            self.pipeline.generate("lava", steps=-1)
        self.assertEqual(caught.exception.code, "invalid_argument")
        with self.assertRaisesRegex(fjord.Error, "no field \"colour\""):
            self.pipeline.generate("lava", colour="red")
        with self.assertRaisesRegex(fjord.Error, "/no/such/model"):
            fjord.Pipeline("/no/such/model")
        with self.assertRaises(ZeroDivisionError):
            self.pipeline.generate("lava", progress=lambda *_: 1 / 0, **SMALL)
        with self.assertRaisesRegex(fjord.Error, "cancelled"):
            self.pipeline.generate("lava", progress=lambda *_: False, **SMALL)

    def test_starts_from_pictures(self) -> None:
        image = np.full((32, 32, 3), 90, np.uint8)
        mask = np.zeros((32, 32), np.uint8)
        mask[:16] = 255
        painted = self.pipeline.generate("lava", image=image, mask=mask, **SMALL).images[0]
        np.testing.assert_array_equal(painted[20:], image[20:])
        self.assertGreater(np.abs(painted[:12].astype(int) - 90).max(), 10)
        with self.assertRaisesRegex(fjord.Error, "uint8"):
            self.pipeline.generate("lava", image=image.astype(float), **SMALL)
        with self.assertRaisesRegex(fjord.Error, "uint8"):
            self.pipeline.generate("lava", image=image.tolist(), **SMALL)

    def test_adapters(self) -> None:
        plain = self.pipeline.generate("a <shiny> crown", **SMALL).images
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "word.safetensors"
            header = json.dumps({"emb_params": {"dtype": "F32", "shape": [1, 128], "data_offsets": [0, 512]}}).encode()
            path.write_bytes(struct.pack("<Q", len(header)) + header + np.full(128, 0.25, np.float32).tobytes())
            word = self.pipeline.load_embedding(path, "<shiny>")
            with self.assertRaisesRegex(fjord.Error, "textual inversion"):
                self.pipeline.load_adapter(path)
        self.assertFalse(np.array_equal(self.pipeline.generate("a <shiny> crown", adapters=[word], **SMALL).images, plain))
        with self.assertRaisesRegex(fjord.Error, "no strength"):
            self.pipeline.generate("a <shiny> crown", adapters=[(word, 0.5)], **SMALL)
        np.testing.assert_array_equal(self.pipeline.generate("a <shiny> crown", **SMALL).images, plain)

    def seen_with(self, **more) -> bytes:
        return self.pipeline.generate("lava", **SMALL, **more).images.tobytes()

    def test_controls(self) -> None:
        plain, picture = self.seen_with(), np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "net.safetensors"
            write_controlnet(ROOT / "weights" / "tiny" / "unet", path)
            control = self.pipeline.load_control(path)
        uses = (fjord.ControlUse(control, picture), fjord.ControlUse(control, picture, scale=0.5),
                fjord.ControlUse(control, picture, begin=0.5), fjord.ControlUse(control, picture, end=0.5))
        self.assertEqual(len({plain} | {self.seen_with(controls=[use]) for use in uses}), 5)
        job = fjord.Queue().submit(self.pipeline, "lava", controls=[uses[1]], **SMALL)
        self.assertEqual(job.result().images.tobytes(), self.seen_with(controls=[uses[1]]))
        self.assertGreater(self.pipeline.plan(width=32, height=32, controls=[uses[0]])["peak"], 0)
        for wrong, words in ((picture[..., 0], "a control's picture must be uint8 .height, width, 3., got uint8 .32, 32."),
                             (None, "needs a picture")):
            with self.assertRaisesRegex(fjord.Error, words):
                self.seen_with(controls=[fjord.ControlUse(control, wrong)])
        with self.assertRaisesRegex(fjord.Error, "scale must be above 0"):
            self.seen_with(controls=[fjord.ControlUse(control, picture, scale=0)])
        with self.assertRaises(fjord.Error) as caught:
            self.pipeline.load_control("/no/such/net")
        self.assertEqual(caught.exception.code, "not_found")
        self.assertEqual(self.seen_with(), plain)

    def test_image_prompts(self) -> None:
        plain, picture = self.seen_with(), np.arange(24 * 40 * 3, dtype=np.uint8).reshape(24, 40, 3)
        mask = np.zeros((24, 40), np.uint8)
        mask[:, :20] = 255
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_image_adapter(ROOT / "weights" / "tiny" / "unet", folder / "ip.safetensors")
            write_image_encoder(folder / "image_encoder")
            adapter = self.pipeline.load_image_adapter(folder / "ip.safetensors")
            self.pipeline.load_image_adapter(folder / "ip.safetensors", folder / "image_encoder")
        prompts = [fjord.ImagePrompt(adapter, [picture]), fjord.ImagePrompt(adapter, [picture], scale=0.5),
                   fjord.ImagePrompt(adapter, [picture, 255 - picture]), fjord.ImagePrompt(adapter, [picture], [mask]),
                   fjord.ImagePrompt(adapter, [picture], scale=0, layer_scales={"up_blocks.1": 1.0})]
        self.assertEqual(len({plain} | {self.seen_with(image_prompts=[prompt]) for prompt in prompts}), 6)
        self.assertEqual(self.seen_with(image_prompts=[prompts[0]._replace(scale=0)]), plain)
        for wrong, words in ((prompts[3]._replace(masks=[mask, mask]), "a mask for each of its 1 pictures, or none; got 2"),
                             (prompts[0]._replace(pictures=[picture.astype(float)]), "picture of an image prompt must be uint8"),
                             (prompts[0]._replace(pictures=[]), "picture")):
            with self.assertRaisesRegex(fjord.Error, words):
                self.seen_with(image_prompts=[wrong])

    def test_plan(self) -> None:
        plan = self.pipeline.plan(width=64, height=64)
        self.assertEqual(plan["peak"], plan["weights"] + max(plan["denoising"], plan["decoding"]))
        with self.assertRaisesRegex(fjord.Error, "memory_budget allows"):
            self.pipeline.plan(memory_budget=1000)

    def test_fields_by_name(self) -> None:
        self.assertEqual(fjord.request_fields()["approximation.merge_ratio"], "number")
        plain = self.pipeline.generate("lava", **SMALL).images
        merged = self.pipeline.generate("lava", approximation__merge_ratio=0.5, **SMALL).images
        self.assertFalse(np.array_equal(plain, merged))
        self.assertEqual(self.pipeline.info["steps"], 25)


class WheelTest(unittest.TestCase):
    def test_an_installed_wheel_works(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            name = wheel_backend.build_wheel(folder)
            with zipfile.ZipFile(pathlib.Path(folder) / name) as wheel:
                self.assertIn("fjord/py.typed", wheel.namelist())
                wheel.extractall(pathlib.Path(folder) / "site")
            code = f"import fjord; print(fjord.Pipeline({str(ROOT / 'weights' / 'tiny')!r}).info['kernels'])"
            environment = {k: v for k, v in os.environ.items() if k != "FJORD_LIBRARY"}
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                                  env=environment | {"PYTHONPATH": str(pathlib.Path(folder) / "site")})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotEqual(done.stdout.strip(), "")


if __name__ == "__main__":
    unittest.main()
