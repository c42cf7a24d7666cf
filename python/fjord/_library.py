"""The functions of fjord/c.h as ctypes sees them."""

from __future__ import annotations

import ctypes as c
import os
import pathlib

OK, CANCELLED, NOT_READY = 0, 8, 13
RGB8 = 0
STATES = ("queued", "running", "done", "failed", "cancelled")


class Sized(c.Structure):
    """A struct that begins with its size."""

    def __init__(self, **fields: object) -> None:
        super().__init__(struct_size=c.sizeof(self), **fields)


LOG = c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_char_p)


class LoadOptions(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("precision", c.c_int32), ("device", c.c_char_p), ("cpu_kernels", c.c_char_p),
                ("threads", c.c_int32), ("drop_text_encoder", c.c_int32),
                ("without_text_encoder", c.c_int32), ("reserved", c.c_int32), ("log", LOG),
                ("log_user", c.c_void_p)]


class PipelineInfo(Sized):
    _fields_ = [("struct_size", c.c_uint32)] + [(name, c.c_int32) for name in (
        "width", "height", "size_multiple", "max_size", "steps", "max_steps", "latent_channels", "max_tokens", "reserved")] + [
        ("guidance", c.c_double), ("device", c.c_char * 32), ("kernels", c.c_char * 32), ("scheduler", c.c_char * 64)]


class Progress(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("phase", c.c_int32), ("step", c.c_int32), ("steps", c.c_int32),
                ("seconds", c.c_double)]


class ResultInfo(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("images", c.c_int32), ("width", c.c_int32), ("height", c.c_int32),
                ("warnings", c.c_int32), ("reserved", c.c_int32), ("seed", c.c_uint64), ("seconds", c.c_double)]


class QueueOptions(Sized):
    _fields_ = [("struct_size", c.c_uint32)] + [(name, c.c_int32) for name in (
        "workers", "time_slices", "threads", "max_packed", "max_waiting", "background", "reserved")]


class JobOptions(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("priority", c.c_int32), ("preview_every", c.c_int32), ("alone", c.c_int32),
                ("on_progress", c.c_void_p), ("on_end", c.c_void_p), ("user", c.c_void_p)]


class JobStatus(Sized):
    _fields_ = [("struct_size", c.c_uint32)] + [(name, c.c_int32) for name in (
        "state", "phase", "step", "steps", "preview_width", "preview_height", "reserved")] + [("seconds", c.c_double)]


class MemoryPlan(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("vae_tiling", c.c_int32)] + [(name, c.c_uint64) for name in (
        "weights", "denoising", "decoding", "peak")]


class ControlUse(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("width", c.c_int32), ("height", c.c_int32), ("hide_painted", c.c_int32),
                ("pixels", c.c_void_p), ("scale", c.c_double), ("begin", c.c_double), ("end", c.c_double)]


class Pixels(c.Structure):
    _fields_ = [("data", c.c_void_p), ("width", c.c_int32), ("height", c.c_int32)]


class LayerScale(c.Structure):
    _fields_ = [("name", c.c_char_p), ("scale", c.c_double)]


class ImagePrompt(Sized):
    _fields_ = [("struct_size", c.c_uint32), ("count", c.c_int32), ("pictures", c.POINTER(Pixels)),
                ("masks", c.POINTER(Pixels)), ("scale", c.c_double), ("layer_scales", c.POINTER(LayerScale)),
                ("layer_count", c.c_int32), ("reserved", c.c_int32)]


PROGRESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Progress))
HANDLE, TEXT, OUT = c.c_uint64, c.c_char_p, c.POINTER(c.c_uint64)

# Name -> arguments; all return a status.
FUNCTIONS = {
    "pipeline_load": (TEXT, c.POINTER(LoadOptions), OUT),
    "pipeline_free": (HANDLE,),
    "pipeline_get_info": (HANDLE, c.POINTER(PipelineInfo)),
    "request_create": (c.c_void_p, OUT),
    "request_set": (HANDLE, TEXT, TEXT),
    "request_set_embeddings": (HANDLE, HANDLE),
    "request_set_array": (HANDLE, TEXT, c.POINTER(c.c_float), c.POINTER(c.c_int64), c.c_size_t),
    "request_set_image": (HANDLE, TEXT, c.c_void_p, c.c_int32, c.c_int32, c.c_int32),
    "request_free": (HANDLE,),
    "request_add_adapter": (HANDLE, HANDLE, c.c_double, c.c_double),
    "pipeline_plan": (HANDLE, HANDLE, c.POINTER(MemoryPlan)),
    "adapter_load": (HANDLE, TEXT, OUT),
    "adapter_load_embedding": (HANDLE, TEXT, TEXT, OUT),
    "adapter_free": (HANDLE,),
    "control_load": (HANDLE, TEXT, OUT),
    "control_free": (HANDLE,),
    "request_add_control": (HANDLE, HANDLE, c.POINTER(ControlUse)),
    "image_adapter_load": (HANDLE, TEXT, TEXT, OUT),
    "image_adapter_free": (HANDLE,),
    "request_add_image_prompt": (HANDLE, HANDLE, c.POINTER(ImagePrompt)),
    "encode_prompt": (HANDLE, TEXT, TEXT, OUT),
    "embeddings_save": (HANDLE, TEXT),
    "embeddings_load": (TEXT, OUT),
    "embeddings_free": (HANDLE,),
    "generate": (HANDLE, HANDLE, PROGRESS, c.c_void_p, OUT),
    "result_get_info": (HANDLE, c.POINTER(ResultInfo)),
    "result_copy_image": (HANDLE, c.c_int32, c.c_int32, c.c_void_p, c.c_uint64),
    "result_copy_latents": (HANDLE, c.POINTER(c.c_int64), c.POINTER(c.c_float), c.c_uint64),
    "result_warning": (HANDLE, c.c_int32, c.POINTER(TEXT)),
    "result_free": (HANDLE,),
    "queue_create": (c.POINTER(QueueOptions), OUT),
    "queue_free": (HANDLE,),
    "queue_advance": (HANDLE, c.c_double, c.POINTER(c.c_int32)),
    "queue_submit": (HANDLE, HANDLE, HANDLE, c.POINTER(JobOptions), OUT),
    "job_poll": (HANDLE, c.POINTER(JobStatus)),
    "job_cancel": (HANDLE,),
    "job_wait": (HANDLE, c.c_double),
    "job_copy_preview": (HANDLE, c.c_void_p, c.c_uint64),
    "job_get_result": (HANDLE, OUT),
    "job_free": (HANDLE,),
}


class Error(RuntimeError):
    """What the library refused or could not do: `code` is a short name ("bad_file"), the text one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _open() -> c.CDLL:
    """FJORD_LIBRARY, or what lies in the package."""
    inside = sorted((pathlib.Path(__file__).parent / "lib").glob("libfjord_c.so*"))
    library = c.CDLL(os.environ.get("FJORD_LIBRARY") or str(inside[0] if inside else "libfjord_c.so"))
    for name, arguments in FUNCTIONS.items():
        function = getattr(library, "fjord_" + name)
        function.argtypes, function.restype = arguments, c.c_int32
    for name in ("version", "last_error", "request_fields"):
        getattr(library, "fjord_" + name).restype = TEXT
    library.fjord_status_name.argtypes, library.fjord_status_name.restype = (c.c_int32,), TEXT
    return library


LIBRARY = _open()


def call(name: str, *arguments: object) -> None:
    """Calls fjord_<name>; raises Error unless it gives FJORD_OK."""
    status = getattr(LIBRARY, "fjord_" + name)(*arguments)
    if status != OK:
        raise Error(LIBRARY.fjord_status_name(status).decode(), LIBRARY.fjord_last_error().decode(errors="replace"))


def made(name: str, *arguments: object) -> int:
    """Calls a function whose last argument takes a handle; returns that."""
    handle = c.c_uint64()
    call(name, *arguments, c.byref(handle))
    return handle.value
