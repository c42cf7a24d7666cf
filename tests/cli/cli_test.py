"""The fjord program and the example, end to end, as a shell would run them; model: weights/tiny.

Environment: FJORD_PROGRAM, FJORD_EXAMPLE (may be empty), FJORD_SANITIZE (1: slower, so fewer steps).
"""

import json
import os
import pathlib
import pty
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "weights/tiny"
PROGRAM = os.path.abspath(os.environ["FJORD_PROGRAM"])
EXAMPLE = os.environ.get("FJORD_EXAMPLE", "")
STEPS = "2" if os.environ.get("FJORD_SANITIZE") == "1" else "4"
SCHEDULERS = ("DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler")

APPROXIMATIONS = (("--guidance-interval", "0.5,1"), ("--guidance-every", "2"), ("--cache-interval", "2"),
                  ("--cache-interval", "2", "--cache-branch", "2"), ("--text-gate", "0.5"), ("--merge-ratio", "0.5"))


def chunks(data: bytes) -> list:
    """The chunks of a PNG file as (type, content); checks signature, lengths and checksums."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG signature"
    out, at = [], 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + length]
        checksum, = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        assert checksum == zlib.crc32(kind + content), f"wrong checksum in {kind}"
        out.append((kind, content))
        at += 12 + length
    assert out[-1][0] == b"IEND"
    return out


def size_and_pixels(path: pathlib.Path) -> tuple:
    """Width, height and the packed scan lines, which are equal exactly when the pixels and their filters are."""
    parts = chunks(path.read_bytes())
    width, height, depth, colour = struct.unpack(">IIBB", parts[0][1][:10])
    assert (depth, colour) == (8, 2), "expected 8-bit RGB"
    lines = zlib.decompress(b"".join(content for kind, content in parts if kind == b"IDAT"))
    assert len(lines) == height * (1 + 3 * width)
    return width, height, lines


def texts(path: pathlib.Path) -> dict:
    """Keyword -> text of the tEXt and uncompressed or compressed iTXt chunks."""
    out = {}
    for kind, content in chunks(path.read_bytes()):
        if kind == b"tEXt":
            key, value = content.split(b"\0", 1)
            out[key.decode()] = value.decode("latin-1")
        elif kind == b"iTXt":
            key, rest = content.split(b"\0", 1)
            packed, (_, _, value) = rest[0], rest[2:].split(b"\0", 2)
            out[key.decode()] = (zlib.decompress(value) if packed else value).decode()
    return out


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="fjord test \u00fc ")
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)

    def run_program(self, *arguments, **options) -> subprocess.CompletedProcess:
        command = [PROGRAM, *map(os.fsencode, map(str, arguments))]
        return subprocess.run(command, capture_output=True, timeout=600, **options)

    def txt2img(self, *arguments, prompt="a gold crown on red cloth", out="a.png") -> subprocess.CompletedProcess:
        """A small picture; `arguments` replace the usual options of the same name."""
        usual = {"--model": MODEL, "--prompt": prompt, "--steps": STEPS, "--width": 64, "--height": 64, "--threads": 1,
                 "--out": self.folder / out}
        kept = [word for name, value in usual.items() if name not in arguments for word in (name, value)]
        return self.run_program("txt2img", *kept, *arguments)

    def picture(self, *arguments, out="a.png", **options) -> tuple:
        """Makes a picture that must succeed."""
        done = self.txt2img(*arguments, out=out, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return size_and_pixels(self.folder / out)

    def assert_fails(self, done, code: int, *words: str) -> None:
        """The documented code, one sentence on stderr with these words, and nothing left in the folder."""
        errors = [line for line in done.stderr.decode().splitlines() if not line.startswith("{")]
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertTrue(errors[0].startswith("fjord: "), errors[0])
        for word in words:
            self.assertIn(word, errors[0])
        self.assertEqual([path for path in self.folder.iterdir() if path.suffix in (".png", ".tmp")], [])


class Txt2ImgTest(ProgramTest):
    def test_same_request_same_bytes_and_another_seed_another_picture(self):
        first = self.picture("--seed", 1)
        data = (self.folder / "a.png").read_bytes()
        self.assertEqual(first[:2], (64, 64))
        self.picture("--seed", 1)
        self.assertEqual((self.folder / "a.png").read_bytes(), data)
        self.assertNotEqual(self.picture("--seed", 2)[2], first[2])

    def test_size_and_steps_default_from_the_model(self):
        done = self.run_program("txt2img", "--model", MODEL, "--prompt", "grass", "--out", self.folder / "a.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "a.png")[:2], (128, 128))
        self.assertIn("Steps: 25", texts(self.folder / "a.png")["parameters"])

    def test_every_option_changes_the_picture(self):
        plain = self.picture()[2]
        for arguments in (("--negative", "red"), ("--guidance", "9"), ("--guidance-rescale", "0.9"),
                          ("--dtype", "bfloat16"), ("--scheduler", "DDPMScheduler"), ("--scheduler-option", "timestep_spacing=trailing"),
                          ("--scheduler-option", "eta=1"), ("--timesteps", "900,500,100"), *APPROXIMATIONS):
            with self.subTest(arguments=arguments):
                self.assertNotEqual(self.picture(*arguments)[2], plain)
        self.assertEqual(self.picture("--width", 72, "--height", 40)[:2], (72, 40))

    def test_every_scheduler_works_by_name(self):
        pictures = {self.picture("--scheduler", name)[2] for name in SCHEDULERS}
        self.assertGreaterEqual(len(pictures), 3)  # singlestep and multistep may agree on few steps

    def test_several_images_are_numbered(self):
        self.assertEqual(self.txt2img("--images", 2).returncode, 0)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["a-1.png", "a-2.png"])
        self.assertNotEqual(size_and_pixels(self.folder / "a-1.png"), size_and_pixels(self.folder / "a-2.png"))

    def test_latents_out_are_a_safetensors_file_and_noise_comes_in(self):
        latents = self.folder / "l.safetensors"
        self.picture("--save-latents", latents)
        length, = struct.unpack("<Q", latents.read_bytes()[:8])
        header = json.loads(latents.read_bytes()[8:8 + length])
        self.assertEqual([entry["shape"] for key, entry in header.items() if key != "__metadata__"], [[1, 4, 8, 8]])
        first = self.picture("--latents", latents, "--seed", 1)[2]
        self.assertEqual(self.picture("--latents", latents, "--seed", 9)[2], first)

    def test_names_with_blanks_and_prompts_of_any_text(self):
        for number, prompt in enumerate(("", "\u5c71 \U0001f451 e\u0301", 'a "quoted"\nline\\', "x" * 65536)):
            with self.subTest(prompt=prompt[:20]):
                out = f"picture {number} \u00e9.png"
                first = self.picture(prompt=prompt, out=out) if len(prompt) < 100000 else None
                done = self.run_program("replay", self.folder / out, "--out", self.folder / "again.png")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(size_and_pixels(self.folder / "again.png"), first)


class ProgressTest(ProgramTest):
    def test_json_lines(self):
        done = self.txt2img("--progress", "json")
        lines = [json.loads(line) for line in (done.stdout or done.stderr).splitlines()]
        steps = [line["step"] for line in lines if line["phase"] == "denoise"]
        self.assertEqual(lines[0]["phase"], "load")
        self.assertEqual(steps, sorted(steps))
        self.assertEqual(steps[-1], int(STEPS))
        self.assertEqual(lines[-1]["phase"], "done")
        self.assertEqual(lines[-1]["files"], [str(self.folder / "a.png")])

    def test_none_says_nothing_on_stderr(self):
        self.assertEqual(self.txt2img("--progress", "none").stderr, b"")

    def test_bar_on_a_terminal(self):
        screen, terminal = pty.openpty()
        command = [PROGRAM, "txt2img", "--model", str(MODEL), "--prompt", "a", "--steps", STEPS,
                   "--out", str(self.folder / "a.png")]
        child = subprocess.Popen(command, stdout=terminal, stderr=terminal, stdin=terminal)
        os.close(terminal)
        text = b""
        while True:
            try:
                part = os.read(screen, 65536)
            except OSError:  # the last writer is gone
                break
            if not part:
                break
            text += part
        os.close(screen)
        self.assertEqual(child.wait(60), 0)
        self.assertIn(f"denoise {STEPS}/{STEPS} [#".encode(), text)


class MetadataTest(ProgramTest):
    def test_parameters_are_in_the_picture_and_replay_repeats_it(self):
        first = self.picture("--seed", 18446744073709551615, "--negative", "blue", "--guidance", "5.5",
                             "--scheduler", "DDPMScheduler")
        found = texts(self.folder / "a.png")
        for words in ("a gold crown on red cloth\nNegative prompt: blue", f"Steps: {STEPS}", "CFG scale: 5.5",
                      "Seed: 18446744073709551615", "Size: 64x64"):
            self.assertIn(words, found["parameters"])
        self.assertIn("a gold crown on red cloth", json.dumps(json.loads(found["fjord"])))
        done = self.run_program("replay", self.folder / "a.png", cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "a-replay.png"), first)

    def test_replay_repeats_approximations(self):
        options = [word for pair in APPROXIMATIONS[3:] for word in pair]
        first = self.picture("--guidance-interval", "0.1,0.9", "--guidance-every", 3, *options)
        record = json.loads(texts(self.folder / "a.png")["fjord"])["request"]["approximation"]
        self.assertEqual(record, dict(guidance_begin=0.1, guidance_end=0.9, guidance_every=3, cache_interval=2,
                                      cache_branch=2, text_gate=0.5, merge_ratio=0.5))
        done = self.run_program("replay", self.folder / "a.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "a-replay.png"), first)

    def test_replay_repeats_guidance_and_sigmas(self):
        first = self.picture("--guidance-schedule", "6,2", "--mimic-scale", 3, "--mimic-percentile", 0.9,
                             "--pag-scale", 2, "--pag-layers", "mid,up", "--freeu", "0.9,0.2,1.2,1.4",
                             "--scheduler", "EulerDiscreteScheduler", "--sigmas", "14,1,0.2,0",
                             "--heat-maps", self.folder / "heat.png")
        record = json.loads(texts(self.folder / "a.png")["fjord"])["request"]
        self.assertEqual(record["guidance_options"]["schedule"], [6, 2])
        self.assertEqual(record["guidance_options"]["perturbed_layers"], "mid,up")
        self.assertEqual(record["sigmas"], [14, 1, 0.2, 0])
        words = [path.stem for path in sorted(self.folder.glob("heat-*.png"))]
        self.assertEqual(words, ["heat-01-a", "heat-02-gold", "heat-03-crown", "heat-04-on", "heat-05-red",
                                 "heat-06-cloth"])
        done = self.run_program("replay", self.folder / "a.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(self.folder / "a-replay.png"), first)

    def test_options_of_prompts_and_presets_count_and_replay(self):
        prompt = "a (gold:1.6) crown, " * 9 + "red cloth"  # longer than a text encoder reads at once
        seen = {self.picture(prompt=prompt)[2]}
        for count, arguments in enumerate((("--prompt-syntax", "a1111"), ("--prompt-syntax", "comfyui"), ("--clip-skip", 1),
                                           ("--noise-source", "cuda"), ("--rounding", "truncate"),
                                           ("--preset", "a1111"), ("--preset", "comfyui"), ("--denoising-range", "0,0.5"),
                                           ("--scheduler", "EulerDiscreteScheduler", "--sigma-grid", "a1111"))):
            with self.subTest(arguments=arguments):
                first = self.picture(*arguments, prompt=prompt)
                seen.add(first[2])
                self.assertEqual(len(seen), count + 2)
                done = self.run_program("replay", self.folder / "a.png", "--out", self.folder / "again.png")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(size_and_pixels(self.folder / "again.png"), first)

    def test_replay_refuses_what_it_cannot_repeat(self):
        self.assert_fails(self.run_program("replay", self.folder / "none.png"), 66, "none.png")
        self.assert_fails(self.run_program("replay", ROOT / "README.md"), 65, "not a PNG")
        self.assert_fails(self.run_program("replay", ROOT / "docs/images/contact-sheet.png"), 65, "no parameters")
        self.picture()
        data = (self.folder / "a.png").read_bytes()
        (self.folder / "a.png").unlink()
        (self.folder / "cut.data").write_bytes(data[:len(data) // 2])
        self.assert_fails(self.run_program("replay", self.folder / "cut.data"), 65)


class BadInputTest(ProgramTest):
    def test_wrong_command_lines(self):
        for arguments in ((), ("paint", ), ("txt2img", ), ("txt2img", "--prompt", "a", "--bogus"),
                          ("txt2img", "--prompt", "a", "--steps", "many"), ("inspect", ),
                          ("txt2img", "--prompt", "a", "--progress", "loud"),
                          ("txt2img", "--prompt", "a", "--guidance-interval", "0.5")):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.run_program(*arguments), 64, "")

    def test_parameters_out_of_range(self):
        for option, value, word in (
                ("--width", "7", "width"), ("--height", "100000", "height"), ("--steps", "0", "steps"),
                ("--steps", "1001", "steps"), ("--guidance", "nan", "guidance"), ("--guidance", "-1", "guidance"),
                ("--guidance-rescale", "2", "guidance"), ("--scheduler", "Foo", "Foo"), ("--images", "0", "images"),
                ("--scheduler-option", "foo=1", "foo"), ("--scheduler-option", "steps_offset=x", "steps_offset"),
                ("--timesteps", "1,2", "timesteps"), ("--dtype", "float16", "float16"),
                ("--device", "cuda:99x", "cuda:99x"), ("--guidance-interval", "0.5,0.2", "guidance interval"),
                ("--guidance-interval", "-1,1", "guidance interval"), ("--guidance-every", "0", "guidance-every"),
                ("--cache-interval", "1001", "cache_interval"), ("--cache-branch", "6", "cache_branch"),
                ("--cache-branch", "-1", "cache-branch"), ("--text-gate", "0", "text_gate"),
                ("--merge-ratio", "0.8", "merge_ratio"), ("--merge-ratio", "nan", "merge_ratio")):
            with self.subTest(option=option, value=value):
                self.assert_fails(self.txt2img(option, value), 65, word)
        self.assert_fails(self.txt2img(prompt="x" * 70000), 65, "65536")
        self.assert_fails(self.run_program("txt2img", "--model", MODEL, "--prompt", os.fsdecode(b"\xff\xfe"), "--out",
                                           self.folder / "a.png"), 65, "UTF-8")

    def test_missing_files(self):
        self.assert_fails(self.txt2img("--model", self.folder / "none"), 66, "none")
        self.assert_fails(self.txt2img("--latents", self.folder / "none"), 66, "none")
        self.assert_fails(self.run_program("inspect", self.folder / "none"), 66, "none")

    def test_absent_device(self):
        if "cuda:0" in self.run_program("doctor").stdout.decode():
            self.skipTest("there is a GPU")
        self.assert_fails(self.txt2img("--device", "cuda"), 69, "cuda")

    def test_unwritable_output(self):
        self.assert_fails(self.txt2img(out="none/a.png"), 73, "none/a.png")
        self.assert_fails(self.txt2img("--out", "/dev/full"), 73, "/dev/full")
        self.assert_fails(self.txt2img("--out", self.folder), 73)

    def test_broken_models(self):
        broken = self.folder / "model"
        subprocess.run(["cp", "-r", MODEL, broken], check=True)
        weights = broken / "unet/diffusion_pytorch_model.safetensors"
        data = weights.read_bytes()
        weights.write_bytes(data[:-100])
        self.assert_fails(self.txt2img("--model", broken), 65, "diffusion_pytorch_model.safetensors")
        weights.write_bytes(b"\xff" * 16)
        self.assert_fails(self.txt2img("--model", broken), 65, "diffusion_pytorch_model.safetensors")
        weights.write_bytes(data)
        config = broken / "unet/config.json"
        text = config.read_text()
        config.write_text(text[:50])
        self.assert_fails(self.txt2img("--model", broken), 65, "config.json")
        config.write_text(text.replace('"cross_attention_dim": 128', '"cross_attention_dim": 64'))
        self.assert_fails(self.txt2img("--model", broken), 65, "attn2.to_k.weight")

    def test_a_failure_leaves_the_old_picture(self):
        self.picture()
        before = (self.folder / "a.png").read_bytes()
        self.assertEqual(self.txt2img("--latents", self.folder / "none").returncode, 66)
        self.assertEqual((self.folder / "a.png").read_bytes(), before)


class InterruptTest(ProgramTest):
    def interrupt(self, which: int) -> None:
        command = [PROGRAM, "txt2img", "--model", str(MODEL), "--prompt", "a", "--steps", "900",
                   "--width", "256", "--height", "256", "--progress", "json", "--out", str(self.folder / "a.png")]
        child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(2)
        child.send_signal(which)
        stdout, stderr = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, stderr)
        self.assertIn(b"cancelled after", stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_ctrl_c(self):
        self.interrupt(signal.SIGINT)

    def test_terminate(self):
        self.interrupt(signal.SIGTERM)

    def test_a_reader_that_leaves_early(self):
        child = subprocess.Popen([PROGRAM, "inspect", str(MODEL)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.close()
        self.assertNotIn(b"terminate", child.stderr.read())
        child.stderr.close()
        self.assertIn(child.wait(60), (0, 73))


class TellingTest(ProgramTest):
    def test_help_names_every_option_and_exit_code(self):
        text = self.run_program("txt2img", "--help").stdout.decode()
        for name in ("model", "prompt", "negative", "width", "height", "steps", "guidance", "guidance-rescale", "seed",
                     "scheduler", "scheduler-option", "images", "dtype", "device", "threads", "out", "save-latents",
                     "latents", "progress", "guidance-interval", "guidance-every", "cache-interval", "cache-branch",
                     "text-gate", "merge-ratio"):
            self.assertIn(f"--{name} ", text)
        table = self.run_program("--help").stdout.decode()
        for code in (0, 64, 65, 66, 69, 70, 73, 75, 130):
            self.assertRegex(table, rf"(?m)^ +{code}  \w")

    def test_inspect_shows_configurations_and_tensors(self):
        folder = self.run_program("inspect", MODEL).stdout.decode()
        for words in ("StableDiffusionPipeline", "unet", "v_prediction", "cross_attention_dim"):
            self.assertIn(words, folder)
        file = self.run_program("inspect", MODEL / "unet/diffusion_pytorch_model.safetensors", "--tensors").stdout.decode()
        self.assertRegex(file, r"conv_in\.weight +F16  \[64, 4, 3, 3\]")
        report = json.loads(self.run_program("inspect", MODEL, "--json").stdout)
        self.assertIn("unet", json.dumps(report))
        self.assert_fails(self.run_program("inspect", ROOT / "README.md"), 65, "README.md")

    def test_vae_tiling_changes_large_pictures_a_little(self):
        whole = self.picture("--steps", 1, "--width", 160, "--height", 144)
        tiled = self.picture("--steps", 1, "--width", 160, "--height", 144, "--vae-tiling")
        self.assertEqual(whole[:2], tiled[:2])
        self.assertNotEqual(whole[2], tiled[2])

    def test_quantize_writes_models_that_draw(self):
        exact = self.picture(out="exact.png")
        sizes = []
        for bits in ("8", "4"):
            folder = self.folder / f"int{bits}"
            done = self.run_program("quantize", MODEL, folder, "--bits", bits, "--keep", "none", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertGreater(report["quantized"], 50)
            self.assertLess(report["bytes_after"], report["bytes_before"])
            sizes.append(report["bytes_after"])
            for kernels in ((), ("--cpu-kernels", "reference")):
                rounded = self.picture("--model", folder, *kernels, out="rounded.png")
                self.assertEqual(rounded[:2], exact[:2])
                self.assertNotEqual(rounded[2], exact[2])
        self.assertLess(sizes[1], 0.6 * sizes[0])

    def test_quantize_refuses(self):
        self.assert_fails(self.run_program("quantize", MODEL, self.folder / "x", "--inputs", "int4"), 64, "--inputs")
        self.assert_fails(self.run_program("quantize", MODEL, self.folder / "x", "--bits", "5"), 64, "--bits")
        both = self.run_program("quantize", MODEL, self.folder / "x", "--bits", "4", "--inputs", "int8")
        self.assert_fails(both, 65, "inputs are rounded only with weights of 8 bits")
        self.assert_fails(self.run_program("quantize", self.folder / "none", self.folder / "x"), 66, "none")
        (self.folder / "there").mkdir()
        done = self.run_program("quantize", MODEL, self.folder / "there")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"exists already", done.stderr)

    def test_cpu_kernels_are_chosen_by_name(self):
        plain, other = self.picture("--cpu-kernels", "reference"), self.picture("--cpu-kernels", "baseline")
        self.assertEqual(len(plain[2]), len(other[2]))
        self.assertEqual(json.loads(texts(self.folder / "a.png")["fjord"])["kernels"], "baseline")

    def test_without_its_text_encoder_the_picture_is_the_same(self):
        self.assertEqual(self.picture("--drop-text-encoder"), self.picture(out="b.png"))

    def test_unknown_cpu_kernels(self):
        self.assert_fails(self.txt2img("--cpu-kernels", "sse9"), 65, "CPU kernels", "baseline", "sse9")

    def test_doctor_says_versions_and_devices(self):
        text = self.run_program("doctor").stdout.decode()
        for words in ("fjord", "LibTorch", "OpenMP", "devices", "cuda"):
            self.assertIn(words, text)

    def test_doctor_chooses_attention(self):
        doctor = ("doctor", "--attention", "--model", MODEL, "--gpu", "sm_90")
        text = self.run_program(*doctor).stdout.decode()
        self.assertIn("unet.mid_block.attentions.0.transformer_blocks.0.attn2", text)
        self.assertIn("not cudnn:", text)
        layers = json.loads(self.run_program(*doctor, "--size", "256x128", "--json").stdout)
        self.assertEqual(layers[0]["queries"], 2 * json.loads(self.run_program(*doctor, "--json").stdout)[0]["queries"])
        self.assert_fails(self.run_program(*doctor[:-1], "fast"), 65, "sm_90", "fast")
        self.assert_fails(self.run_program(*doctor, "--size", "256"), 64, "WIDTHxHEIGHT")

    @unittest.skipUnless(EXAMPLE, "the examples were not built")
    def test_example(self):
        out = self.folder / "e.png"
        done = subprocess.run([EXAMPLE, MODEL, "a gold crown on red cloth", out], capture_output=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_and_pixels(out)[:2], (128, 128))
        self.assertEqual(subprocess.run([EXAMPLE], capture_output=True).returncode, 64)
        self.assertEqual(subprocess.run([EXAMPLE, "none", "a", out], capture_output=True).returncode, 1)


if __name__ == "__main__":
    unittest.main()
