"""Control networks through the C interface, called by ctypes: loaded three ways, heard, taken out, and refused.

Environment: FJORD_LIBRARY.
"""

import ctypes
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from c_interface import BAD_HANDLE, INVALID_ARGUMENT, NOT_FOUND, OK, ROOT, UNSUPPORTED, LibraryTest
from control_file import write_controlnet

SIDE, CHANNELS = 32, 3


class Use(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("width", ctypes.c_int32), ("height", ctypes.c_int32),
                ("hide_painted", ctypes.c_int32), ("pixels", ctypes.c_void_p), ("scale", ctypes.c_double),
                ("begin", ctypes.c_double), ("end", ctypes.c_double)]


class File(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_char_p), ("size", ctypes.c_uint64)]


class ControlTest(LibraryTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.path = cls.folder / "net.safetensors"
        write_controlnet(ROOT / "weights/tiny/unet", cls.path)
        cls.pixels = bytes((i * 7) % 256 for i in range(SIDE * SIDE * CHANNELS))

    def use(self, **fields) -> Use:
        given = dict(width=SIDE, height=SIDE, pixels=ctypes.cast(self.pixels, ctypes.c_void_p)) | fields
        return Use(struct_size=ctypes.sizeof(Use), **given)

    def request(self) -> ctypes.c_uint64:
        return self.request_of(prompt="lava", width=SIDE, height=SIDE, steps=2, seed=7)

    def add(self, request, control, **fields) -> int:
        return self.library.fjord_request_add_control(request, control, ctypes.byref(self.use(**fields)))

    def picture(self, request) -> bytes:
        return self.picture_of(request, SIDE)

    def test_a_control_network_is_heard_and_taken_out(self) -> None:
        control = self.made("fjord_control_load", self.pipeline, os.fsencode(self.path))
        request = self.request()
        plain = self.picture(request)
        self.check(self.add(request, control), OK)
        self.check(self.library.fjord_control_free(control), OK)  # the request keeps it
        heard = self.picture(request)
        self.assertNotEqual(heard, plain)
        self.check(self.library.fjord_request_set(request, b"guess_mode", b"true"), OK)
        self.assertNotIn(self.picture(request), (heard, plain))
        self.check(self.library.fjord_request_clear_controls(request), OK)
        self.assertEqual(self.picture(request), plain)
        self.check(self.library.fjord_request_free(request), OK)

    def test_numbers_count(self) -> None:
        control = self.made("fjord_control_load", self.pipeline, os.fsencode(self.path))
        seen = set()
        for fields in ({}, dict(scale=0.5), dict(begin=0.5), dict(end=0.5)):
            request = self.request()
            self.check(self.add(request, control, **fields), OK)
            seen.add(self.picture(request))
        self.assertEqual(len(seen), 4)
        self.check(self.add(request, control, scale=-1.0), OK)
        handle = ctypes.c_uint64(0)
        self.check(self.library.fjord_generate(self.pipeline, request, None, None, ctypes.byref(handle)), INVALID_ARGUMENT,
                   "from 0 to 100, got -1")

    def test_files_in_memory(self) -> None:
        """A single file has no configuration, so one is written for it."""
        unet = (ROOT / "weights/tiny/unet/config.json").read_text()
        config = unet.replace("UNet2DConditionModel", "ControlNetModel")
        for field in ("center_input_sample", "sample_size", "out_channels", "attention_type", "dropout",
                      "dual_cross_attention", "cross_attention_norm", "mid_block_only_cross_attention",
                      "resnet_out_scale_factor", "resnet_skip_time_act"):
            config = config.replace(f'"{field}"', f'"_{field}"')
        config = config.replace('"_class_name"', '"conditioning_embedding_out_channels": [4, 4, 8, 8],\n"_class_name"', 1)
        contents = ((b"config.json", config.encode()),
                    (b"diffusion_pytorch_model.safetensors", self.path.read_bytes()))
        files = (File * 2)(*(File(name, data, len(data)) for name, data in contents))
        control = self.made("fjord_control_load_files", self.pipeline, files, ctypes.c_size_t(2))
        other = self.made("fjord_control_load", self.pipeline, os.fsencode(self.path))
        pictures = set()
        for each in (control, other):
            request = self.request()
            self.check(self.add(request, each), OK)
            pictures.add(self.picture(request))
        self.assertEqual(len(pictures), 1)

    def test_faults_give_their_code_and_sentence(self) -> None:
        library, handle = self.library, ctypes.c_uint64(0)
        load = lambda path: library.fjord_control_load(self.pipeline, path, ctypes.byref(handle))
        self.check(load(b"/nowhere/at/all"), NOT_FOUND)
        self.check(load(os.fsencode(ROOT / "weights/tiny")), UNSUPPORTED, "is a whole model")
        self.check(load(None), INVALID_ARGUMENT, "path must not be")
        self.check(library.fjord_control_load(self.pipeline, b"x", None), INVALID_ARGUMENT, "out must not be")
        request = self.request()
        self.check(library.fjord_control_load(request, os.fsencode(self.path), ctypes.byref(handle)), BAD_HANDLE, "a pipeline")
        self.check(self.add(request, self.pipeline), BAD_HANDLE, "a control network")
        control = self.made("fjord_control_load", self.pipeline, os.fsencode(self.path))
        self.check(self.add(request, control, width=0), INVALID_ARGUMENT, "0x32")
        self.check(self.add(request, control, pixels=None), OK)
        self.check(library.fjord_generate(self.pipeline, request, None, None, ctypes.byref(handle)), INVALID_ARGUMENT,
                   "needs a picture")
        self.assertEqual(handle.value, 0)
        self.check(library.fjord_control_free(control), OK)
        self.check(library.fjord_control_free(control), BAD_HANDLE, "freed")


if __name__ == "__main__":
    unittest.main()
