"""Trains a LoRA for the U-Net: low-rank changes of the attention's projections and, with --convolutions, of the residual
blocks (arXiv:2106.09685, LoCon). DATA is a folder of pictures in one style, such as `data --styled 1 --filters sketch` makes.

Writes OUT.safetensors twice: OUT-kohya.safetensors in the names of kohya-ss, OUT-peft.safetensors in those of peft.
"""

import argparse
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

from base_model import add_base_options, load_base
from loop import Run, Settings, settings_of
from train_denoiser import Batches, loss_weights, losses, train_attention_explicitly

PROJECTIONS, CONVOLUTIONS = ("to_q", "to_k", "to_v", "to_out.0"), ("conv1", "conv2")


class Lora(nn.Module):
    """A layer and a change of low rank beside it; the change begins at zero."""

    def __init__(self, layer: nn.Module, rank: int):
        super().__init__()
        self.layer = layer
        if isinstance(layer, nn.Conv2d):
            self.down = nn.Conv2d(layer.in_channels, rank, layer.kernel_size, layer.stride, layer.padding, bias=False)
            self.up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        else:
            self.down = nn.Linear(layer.in_features, rank, bias=False)
            self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x, *_):
        return self.layer(x) + self.up(self.down(x))


def add_lora(unet: nn.Module, rank: int, convolutions: bool) -> dict:
    """Freezes the network, puts a Lora around its layers, and returns them by the layers' names."""
    unet.requires_grad_(False)
    endings = PROJECTIONS + (CONVOLUTIONS if convolutions else ())
    names = [name for name, _ in unet.named_modules() if any(name.endswith("." + ending) for ending in endings)]
    loras = {}
    for name in names:
        parent = unet.get_submodule(name.rpartition(".")[0])
        loras[name] = Lora(unet.get_submodule(name), rank)
        setattr(parent, name.rpartition(".")[2], loras[name])
    return loras


def kohya_names(loras: dict) -> dict:
    out = {}
    for name, lora in loras.items():
        key = "lora_unet_" + name.replace(".", "_")
        out |= {f"{key}.lora_down.weight": lora.down.weight, f"{key}.lora_up.weight": lora.up.weight,
                f"{key}.alpha": torch.tensor(float(lora.down.weight.shape[0]))}
    return out


def peft_names(loras: dict) -> dict:
    out = {}
    for name, lora in loras.items():
        out |= {f"unet.{name}.lora_A.weight": lora.down.weight, f"unet.{name}.lora_B.weight": lora.up.weight}
    return out


def save(tensors: dict, file: pathlib.Path) -> None:
    part = file.with_suffix(".part")
    save_file({name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}, part)
    part.rename(file)


def train(unet, text_encoder, batches: Batches, trained: nn.Module, settings: Settings, folder: pathlib.Path, resume: bool = False):
    train_attention_explicitly(unet)
    weights = loss_weights(batches.alphas)
    run = Run(folder, {"lora": trained}, settings)
    if resume:
        run.resume()
    run.train(lambda step, rng: losses(unet, text_encoder, batches, weights, rng))
    run.average.swap()
    return run


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--convolutions", action="store_true")
    add_base_options(parser, 2e-3, out="path and beginning of the names of the files")


def run(options) -> None:
    base = load_base(options)
    loras = add_lora(base.unet, options.rank, options.convolutions)
    train(base.unet, base.text_encoder, base.batches, nn.ModuleList(loras.values()),
          settings_of(options, weight_decay=0., average=.98), options.work, options.resume)
    save(kohya_names(loras), options.out.with_name(options.out.name + "-kohya.safetensors"))
    save(peft_names(loras), options.out.with_name(options.out.name + "-peft.safetensors"))
