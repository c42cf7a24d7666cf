"""Expected outputs of U-Nets with adapters: the real classes of diffusers and peft over the networks of models.py.

Writes tests/data/adapters/networks.json (the names and shapes of every adapter file, and what is asked of them) and
networks.safetensors (outputs). The factors are drawn from seeds (draw below), so they need not be stored.
Run: OMP_NUM_THREADS=1 python tests/reference/adapters.py
"""

import json
import pathlib
import tempfile

import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from peft import set_peft_model_state_dict
from safetensors.torch import load_file, save_file

import models
from packed_names import packed
from seeded_weights import fill

OUT = pathlib.Path("tests/data/adapters")
NETWORKS = {"unet_sd1": models.SD1, "unet_sdxl": models.SDXL, "unet_sd2": models.SD2}
SIZE = 8


def draw(shapes: dict, seed: int, gain: float, alpha: float | None = None) -> dict:
    """The tensors of a file, in the order of their names: matrices scaled by their fan-in, lengths about 1, biases
    small. tests/adapters/seeded_adapter.h does the same."""
    generator = torch.Generator("cpu").manual_seed(seed)
    out = {}
    for name, shape in sorted(shapes.items()):
        if name.endswith(".alpha"):
            out[name] = torch.tensor(alpha)
            continue
        noise = torch.randn(int(torch.tensor(shape).prod()), generator=generator).reshape(shape)
        if "magnitude" in name or "dora_scale" in name:
            out[name] = 1 + 0.1 * noise
        elif len(shape) >= 2:
            out[name] = gain * noise / (noise.numel() / shape[0]) ** 0.5
        else:
            out[name] = 0.1 * noise
    return out


def shapes_of(tensors: dict) -> dict:
    return {name: list(tensor.shape) for name, tensor in tensors.items()}


def make_unet(name: str) -> UNet2DConditionModel:
    unet = UNet2DConditionModel(sample_size=SIZE, **NETWORKS[name])
    fill(unet, models.SEED)
    return unet


def run(unet: UNet2DConditionModel) -> torch.Tensor:
    with torch.no_grad():
        return unet.eval()(**models.unet_inputs(unet, SIZE, SIZE)).sample


ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
ALL = ATTENTION + ["proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2", "conv_shortcut", "conv_in",
                   "conv_out", "time_emb_proj", "linear_1", "linear_2", "conv"]
SOME = r"(down_blocks\.1\.(attentions\.0|downsamplers)|mid_block\.(attentions|resnets\.1)|up_blocks\.1\.(resnets\.0|upsamplers))\..*" \
       r"(to_q|to_k|to_v|to_out\.0|proj_in|ff\.net\.0\.proj|ff\.net\.2|conv1|conv2|conv_shortcut|time_emb_proj|conv)"

# name -> (network, peft's configuration, gain)
PEFT = {
    "peft_lora": ("unet_sd1", LoraConfig(r=4, lora_alpha=6, target_modules=ALL,
                                         rank_pattern={"to_k": 2, "conv1": 3},
                                         alpha_pattern={"to_q": 1.5, "mid_block.resnets.0.conv2": 9}), 1.0),
    "peft_lora_sdxl": ("unet_sdxl", LoraConfig(r=3, lora_alpha=3, use_rslora=True, target_modules=SOME), 1.0),
    "peft_lora_bias": ("unet_sd1", LoraConfig(r=2, lora_alpha=1, lora_bias=True, target_modules=SOME), 1.0),
    "peft_dora": ("unet_sd1", LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=SOME), 1.0),
    "peft_loha": ("unet_sd1", LoHaConfig(r=3, alpha=2, target_modules=SOME), 1.5),
    "peft_loha_tucker": ("unet_sd1", LoHaConfig(r=3, alpha=6, use_effective_conv2d=True, target_modules=SOME), 1.5),
    "peft_lokr": ("unet_sd1", LoKrConfig(r=2, alpha=2, target_modules=SOME), 1.0),
    "peft_lokr_both": ("unet_sd1", LoKrConfig(r=2, alpha=4, decompose_both=True, decompose_factor=8,
                                              target_modules=SOME), 1.5),
    "peft_lokr_tucker": ("unet_sd2", LoKrConfig(r=2, alpha=1, use_effective_conv2d=True, target_modules=SOME), 1.0),
    "peft_lokr_full": ("unet_sd1", LoKrConfig(r=32, alpha=16, target_modules=SOME), 0.5),
}


def peft_case(name: str, seed: int) -> tuple[dict, torch.Tensor]:
    network, config, gain = PEFT[name]
    unet = make_unet(network)
    inject_adapter_in_model(config, unet)
    shapes = shapes_of(get_peft_model_state_dict(unet))
    tensors = draw(shapes, seed, gain)
    result = set_peft_model_state_dict(unet, tensors)
    assert not result.unexpected_keys, result.unexpected_keys
    fields = {key: getattr(config, key, None)
              for key in ("r", "lora_alpha", "alpha", "use_rslora", "alpha_pattern", "rank_pattern")}
    fields["peft_type"] = config.peft_type.value
    file = dict(prefix="base_model.model.", shapes=shapes, seed=seed, gain=gain, config=fields)
    return dict(network=network, files=[file], strengths=[1.0]), run(unet)


def diffusers_case(network: str, seed: int) -> tuple[dict, torch.Tensor]:
    """What save_lora_adapter writes, metadata included, read again by load_lora_adapter."""
    unet = make_unet(network)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=2, target_modules=r"mid_block.*(to_q|to_k|to_v|to_out\.0)",
                                alpha_pattern={"to_v": 8}))
    with tempfile.TemporaryDirectory() as folder:
        StableDiffusionXLPipeline.save_lora_weights(
            folder, unet_lora_layers=get_peft_model_state_dict(unet),
            unet_lora_adapter_metadata=unet.peft_config["default"].to_dict())
        path = pathlib.Path(folder) / "pytorch_lora_weights.safetensors"
        metadata = read_metadata(path)
        shapes = shapes_of(load_file(path))
        tensors = draw(shapes, seed, 1.0)
        save_file(tensors, path, metadata)
        unet = make_unet(network)
        unet.load_lora_adapter(str(path), prefix="unet", use_safetensors=True)
    file = dict(shapes=shapes, seed=seed, gain=1.0, metadata=metadata)
    return dict(network=network, files=[file], strengths=[1.0]), run(unet)


def read_metadata(path: pathlib.Path) -> dict:
    data = path.read_bytes()
    return json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"]


def layer_shapes(network: str, pattern: tuple, rank: int) -> dict:
    """layer -> (down, up) of a LoRA for the layers whose names end so."""
    out = {}
    for name, module in make_unet(network).named_modules():
        if not name.endswith(pattern) or not hasattr(module, "weight"):
            continue
        shape = list(module.weight.shape)
        out[name] = ([rank, *shape[1:]], [shape[0], rank] + [1] * (len(shape) - 2))
    return out


def original_name(layer: str) -> str:
    """A name of the U-Net of models.SDXL in the original repository's blocks, two residual blocks a level."""
    parts = layer.split(".")
    kind = {"resnets": "0", "attentions": "1", "downsamplers": "0", "upsamplers": "2"}
    if parts[0] == "mid_block":
        head = ["middle_block", "1" if parts[1] == "attentions" else str(2 * int(parts[2]))]
    elif parts[0] == "down_blocks":
        offset = 2 if parts[2] == "downsamplers" else int(parts[3])
        head = ["input_blocks", str(1 + 3 * int(parts[1]) + offset), kind[parts[2]]]
    elif parts[0] == "up_blocks":
        offset = 2 if parts[2] == "upsamplers" else int(parts[3])
        head = ["output_blocks", str(3 * int(parts[1]) + offset), kind[parts[2]]]
    else:
        return {"conv_in": "input_blocks.0.0", "conv_out": "out.2"}[layer]
    rest = parts[3:] if parts[0] == "mid_block" else parts[4:]
    if "resnets" in parts:
        rest = [{"conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1",
                 "conv_shortcut": "skip_connection"}[rest[0]]]
    if "downsamplers" in parts:
        rest = ["op"]
    return ".".join(head + rest)


def kohya_case(network: str, seed: int, original: bool) -> tuple[dict, torch.Tensor]:
    """Names as kohya-ss' scripts write them, read by the real loader of diffusers."""
    pattern = ("to_q", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out")
    if not original:
        pattern += ("conv1", "conv2", "conv_shortcut", "time_emb_proj")
    shapes = {}
    for layer, (down, up) in layer_shapes(network, pattern, 2).items():
        if any(skipped in layer for skipped in ("down_blocks.0", "up_blocks.0", "transformer_blocks.1")):
            continue
        stem = "lora_unet_" + (original_name(layer) if original else layer).replace(".", "_")
        shapes |= {stem + ".lora_down.weight": down, stem + ".lora_up.weight": up, stem + ".alpha": []}
    tensors = draw(shapes, seed, 0.7, alpha=3.0)
    unet = make_unet(network)
    state, alphas = StableDiffusionXLPipeline.lora_state_dict(dict(tensors), unet_config=unet.config)[:2]
    unet.load_lora_adapter(state, network_alphas=alphas, prefix="unet")
    file = dict(shapes=shapes, seed=seed, gain=0.7, alpha=3.0)
    return dict(network=network, files=[file], strengths=[1.0]), run(unet)


def processor_case(network: str, seed: int) -> tuple[dict, torch.Tensor]:
    """The attention processors' own keys, as diffusers wrote them at first."""
    shapes = {}
    for layer, (down, up) in layer_shapes(network, ("to_q", "to_k", "to_v", "to_out.0"), 2).items():
        if "mid_block" not in layer:
            continue
        head, tail = layer.removesuffix(".0").rsplit(".", 1)
        shapes |= {f"unet.{head}.processor.{tail}_lora.down.weight": down,
                   f"unet.{head}.processor.{tail}_lora.up.weight": up}
    unet = make_unet(network)
    unet.load_lora_adapter(draw(shapes, seed, 1.0), prefix="unet")
    return dict(network=network, files=[dict(shapes=shapes, seed=seed, gain=1.0)], strengths=[1.0]), run(unet)


def weight_of(unet: UNet2DConditionModel, layer: str) -> torch.nn.Parameter:
    return unet.get_parameter(layer + ".weight")


def locon_case(network: str, seed: int) -> tuple[dict, torch.Tensor]:
    """LyCORIS' LoCon with a middle (Tucker decomposition); the formula of its paper, arXiv:2309.14859 appendix."""
    rank, alpha, shapes, layers = 3, 2.0, {}, {}
    for layer, (down, up) in layer_shapes(network, ("conv1", "conv2", "downsamplers.0.conv"), rank).items():
        stem = "lora_unet_" + layer.replace(".", "_")
        layers[stem] = layer
        shapes |= {stem + ".lora_down.weight": [rank, down[1], 1, 1], stem + ".lora_up.weight": up, stem + ".alpha": [],
                   stem + ".lora_mid.weight": [rank, rank, *down[2:]]}
    tensors = draw(shapes, seed, 1.5, alpha=alpha)
    unet = make_unet(network)
    with torch.no_grad():
        for stem, layer in layers.items():
            down, mid, up = (tensors[f"{stem}.lora_{role}.weight"].double() for role in ("down", "mid", "up"))
            delta = torch.zeros_like(weight_of(unet, layer), dtype=torch.float64)
            for i in range(rank):
                for j in range(rank):
                    outer = up[:, i, 0, 0][:, None] * down[j, :, 0, 0][None, :]
                    delta += outer[:, :, None, None] * mid[i, j]
            weight_of(unet, layer).add_((delta * alpha / rank).float())
    file = dict(shapes=shapes, seed=seed, gain=1.5, alpha=alpha)
    return dict(network=network, files=[file], strengths=[1.0]), run(unet)


def full_case(network: str, seed: int) -> tuple[dict, torch.Tensor]:
    """Differences of weights, biases and normalisations, at half strength."""
    shapes, targets = {}, {}
    for layer, module in make_unet(network).named_modules():
        if not layer.endswith(("mid_block.resnets.0.conv1", "attn2.to_out.0", "norm2", "up_blocks.0.resnets.1.norm1")):
            continue
        stem = "lora_unet_" + layer.replace(".", "_")
        is_norm = "norm" in layer
        for end, parameter in (("w_norm" if is_norm else "diff", "weight"), ("b_norm" if is_norm else "diff_b", "bias")):
            shapes[f"{stem}.{end}"] = list(getattr(module, parameter).shape)
            targets[f"{stem}.{end}"] = f"{layer}.{parameter}"
    tensors = draw(shapes, seed, 0.5)
    unet = make_unet(network)
    with torch.no_grad():
        for key, parameter in targets.items():
            unet.get_parameter(parameter).add_(0.5 * tensors[key])
    return dict(network=network, files=[dict(shapes=shapes, seed=seed, gain=0.5)], strengths=[0.5]), run(unet)


def kohya_dora_case(network: str, seed: int, by_inputs: bool) -> tuple[dict, torch.Tensor]:
    """dora_scale of LyCORIS, one length an output or, in old files, an input; formula of arXiv:2402.09353."""
    shapes, layers, rank, alpha = {}, {}, 2, 1.0
    for layer, (down, up) in layer_shapes(network, ("attn1.to_q", "mid_block.resnets.1.conv2"), rank).items():
        stem = "lora_unet_" + layer.replace(".", "_")
        layers[stem] = layer
        ones = [1] * (len(up) - 2)
        shapes |= {stem + ".lora_down.weight": down, stem + ".lora_up.weight": up, stem + ".alpha": [],
                   stem + ".dora_scale": [1, down[1], *ones] if by_inputs else [up[0], 1, *ones]}
    tensors = draw(shapes, seed, 1.0, alpha=alpha)
    unet = make_unet(network)
    with torch.no_grad():
        for stem, layer in layers.items():
            weight = weight_of(unet, layer)
            down, up = (tensors[f"{stem}.lora_{role}.weight"].flatten(1) for role in ("down", "up"))
            changed = weight + (up @ down).reshape(weight.shape) * alpha / rank
            others = [i for i in range(weight.dim()) if i != (1 if by_inputs else 0)]
            weight.copy_(tensors[stem + ".dora_scale"] * changed / changed.pow(2).sum(others, keepdim=True).sqrt())
    file = dict(shapes=shapes, seed=seed, gain=1.0, alpha=alpha)
    return dict(network=network, files=[file], strengths=[1.0]), run(unet)


def several_case(seed: int) -> tuple[dict, torch.Tensor]:
    """A LoRA, a LoHa and a LoKr at once, each at its own strength; peft merges one after the other."""
    unet = make_unet("unet_sd1")
    files, strengths = [], [0.7, -0.4, 1.3]
    for i, name in enumerate(("peft_lora", "peft_loha", "peft_lokr")):
        case, _ = peft_case(name, seed + i)
        files.append(case["files"][0])
    for i, name in enumerate(("peft_lora", "peft_loha", "peft_lokr")):
        _, config, gain = PEFT[name]
        other = make_unet("unet_sd1")
        inject_adapter_in_model(config, other)
        tensors = draw(shapes_of(get_peft_model_state_dict(other)), seed + i, gain)
        set_peft_model_state_dict(other, tensors)
        with torch.no_grad():
            for layer, module in other.named_modules():
                if hasattr(module, "get_delta_weight"):
                    weight_of(unet, layer).add_(strengths[i] * module.get_delta_weight("default"))
    return dict(network="unet_sd1", files=files, strengths=strengths), run(unet)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    cases, outputs = {}, {}
    makers = {name: lambda seed, name=name: peft_case(name, seed) for name in PEFT}
    makers |= {
        "base_sd1": lambda seed: (dict(network="unet_sd1", files=[], strengths=[]), run(make_unet("unet_sd1"))),
        "diffusers_sd1": lambda seed: diffusers_case("unet_sd1", seed),
        "diffusers_sdxl": lambda seed: diffusers_case("unet_sdxl", seed),
        "kohya_sd1": lambda seed: kohya_case("unet_sd1", seed, original=False),
        "kohya_sdxl_original": lambda seed: kohya_case("unet_sdxl", seed, original=True),
        "processors": lambda seed: processor_case("unet_sd1", seed),
        "locon_mid": lambda seed: locon_case("unet_sd1", seed),
        "full": lambda seed: full_case("unet_sd1", seed),
        "kohya_dora": lambda seed: kohya_dora_case("unet_sd1", seed, by_inputs=False),
        "kohya_dora_inputs": lambda seed: kohya_dora_case("unet_sd1", seed, by_inputs=True),
        "several": several_case,
    }
    for seed, (name, make) in enumerate(makers.items(), start=100):
        cases[name], output = make(seed)
        outputs[name] = output.contiguous()
        print(name, float(output.abs().max()))
    for case in cases.values():
        for file in case["files"]:
            file["shapes"] = packed(file["shapes"])
    (OUT / "networks.json").write_text(json.dumps(cases, separators=(",", ":")).replace('{"network"', '\n{"network"') + "\n")
    save_file(outputs, OUT / "networks.safetensors")


if __name__ == "__main__":
    main()
