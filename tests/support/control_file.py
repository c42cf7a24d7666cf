"""A ControlNet for a U-Net of ours, made from it without any package: its way down, and small numbers for the rest."""

import json
import pathlib
import struct

EMBEDDING = (4, 4, 8, 8)  # channels on the way from a picture to the latents


def read_tensors(path: pathlib.Path) -> dict:
    """name -> (dtype, shape, bytes) of a safetensors file."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    begin = 8 + length
    return {name: (entry["dtype"], entry["shape"], data[begin + entry["data_offsets"][0]:begin + entry["data_offsets"][1]])
            for name, entry in header.items()}


def write_tensors(path: pathlib.Path, tensors: dict) -> None:
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def convolution(name: str, outputs: int, inputs: int, side: int) -> dict:
    """Numbers that differ from weight to weight, of the size that a picture needs to be heard."""
    count = outputs * inputs * side * side
    weights = struct.pack(f"<{count}f", *(((i * 37) % 23 - 11) / (4.0 * inputs * side) for i in range(count)))
    return {f"{name}.weight": ("F32", [outputs, inputs, side, side], weights),
            f"{name}.bias": ("F32", [outputs], bytes(4 * outputs))}


def write_controlnet(unet: pathlib.Path, path: pathlib.Path) -> None:
    """`unet`: folder of a U-Net; `path`: of the safetensors file, in diffusers' names."""
    config = json.loads((unet / "config.json").read_text())
    kept = ("conv_in.", "time_embedding.", "down_blocks.", "mid_block.")
    tensors = {name: tensor for name, tensor in read_tensors(unet / "diffusion_pytorch_model.safetensors").items()
               if name.startswith(kept)}
    channels, layers = config["block_out_channels"], config["layers_per_block"]
    embedding = "controlnet_cond_embedding"
    tensors |= convolution(f"{embedding}.conv_in", EMBEDDING[0], 3, 3)
    for i in range(len(EMBEDDING) - 1):
        tensors |= convolution(f"{embedding}.blocks.{2 * i}", EMBEDDING[i], EMBEDDING[i], 3)
        tensors |= convolution(f"{embedding}.blocks.{2 * i + 1}", EMBEDDING[i + 1], EMBEDDING[i], 3)
    tensors |= convolution(f"{embedding}.conv_out", channels[0], EMBEDDING[-1], 3)
    maps = [channels[0]] + [each for level, each in enumerate(channels)
                            for _ in range(layers + (level + 1 < len(channels)))]
    for i, each in enumerate(maps):
        tensors |= convolution(f"controlnet_down_blocks.{i}", each, each, 1)
    tensors |= convolution("controlnet_mid_block", channels[-1], channels[-1], 1)
    write_tensors(path, tensors)
