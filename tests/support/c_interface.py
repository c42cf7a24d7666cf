"""Tests of the C interface by ctypes. Environment: FJORD_LIBRARY."""

import ctypes
import os
import pathlib
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OK, INVALID_ARGUMENT, NOT_FOUND, UNSUPPORTED, BAD_HANDLE = 0, 1, 2, 4, 11


class LibraryTest(unittest.TestCase):
    """With `library`, `pipeline` (of weights/tiny), and `folder` for files."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.library = ctypes.CDLL(os.environ["FJORD_LIBRARY"])
        cls.library.fjord_last_error.restype = ctypes.c_char_p
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.pipeline = cls.made("fjord_pipeline_load", os.fsencode(ROOT / "weights/tiny"), None)

    @classmethod
    def made(cls, function: str, *arguments) -> ctypes.c_uint64:
        """The handle that a function gives."""
        handle = ctypes.c_uint64(0)
        status = getattr(cls.library, function)(*arguments, ctypes.byref(handle))
        assert status == OK, cls.library.fjord_last_error()
        return handle

    def check(self, status: int, wanted: int, words: str = "") -> None:
        self.assertEqual(status, wanted, self.library.fjord_last_error())
        if words:
            self.assertIn(words, self.library.fjord_last_error().decode())

    def request_of(self, **fields) -> ctypes.c_uint64:
        request = self.made("fjord_request_create", None)
        for name, value in fields.items():
            self.check(self.library.fjord_request_set(request, name.encode(), str(value).encode()), OK)
        return request

    def picture_of(self, request: ctypes.c_uint64, side: int) -> bytes:
        """3 bytes a pixel, of a request of side x side."""
        result = self.made("fjord_generate", self.pipeline, request, None, None)
        out = ctypes.create_string_buffer(3 * side * side)
        self.check(self.library.fjord_result_copy_image(result, 0, 0, out, ctypes.c_uint64(len(out))), OK)
        self.check(self.library.fjord_result_free(result), OK)
        return out.raw
