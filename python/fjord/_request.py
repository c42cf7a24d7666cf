"""What a request is made of: handles that are given with it, and pictures."""

from __future__ import annotations

import ctypes as c
import os
from typing import Mapping, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _library as lib
from ._library import Error

Value = Union[str, int, float, bool, "list[float]"]


class Handle:
    """A handle that is given back when its object goes."""

    _free = ""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", 0), 0
        if handle and lib is not None and lib.LIBRARY is not None:
            getattr(lib.LIBRARY, "fjord_" + self._free)(handle)


class Embeddings(Handle):
    """Prompts that were encoded; see Pipeline.encode_prompt."""

    _free = "embeddings_free"

    @staticmethod
    def load(path: Union[str, os.PathLike[str]]) -> "Embeddings":
        return Embeddings(lib.made("embeddings_load", os.fsencode(path)))

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        lib.call("embeddings_save", self._handle, os.fsencode(path))


class Adapter(Handle):
    """A LoRA or one of its kin, or a textual inversion, for the pipeline that loaded it; see Pipeline.load_adapter."""

    _free = "adapter_free"


class Control(Handle):
    """A ControlNet or T2I-Adapter for the pipeline that loaded it; see Pipeline.load_control."""

    _free = "control_free"


class ImageAdapter(Handle):
    """An IP-Adapter for the pipeline that loaded it; see Pipeline.load_image_adapter."""

    _free = "image_adapter_free"


# An adapter, with its strength, or with one for the U-Net and one for the text encoders.
AdapterUse = Union[Adapter, "tuple[Adapter, float]", "tuple[Adapter, float, float]"]


class ControlUse(NamedTuple):
    """A control network and what it sees."""

    control: Control
    picture: Optional[np.ndarray]  # uint8 [height, width, 3]; with hide_painted, None is the request's own
    scale: float = 1.0  # above 0, to 100
    begin: float = 0.0  # from this fraction of the steps on
    end: float = 1.0  # to this one
    hide_painted: bool = False  # a ControlNet for inpainting: it does not see what the mask paints


class ImagePrompt(NamedTuple):
    """Pictures that the image is to resemble."""

    adapter: ImageAdapter
    pictures: Sequence[np.ndarray]  # 1 to 16, uint8 [height, width, 3] of any size, looked at together
    masks: Optional[Sequence[np.ndarray]] = None  # for each of them where it counts, uint8 [height, width]
    scale: float = 1.0  # -100 to 100; of layers that layer_scales does not name
    layer_scales: Mapping[str, float] = {}  # by a part of the layers' names: "up_blocks.0.attentions.1"


class Inputs(NamedTuple):
    """All that a request takes besides its prompt and its fields."""

    latents: Optional[np.ndarray] = None
    image: Optional[np.ndarray] = None
    mask: Optional[np.ndarray] = None
    adapters: Sequence[AdapterUse] = ()
    controls: Sequence[ControlUse] = ()
    image_prompts: Sequence[ImagePrompt] = ()


def _text(value: Value) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, (list, tuple)):
        return ",".join(repr(float(item)) for item in value).encode()
    return str(value).encode()


def _pixels(name: str, image: np.ndarray, *channels: int) -> np.ndarray:
    """The image in one piece, uint8 [height, width, channels]; Error unless it has one of these numbers of channels."""
    given = np.ascontiguousarray(image)
    if given.dtype == np.uint8 and given.ndim in (2, 3):
        pixels = given.reshape(*given.shape[:2], -1)
        if not channels or pixels.shape[2] in channels:
            return pixels
    kinds = " or ".join(map(str, channels)) or "channels"
    raise Error("invalid_argument", f"{name} must be uint8 [height, width, {kinds}], got {given.dtype} {given.shape}")


def _array_of_pixels(arrays: Sequence[np.ndarray]) -> c.Array[lib.Pixels]:
    return (lib.Pixels * len(arrays))(*(lib.Pixels(each.ctypes.data, each.shape[1], each.shape[0]) for each in arrays))


class Request(Handle):
    """What the C library is asked for; it has copies of everything."""

    _free = "request_free"

    def __init__(self, prompt: Union[str, Embeddings], inputs: Inputs, fields: Mapping[str, Value]) -> None:
        super().__init__(lib.made("request_create", None))
        if isinstance(prompt, Embeddings):
            lib.call("request_set_embeddings", self._handle, prompt._handle)
        else:
            lib.call("request_set", self._handle, b"prompt", prompt.encode())
        for name, value in fields.items():
            lib.call("request_set", self._handle, name.replace("__", ".").encode(), _text(value))
        self._set_image("image_input.images", inputs.image)
        self._set_image("image_input.inpaint.mask", inputs.mask)
        self._set_latents(inputs.latents)
        for adapter in inputs.adapters:
            self._add_adapter(adapter)
        for control in inputs.controls:
            self._add_control(control)
        for image_prompt in inputs.image_prompts:
            self._add_image_prompt(image_prompt)

    def _set_image(self, name: str, image: Optional[np.ndarray]) -> None:
        if image is not None:
            pixels = _pixels(name, image)
            height, width, channels = pixels.shape
            lib.call("request_set_image", self._handle, name.encode(), pixels.ctypes.data, width, height, channels)

    def _set_latents(self, latents: Optional[np.ndarray]) -> None:
        if latents is not None:
            values = np.ascontiguousarray(latents, np.float32)
            lib.call("request_set_array", self._handle, b"latents", values.ctypes.data_as(c.POINTER(c.c_float)),
                     (c.c_int64 * values.ndim)(*values.shape), values.ndim)

    def _add_adapter(self, use: AdapterUse) -> None:
        adapter, unet, *text = (use, 1.0) if isinstance(use, Adapter) else use
        lib.call("request_add_adapter", self._handle, adapter._handle, unet, text[0] if text else unet)

    def _add_control(self, use: ControlUse) -> None:
        for name in ("scale", "end"):  # C takes 0 for 1
            if getattr(use, name) == 0:
                raise Error("invalid_argument", f"a control's {name} must be above 0, got 0; leave the control out instead")
        given = lib.ControlUse(scale=use.scale, begin=use.begin, end=use.end, hide_painted=int(use.hide_painted))
        if use.picture is not None:
            pixels = _pixels("a control's picture", use.picture, 3)
            given.height, given.width, given.pixels = pixels.shape[0], pixels.shape[1], pixels.ctypes.data
        lib.call("request_add_control", self._handle, use.control._handle, c.byref(given))

    def _add_image_prompt(self, prompt: ImagePrompt) -> None:
        pictures = [_pixels("a picture of an image prompt", picture, 3) for picture in prompt.pictures]
        masks = [_pixels("a mask of an image prompt", mask, 1) for mask in prompt.masks or ()]
        if masks and len(masks) != len(pictures):
            raise Error("invalid_argument", f"an image prompt needs a mask for each of its {len(pictures)} pictures, or none; "
                                            f"got {len(masks)}")
        # C takes a scale of 0 for 1 unless layers are named; the name "" is part of every layer's.
        layers = dict(prompt.layer_scales)
        if prompt.scale == 0:
            layers.setdefault("", 0.0)
        scales = (lib.LayerScale * len(layers))(*(lib.LayerScale(name.encode(), scale) for name, scale in layers.items()))
        given = lib.ImagePrompt(count=len(pictures), pictures=_array_of_pixels(pictures),
                                masks=_array_of_pixels(masks) if masks else None, scale=prompt.scale,
                                layer_scales=scales, layer_count=len(layers))
        lib.call("request_add_image_prompt", self._handle, prompt.adapter._handle, c.byref(given))
