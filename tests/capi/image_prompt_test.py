"""Image prompts through the C interface, called by ctypes: loaded, heard, taken out, and refused.

Environment: FJORD_LIBRARY.
"""

import ctypes
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from adapter_files import write_image_adapter, write_image_encoder
from c_interface import BAD_HANDLE, INVALID_ARGUMENT, NOT_FOUND, OK, ROOT, LibraryTest

SIDE = 32


class Pixels(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32)]


class LayerScale(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("scale", ctypes.c_double)]


class Prompt(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("count", ctypes.c_int32), ("pictures", ctypes.POINTER(Pixels)),
                ("masks", ctypes.POINTER(Pixels)), ("scale", ctypes.c_double), ("layer_scales", ctypes.POINTER(LayerScale)),
                ("layer_count", ctypes.c_int32), ("reserved", ctypes.c_int32)]


class ImagePromptTest(LibraryTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.path = cls.folder / "ip.safetensors"
        write_image_adapter(ROOT / "weights/tiny/unet", cls.path)
        write_image_encoder(cls.folder / "image_encoder")
        cls.adapter = cls.made("fjord_image_adapter_load", cls.pipeline, os.fsencode(cls.path), None)
        cls.bytes = [bytes((i * step) % 256 for i in range(3 * SIDE * SIDE)) for step in (7, 5)]
        cls.mask = bytes(255 if i % SIDE < SIDE // 2 else 0 for i in range(SIDE * SIDE))

    def pixels(self, *data: bytes) -> ctypes.Array:
        return (Pixels * len(data))(*(Pixels(ctypes.cast(each, ctypes.c_void_p), SIDE, SIDE) for each in data))

    def prompt(self, count: int = 1, **fields) -> Prompt:
        return Prompt(struct_size=ctypes.sizeof(Prompt), count=count, **(dict(pictures=self.pixels(*self.bytes)) | fields))

    def request(self) -> ctypes.c_uint64:
        return self.request_of(prompt="a crown", width=64, height=64, steps=2, seed=3)

    def picture(self, request: ctypes.c_uint64) -> bytes:
        return self.picture_of(request, 64)

    def with_prompt(self, prompt: Prompt) -> bytes:
        request = self.request()
        self.check(self.library.fjord_request_add_image_prompt(request, self.adapter, ctypes.byref(prompt)), OK)
        return self.picture(request)

    def test_everything_is_heard_and_taken_out(self) -> None:
        plain = self.picture(self.request())
        layers = (LayerScale * 1)(LayerScale(b"up_blocks.1", 1.0))
        seen = {plain} | {self.with_prompt(prompt) for prompt in (
            self.prompt(), self.prompt(scale=0.5), self.prompt(count=2), self.prompt(masks=self.pixels(self.mask)),
            self.prompt(layer_scales=layers, layer_count=1))}
        self.assertEqual(len(seen), 6)
        request = self.request()
        self.check(self.library.fjord_request_add_image_prompt(request, self.adapter, ctypes.byref(self.prompt())), OK)
        self.check(self.library.fjord_request_clear_image_prompts(request), OK)
        self.assertEqual(self.picture(request), plain)

    def test_a_request_keeps_its_adapter(self) -> None:
        adapter, request = self.made("fjord_image_adapter_load", self.pipeline, os.fsencode(self.path), None), self.request()
        self.check(self.library.fjord_request_add_image_prompt(request, adapter, ctypes.byref(self.prompt())), OK)
        self.check(self.library.fjord_image_adapter_free(adapter), OK)
        self.check(self.library.fjord_image_adapter_free(adapter), BAD_HANDLE)
        self.assertEqual(self.picture(request), self.with_prompt(self.prompt()))

    def test_refusals(self) -> None:
        load, out = self.library.fjord_image_adapter_load, ctypes.c_uint64(7)
        self.check(load(self.pipeline, None, None, ctypes.byref(out)), INVALID_ARGUMENT, "path")
        self.check(load(self.pipeline, b"none", None, ctypes.byref(out)), NOT_FOUND, "none")
        self.check(load(self.pipeline, os.fsencode(self.path), b"none", ctypes.byref(out)), NOT_FOUND)
        self.assertEqual(out.value, 7)
        add, request = self.library.fjord_request_add_image_prompt, self.request()
        for status, words, adapter, prompt in (
                (BAD_HANDLE, "an image adapter", self.pipeline, self.prompt()),
                (INVALID_ARGUMENT, "prompt->count must be 0 to 16, got 17", self.adapter, self.prompt(count=17)),
                (INVALID_ARGUMENT, "prompt->pictures", self.adapter, self.prompt(pictures=None)),
                (INVALID_ARGUMENT, "prompt->masks[0]", self.adapter, self.prompt(masks=(Pixels * 1)(Pixels(None, 1, 1)))),
                (INVALID_ARGUMENT, "layer_scales", self.adapter, self.prompt(layer_count=1))):
            self.check(add(request, adapter, ctypes.byref(prompt)), status, words)
        self.check(add(request, self.adapter, None), INVALID_ARGUMENT, "prompt")
        self.assertEqual(self.picture(request), self.picture(self.request()))


if __name__ == "__main__":
    unittest.main()
