"""Images with diffusion U-Nets: a thin layer over the C interface of the library fjord.

    pipeline = fjord.Pipeline("weights/tiny")
    picture = pipeline.generate("a gold crown on red cloth", seed=1).images[0]  # numpy, [height, width, 3], uint8

Computing releases Python's lock, so threads and jobs run beside it.
"""

from __future__ import annotations

import ctypes as c
import os
from typing import Callable, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _library as lib
from ._library import Error
from ._request import (Adapter, AdapterUse, Control, ControlUse, Embeddings, Handle, ImageAdapter, ImagePrompt, Inputs, Request,
                       Value)

__all__ = ["Adapter", "Control", "ControlUse", "Embeddings", "Error", "ImageAdapter", "ImagePrompt", "Job", "JobStatus",
           "Pipeline", "Queue", "Result", "request_fields", "version"]

OnProgress = Callable[[int, int], object]
_PRECISIONS = {"auto": 0, "float32": 1, "bfloat16": 2, "float16": 3}


def version() -> str:
    """Version of the library that was loaded."""
    return lib.LIBRARY.fjord_version().decode()


def request_fields() -> dict[str, str]:
    """The names that generate() takes as keywords ('.' written as '__'), and their kinds."""
    return dict(line.split(" ", 1) for line in lib.LIBRARY.fjord_request_fields().decode().splitlines())


class Result(Handle):
    """What a request gave."""

    _free = "result_free"

    def __init__(self, handle: int) -> None:
        super().__init__(handle)
        info = lib.ResultInfo()
        lib.call("result_get_info", handle, c.byref(info))
        self.seed: int = info.seed
        self.seconds: float = info.seconds
        self.images: np.ndarray = np.empty((info.images, info.height, info.width, 3), np.uint8)
        for i, image in enumerate(self.images):
            lib.call("result_copy_image", handle, i, lib.RGB8, image.ctypes.data, image.nbytes)
        self.warnings: list[str] = [self._warning(i) for i in range(info.warnings)]

    def _warning(self, index: int) -> str:
        text = c.c_char_p()
        lib.call("result_warning", self._handle, index, c.byref(text))
        return (text.value or b"").decode()

    @property
    def latents(self) -> np.ndarray:
        """float32 [images, channels, height, width]."""
        shape = (c.c_int64 * 4)()
        lib.call("result_copy_latents", self._handle, shape, None, 0)
        out = np.empty(tuple(shape), np.float32)
        lib.call("result_copy_latents", self._handle, shape, out.ctypes.data_as(c.POINTER(c.c_float)), out.size)
        return out


class Pipeline(Handle):
    """A model, loaded once and used from any number of threads."""

    _free = "pipeline_free"

    def __init__(self, path: Union[str, os.PathLike[str]], *, precision: str = "auto", device: str = "auto",
                 threads: int = 0, drop_text_encoder: bool = False, without_text_encoder: bool = False) -> None:
        if precision not in _PRECISIONS:
            raise Error("invalid_argument", f"precision must be one of {', '.join(_PRECISIONS)}, got {precision!r}")
        options = lib.LoadOptions(precision=_PRECISIONS[precision], device=device.encode(), threads=threads,
                                  drop_text_encoder=int(drop_text_encoder),
                                  without_text_encoder=int(without_text_encoder))
        super().__init__(lib.made("pipeline_load", os.fsencode(path), c.byref(options)))

    @property
    def info(self) -> dict[str, Union[int, float, str]]:
        """Defaults and limits of the model."""
        info = lib.PipelineInfo()
        lib.call("pipeline_get_info", self._handle, c.byref(info))
        values = {name: getattr(info, name) for name, *_ in info._fields_ if name not in ("struct_size", "reserved")}
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}

    def encode_prompt(self, prompt: str, negative_prompt: str = "") -> Embeddings:
        """Runs the text encoder alone; the result stands for the prompt in generate()."""
        return Embeddings(lib.made("encode_prompt", self._handle, prompt.encode(), negative_prompt.encode()))

    def load_adapter(self, path: Union[str, os.PathLike[str]]) -> Adapter:
        """A safetensors file or folder with a LoRA, LoHa, LoKr or DoRA."""
        return Adapter(lib.made("adapter_load", self._handle, os.fsencode(path)))

    def load_embedding(self, path: Union[str, os.PathLike[str]], token: Optional[str] = None) -> Adapter:
        """A textual inversion. `token` stands for it in prompts; None: the name inside the file, else the file's own."""
        word = None if token is None else token.encode()
        return Adapter(lib.made("adapter_load_embedding", self._handle, os.fsencode(path), word))

    def load_control(self, path: Union[str, os.PathLike[str]]) -> Control:
        """A ControlNet or T2I-Adapter: a folder or a safetensors file."""
        return Control(lib.made("control_load", self._handle, os.fsencode(path)))

    def load_image_adapter(self, path: Union[str, os.PathLike[str]],
                           encoder: Optional[Union[str, os.PathLike[str]]] = None) -> ImageAdapter:
        """An IP-Adapter: a safetensors file, and the folder of its image encoder; None: image_encoder beside the file."""
        folder = None if encoder is None else os.fsencode(encoder)
        return ImageAdapter(lib.made("image_adapter_load", self._handle, os.fsencode(path), folder))

    def plan(self, prompt: Union[str, Embeddings] = "", *, adapters: Sequence[AdapterUse] = (),
             controls: Sequence[ControlUse] = (), image_prompts: Sequence[ImagePrompt] = (),
             **fields: Value) -> dict[str, int]:
        """Bytes that a request will take: weights, denoising, decoding, peak; and whether the VAE decodes in tiles."""
        inputs = Inputs(adapters=adapters, controls=controls, image_prompts=image_prompts)
        request = Request(prompt, inputs, fields)
        plan = lib.MemoryPlan()
        lib.call("pipeline_plan", self._handle, request._handle, c.byref(plan))
        return {name: getattr(plan, name) for name, *_ in plan._fields_ if name != "struct_size"}

    def generate(self, prompt: Union[str, Embeddings], *, progress: Optional[OnProgress] = None,
                 latents: Optional[np.ndarray] = None, image: Optional[np.ndarray] = None,
                 mask: Optional[np.ndarray] = None, adapters: Sequence[AdapterUse] = (),
                 controls: Sequence[ControlUse] = (), image_prompts: Sequence[ImagePrompt] = (),
                 **fields: Value) -> Result:
        """Runs a request. Keywords are the fields of request_fields(), as in generate("lava", steps=20, seed=3).

        `image` [height, width, 3] and `mask` [height, width], uint8, start from a picture and paint into it.
        `adapters` as in [(style, 0.8), word]; `controls` and `image_prompts` are lists of ControlUse and ImagePrompt.
        progress(step, steps) is called after every step; False cancels, and what it raises comes out of here.
        """
        raised: list[BaseException] = []

        def report(_user: object, now: "c._Pointer[lib.Progress]") -> int:
            try:
                return int(progress is not None and progress(now.contents.step, now.contents.steps) is False)
            except BaseException as error:  # must not pass through C
                raised.append(error)
                return 1

        request = Request(prompt, Inputs(latents, image, mask, adapters, controls, image_prompts), fields)
        try:
            return Result(lib.made("generate", self._handle, request._handle, lib.PROGRESS(report), None))
        except Error:
            if raised:
                raise raised[0] from None
            raise


class JobStatus(NamedTuple):
    state: str  # "queued", "running", "done", "failed" or "cancelled"
    step: int
    steps: int
    seconds: float


class Job(Handle):
    """A request in the background; see Queue.submit. When the object goes, a job that still runs is cancelled."""

    _free = "job_free"

    def __init__(self, handle: int, queue: "Queue") -> None:
        super().__init__(handle)
        self._queue = queue  # whose end would cancel the job

    def _poll(self) -> lib.JobStatus:
        status = lib.JobStatus()
        lib.call("job_poll", self._handle, c.byref(status))
        return status

    @property
    def status(self) -> JobStatus:
        status = self._poll()
        return JobStatus(lib.STATES[status.state], status.step, status.steps, status.seconds)

    @property
    def preview(self) -> Optional[np.ndarray]:
        """The newest latent preview, [height, width, 4] uint8; None before the first."""
        status = self._poll()
        if status.preview_width == 0:
            return None
        out = np.empty((status.preview_height, status.preview_width, 4), np.uint8)
        lib.call("job_copy_preview", self._handle, out.ctypes.data, out.nbytes)
        return out

    def cancel(self) -> None:
        """Asks the job to end; it does before the next layer of its network."""
        lib.call("job_cancel", self._handle)

    def result(self, timeout: Optional[float] = None) -> Result:
        """Waits up to `timeout` seconds (None: for ever). Raises Error: "not_ready", or what ended the job."""
        lib.call("job_wait", self._handle, -1.0 if timeout is None else timeout * 1000)
        return Result(lib.made("job_get_result", self._handle))


class Queue(Handle):
    """Runs jobs on threads of its own; with time_slices inside advance()."""

    _free = "queue_free"

    def __init__(self, *, workers: int = 0, threads: int = 0, max_packed: int = 1, background: bool = False,
                 time_slices: bool = False) -> None:
        options = lib.QueueOptions(workers=workers, threads=threads, max_packed=max_packed, background=int(background),
                                   time_slices=int(time_slices))
        super().__init__(lib.made("queue_create", c.byref(options)))

    def submit(self, pipeline: Pipeline, prompt: Union[str, Embeddings], *, priority: int = 0, preview_every: int = 0,
               latents: Optional[np.ndarray] = None, image: Optional[np.ndarray] = None,
               mask: Optional[np.ndarray] = None, adapters: Sequence[AdapterUse] = (),
               controls: Sequence[ControlUse] = (), image_prompts: Sequence[ImagePrompt] = (), **fields: Value) -> Job:
        """Takes a request as Pipeline.generate does, and returns at once."""
        request = Request(prompt, Inputs(latents, image, mask, adapters, controls, image_prompts), fields)
        options = lib.JobOptions(priority=priority, preview_every=preview_every)
        return Job(lib.made("queue_submit", self._handle, pipeline._handle, request._handle, c.byref(options)), self)

    def advance(self, milliseconds: float) -> bool:
        """Works for about so long; True while jobs remain."""
        more = c.c_int32()
        lib.call("queue_advance", self._handle, milliseconds, c.byref(more))
        return more.value != 0
