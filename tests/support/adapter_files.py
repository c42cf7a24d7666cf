"""A LoRA, a textual inversion, and an IP-Adapter with its image encoder for a model of ours, made without any package."""

import json
import pathlib
import struct

from control_file import read_tensors, write_tensors

ENCODER = dict(architectures=["CLIPVisionModelWithProjection"], hidden_size=8, intermediate_size=16, num_hidden_layers=1,
               num_attention_heads=2, image_size=16, patch_size=8, projection_dim=6, hidden_act="gelu", num_channels=3)
TOKENS = 4


def tensor(shape: list, scale: float = 1.0, begin: float = 0.0) -> tuple:
    """Numbers that differ from place to place, about `begin`."""
    count = 1
    for size in shape:
        count *= size
    return "F32", shape, struct.pack(f"<{count}f", *(begin + scale * ((i * 37) % 23 - 11) / 11 for i in range(count)))


def linear(name: str, outputs: int, inputs: int) -> dict:
    return {f"{name}.weight": tensor([outputs, inputs], 1 / inputs ** 0.5), f"{name}.bias": tensor([outputs], 0.1)}


def norm(name: str, size: int) -> dict:
    return {f"{name}.weight": tensor([size], 0.1, 1.0), f"{name}.bias": tensor([size], 0.1)}


def write_image_encoder(folder: pathlib.Path) -> None:
    size, mlp, patch = ENCODER["hidden_size"], ENCODER["intermediate_size"], ENCODER["patch_size"]
    patches = (ENCODER["image_size"] // patch) ** 2
    model, layer = "vision_model.", "vision_model.encoder.layers.0."
    tensors = {model + "embeddings.class_embedding": tensor([size]),
               model + "embeddings.patch_embedding.weight": tensor([size, 3, patch, patch], 0.1),
               model + "embeddings.position_embedding.weight": tensor([1 + patches, size])}
    tensors |= norm(model + "pre_layrnorm", size) | norm(model + "post_layernorm", size)
    tensors |= norm(layer + "layer_norm1", size) | norm(layer + "layer_norm2", size)
    for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
        tensors |= linear(f"{layer}self_attn.{part}", size, size)
    tensors |= linear(layer + "mlp.fc1", mlp, size) | linear(layer + "mlp.fc2", size, mlp)
    tensors["visual_projection.weight"] = tensor([ENCODER["projection_dim"], size], 1.0)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(ENCODER))
    write_tensors(folder / "model.safetensors", tensors)


def text_layers(unet: pathlib.Path) -> list:
    """(features, features of the text) of the layers that attend to the text: down, up, middle."""
    shapes = {name: shape for name, (_, shape, _) in read_tensors(unet / "diffusion_pytorch_model.safetensors").items()}
    names = [name for block in ("down", "up", "mid") for name in sorted(shapes)
             if name.startswith(block) and name.endswith("attn2.to_k.weight")]
    return [shapes[name] for name in names]


def write_image_adapter(unet: pathlib.Path, path: pathlib.Path) -> None:
    layers = text_layers(unet)
    text = layers[0][1]
    tensors = linear("image_proj.proj", TOKENS * text, ENCODER["projection_dim"]) | norm("image_proj.norm", text)
    for i, shape in enumerate(layers):
        for part in "kv":
            tensors[f"ip_adapter.{2 * i + 1}.to_{part}_ip.weight"] = tensor(shape, 2 / text ** 0.5)
    write_tensors(path, tensors)


def write_lora(unet: pathlib.Path, path: pathlib.Path) -> None:
    """In the names of kohya-ss' scripts, for the queries of all layers."""
    tensors = {}
    for name, (_, shape, _) in read_tensors(unet / "diffusion_pytorch_model.safetensors").items():
        if name.endswith("attn1.to_q.weight"):
            outputs, inputs = shape
            stem = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
            tensors |= {f"{stem}.lora_down.weight": tensor([2, inputs], 1 / inputs ** 0.5),
                        f"{stem}.lora_up.weight": tensor([outputs, 2])}
    write_tensors(path, tensors)


def write_embedding(features: int, path: pathlib.Path) -> None:
    write_tensors(path, {"emb_params": tensor([2, features])})
