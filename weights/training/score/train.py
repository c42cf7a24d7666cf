"""Trains the classifier on rendered pictures (other seeds than the model's), partly as a VAE reconstructs them, so that the
VAE's softness is not held against a picture. Prints its accuracy on held-out renders, and writes OUT (a .pt file).
"""

import argparse
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from data import load_images, load_scenes, styled_scene
from loop import Run, Settings, add_options as add_loop_options, settings_of
from rendering.render import render, to_bytes
from score.attributes import NONE, labels
from score.classifier import Classifier, read, shares
from train_vae import load_vae, to_batch

BATCH = 64
HELD_OUT_STYLED = .15


def disturbed(batch, rng):
    """Shifted a little, brighter or darker, noisy."""
    batch = torch.roll(batch, tuple(int(shift) for shift in rng.integers(-5, 6, 2)), (2, 3))
    return batch + torch.randn(len(batch), 1, 1, 1) * .04 + torch.randn_like(batch) * .04 * torch.rand(())


def loss_of(outputs: dict, wanted):
    total = 0.
    for column, logits in enumerate(outputs.values()):
        if (wanted[:, column] != NONE).any():
            total = total + F.cross_entropy(logits.float(), wanted[:, column], ignore_index=NONE, label_smoothing=.02)
    return total


@torch.no_grad()
def reconstructed(vae, images) -> np.ndarray:
    """uint8, as the pictures."""
    out = []
    for begin in range(0, len(images), 32):
        batch = vae.decode(vae.encode(to_batch(images[begin:begin + 32])).latent_dist.mode()).sample.float()
        out.append(((batch.clamp(-1, 1) + 1) * 127.5 + .5).to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return np.concatenate(out)


def train(classifier, sets: list, wanted, settings: Settings, folder: pathlib.Path, resume: bool = False) -> Run:
    """sets: arrays of the same pictures, plain and perhaps reconstructed; a step draws from all of them."""
    run = Run(folder, {"classifier": classifier.train()}, settings)
    if resume:
        run.resume()

    def losses(step, rng):
        chosen = np.array_split(np.arange(BATCH), len(sets))
        indices = [np.sort(rng.integers(0, len(images), len(rows))) for images, rows in zip(sets, chosen)]
        batch = torch.cat([to_batch(images[rows]) for images, rows in zip(sets, indices)])
        outputs = classifier(disturbed(batch, rng))
        return loss_of(outputs, wanted[np.concatenate(indices)]), {}

    run.train(losses)
    return run


def accuracy(classifier, count: int, size: int = 128) -> dict:
    """On renders of the seeds 0, 1, 2, ..., which no training has seen."""
    scenes = [styled_scene(seed, HELD_OUT_STYLED) for seed in range(count)]
    batches = (to_batch([to_bytes(render(scenes[seed], [seed, 2], size)) for seed in range(begin, min(begin + 32, count))])
               for begin in range(0, count, 32))
    return shares(read(classifier, batches)[0], np.array([labels(scene) for scene in scenes]))


def show(scores: dict) -> str:
    return "\n".join(f"{name:32} {100 * share:6.2f} %" for name, share in scores.items())


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--from", dest="start", type=pathlib.Path, help="start from this classifier (a .pt file)")
    parser.add_argument("--vae", type=pathlib.Path, help="also learn from its reconstructions")
    parser.add_argument("--held-out", type=int, default=1000, help="renders for the accuracy (default: 1000)")
    add_loop_options(parser, 2e-3)


def run(options) -> None:
    torch.manual_seed(options.seed)
    images = load_images(options.data)
    classifier = load_classifier(options.start) if options.start else Classifier()
    wanted = torch.tensor([labels(scene) for scene in load_scenes(options.data)])
    sets = [images] + ([reconstructed(load_vae(options.vae).eval(), images[:6000])] if options.vae else [])
    training = train(classifier, sets, wanted, settings_of(options, average=.99), options.work, options.resume)
    training.average.swap()
    torch.save({name: value.half() if value.is_floating_point() else value for name, value in classifier.state_dict().items()},
               options.out)
    print(show(accuracy(load_classifier(options.out), options.held_out)))


def load_classifier(file: pathlib.Path) -> Classifier:
    classifier = Classifier()
    classifier.load_state_dict(torch.load(file, weights_only=True))
    return classifier.float().eval()
