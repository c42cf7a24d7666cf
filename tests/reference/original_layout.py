"""State dicts of diffusers' classes under the names of the original (LDM) layout, and the check that diffusers' own
converters map them back to exactly what they came from. Works on meta tensors and on real ones."""

import re

import torch
from diffusers.loaders import single_file_utils as real

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
UNET = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
        "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
OPENCLIP_LAYER = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
                  "self_attn.out_proj": "attn.out_proj"}
OPENCLIP = {"text_model.embeddings.position_embedding.weight": "positional_embedding",
            "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
            "text_model.final_layer_norm.weight": "ln_final.weight",
            "text_model.final_layer_norm.bias": "ln_final.bias"}

# How a tensor of the file is made of the model's: (what, names). "same", "kernel" (1x1), "transposed", "fused".
Recipe = tuple[str, list[str]]


def with_prefix(names) -> dict[str, str]:
    """Names as files have them -> names of the class, which lost their prefix in transformers 5."""
    return {name if name.startswith(("text_model.", "text_projection.")) else "text_model." + name: name
            for name in names}


def rename(name: str, table: dict[str, str]) -> str:
    head, _, tail = name.rpartition(".")
    return f"{table[head]}.{tail}"


def unet_recipes(names, layers: int) -> dict[str, Recipe]:
    """`layers`: resnets of a level on the way down."""
    up_attends = {match[1] for name in names if (match := re.match(r"up_blocks\.(\d+)\.attentions", name))}
    out = {}
    for name in names:
        block = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
        middle = re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", name)
        if block:
            way, level, kind, index, rest = block[1], int(block[2]), block[3], int(block[4]), block[5]
            down = way == "down"
            first = 1 + level * (layers + 1) if down else level * (layers + 1)
            number = first + (index if kind in ("resnets", "attentions") else layers)
            place = {"resnets": "0", "attentions": "1", "downsamplers": "0",
                     "upsamplers": "2" if str(level) in up_attends else "1"}[kind]
            rest = rename(rest, RESNET) if kind == "resnets" else rest
            rest = rest.replace("conv.", "op.") if kind == "downsamplers" else rest
            key = f"{'input' if down else 'output'}_blocks.{number}.{place}.{rest}"
        elif middle:
            kind, index, rest = middle[1], int(middle[2]), middle[3]
            key = f"middle_block.{2 * index if kind == 'resnets' else 1}." + (
                rename(rest, RESNET) if kind == "resnets" else rest)
        else:
            key = rename(name, UNET)
        out["model.diffusion_model." + key] = ("same", [name])
    return out


def vae_recipes(names) -> dict[str, Recipe]:
    levels = 1 + max(int(match[1]) for name in names if (match := re.match(r"decoder\.up_blocks\.(\d+)", name)))
    out = {}
    for name in names:
        key, what = name, "same"
        if match := re.match(r"(en|de)coder\.(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.*)",
                             name):
            half, way, level, kind, index, rest = match.groups()
            level = int(level) if way == "down" else levels - 1 - int(level)
            if kind == "resnets":
                part = f"block.{index}.{rest.replace('conv_shortcut', 'nin_shortcut')}"
            else:
                part = f"{'downsample' if way == 'down' else 'upsample'}.{rest}"
            key = f"{half}coder.{way}.{level}.{part}"
        elif match := re.match(r"(en|de)coder\.mid_block\.resnets\.(\d)\.(.*)", name):
            key = f"{match[1]}coder.mid.block_{int(match[2]) + 1}.{match[3]}"
        elif match := re.match(r"(en|de)coder\.mid_block\.attentions\.0\.(.*)", name):
            key = f"{match[1]}coder.mid.attn_1.{rename(match[2], VAE_ATTENTION)}"
            what = "kernel" if name.endswith(".weight") and "group_norm" not in name else "same"
        else:
            key = name.replace("conv_norm_out", "norm_out")
        out["first_stage_model." + key] = (what, [name])
    return out


def clip_recipes(names, prefix: str) -> dict[str, Recipe]:
    return {prefix + full: ("same", [own]) for full, own in with_prefix(names).items()}


def openclip_recipes(names, prefix: str) -> dict[str, Recipe]:
    full_names, out = with_prefix(names), {}
    for full, own in full_names.items():
        layer = re.match(r"text_model\.encoder\.layers\.(\d+)\.(.*)", full)
        if full in OPENCLIP:
            out[prefix + OPENCLIP[full]] = ("same", [own])
        elif full == "text_projection.weight":
            out[prefix + "text_projection"] = ("transposed", [own])
        elif (projection := re.match(r"self_attn\.([qkv])_proj\.(weight|bias)", layer[2])):
            key = f"{prefix}transformer.resblocks.{layer[1]}.attn.in_proj_{projection[2]}"
            out[key] = ("fused", [own.replace(f".{projection[1]}_proj.", f".{letter}_proj.") for letter in "qkv"])
        else:
            out[f"{prefix}transformer.resblocks.{layer[1]}.{rename(layer[2], OPENCLIP_LAYER)}"] = ("same", [own])
    return out


def make(recipe: Recipe, state: dict[str, torch.Tensor]) -> torch.Tensor:
    what, names = recipe
    tensor = state[names[0]]
    if what == "kernel":
        return tensor[:, :, None, None].contiguous()
    if what == "transposed":
        return tensor.T.contiguous()
    if what == "fused":
        return torch.cat([state[name] for name in names])
    return tensor.contiguous()


def check_equal(converted: dict, state: dict, what: str) -> None:
    """Names, shapes and, unless they are on the meta device, values."""
    shapes = {name: tuple(tensor.shape) for name, tensor in converted.items()}
    expected = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert shapes == expected, (what, set(shapes.items()) ^ set(expected.items()))
    for name, tensor in state.items():
        assert tensor.is_meta or torch.equal(converted[name], tensor), (what, name)


def check_unet(file: dict, unet) -> None:
    config = dict(unet.config)
    check_equal(real.convert_ldm_unet_checkpoint(file, config), unet.state_dict(), "unet")


def check_vae(file: dict, vae) -> None:
    check_equal(real.convert_ldm_vae_checkpoint(file, dict(vae.config)), vae.state_dict(), "vae")


def check_text(file: dict, text, prefix: str, openclip: bool) -> None:
    state = {full: text.state_dict()[own] for full, own in with_prefix(text.state_dict()).items()}
    if openclip:
        converted = real.convert_open_clip_checkpoint(text, file, prefix=prefix)
    else:
        converted = real.convert_ldm_clip_checkpoint(file)
    converted = {name: tensor for name, tensor in converted.items() if "position_ids" not in name}
    check_equal(converted, state, "text")
