"""A classifier that looks whether a picture shows what its prompt says, and scores pictures of the fjord program.

  judge.py train DATA VAE JUDGE.pt          about 6 minutes on one core; half of every batch has passed through the VAE,
                                            so that the VAE's softness is not held against a picture
  judge.py score JUDGE.pt PROGRAM MODEL     draws prompts in which every attribute is stated, runs the program, judges
Run from anywhere: python weights/training/judge.py ...
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from torch import nn

from make_dataset import load_images, load_scenes
from rendering.landscapes import TERRAINS, TIMES
from rendering.materials import MATERIALS, WEATHERINGS
from rendering.pixels import RGB
from rendering.scenes import BACKGROUND_COLOURS, BACKGROUND_MATERIALS, OBJECTS, draw_scene, full_caption, sample
from schedule import Budget, mixed_precision

# Attribute -> its possible values. The size of an object is not judged.
ATTRIBUTES = {
    "kind": ["material", "object", "two objects", "landscape"], "material": list(MATERIALS), "material_colour": list(RGB),
    "weathering": ["", *WEATHERINGS], "object": list(OBJECTS), "object_colour": list(RGB),
    "background": BACKGROUND_COLOURS + list(BACKGROUND_MATERIALS), "second_object": list(OBJECTS),
    "second_colour": list(RGB), "terrain": list(TERRAINS), "time": list(TIMES),
}
NONE = -100  # a scene without this attribute
BATCH, RECONSTRUCTED = 64, 40


def labels(scene) -> list:
    out = []
    for name, values in ATTRIBUTES.items():
        value = scene.background_colour or scene.background_material if name == "background" else getattr(scene, name)
        said = value or (name == "weathering" and scene.kind == "material")
        out.append(values.index(value) if said else NONE)
    return out


class Judge(nn.Module):
    """uint8 [batch, 128, 128, 3] -> for every attribute, logits [batch, values]."""

    def __init__(self):
        super().__init__()
        layers, before = [], 3
        for i, channels in enumerate((32, 64, 96, 128, 128)):
            layers += [nn.Conv2d(before, channels, 3, 1, 1), nn.BatchNorm2d(channels), nn.ReLU()]
            if i < 4:
                layers.append(nn.MaxPool2d(2))
            before = channels
        self.features = nn.Sequential(*layers)
        self.shared = nn.Linear(128 * 16 + 256, 256)
        self.heads = nn.ModuleList(nn.Linear(256, len(values)) for values in ATTRIBUTES.values())

    def forward(self, pictures):
        maps = self.features(F.avg_pool2d(pictures, 2)).float()
        pooled = [F.adaptive_avg_pool2d(maps, 4).flatten(1), maps.mean((2, 3)), maps.amax((2, 3))]
        hidden = F.relu(self.shared(torch.cat(pooled, 1)))
        return [head(hidden) for head in self.heads]


def to_batch(pixels) -> torch.Tensor:
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def reconstruct(vae, batch) -> torch.Tensor:
    with mixed_precision():
        return vae.decode(vae.encode(batch).latent_dist.mode()).sample.float().clamp(-1, 1)


def disturbed(batch, rng):
    """Shifted a little, brighter or darker, noisy."""
    batch = torch.roll(batch, tuple(int(shift) for shift in rng.integers(-5, 6, 2)), (2, 3))
    return batch + torch.randn(()) * .05 + torch.randn_like(batch) * .04 * torch.rand(())


def loss_of(outputs, wanted):
    total = 0.
    for column, logits in enumerate(outputs):
        if (wanted[:, column] != NONE).any():
            total = total + F.cross_entropy(logits.float(), wanted[:, column], ignore_index=NONE, label_smoothing=.02)
    return total


def train(judge, vae, images, scenes, budget: Budget, seed: int) -> list:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    wanted = torch.tensor([labels(scene) for scene in scenes])
    seen = min(len(images) // 2, 4096)
    reconstructed = torch.cat([reconstruct(vae, to_batch(images[i:i + 64])) for i in range(0, seen, 64)])
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=1e-3)
    history = []
    judge.train()
    while (part := budget.part()) < 1:
        real, soft = rng.integers(0, len(images), BATCH - RECONSTRUCTED), rng.integers(0, len(reconstructed), RECONSTRUCTED)
        batch = disturbed(torch.cat([to_batch(images[np.sort(real)]), reconstructed[soft]]), rng)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (.5 + .5 * np.cos(np.pi * part)) * min(1, (budget.step + 1) / 50) + 1e-5
        with mixed_precision():
            outputs = judge(batch)
        loss = loss_of(outputs, wanted[np.concatenate([np.sort(real), soft])])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        budget.step += 1
        history.append(loss.item())
        if budget.step % 100 == 0:
            print(f"{budget.seconds_so_far():.0f} s, step {budget.step}, loss {np.mean(history[-100:]):.3f}", flush=True)
    return history


@torch.no_grad()
def score(judge, pictures, scenes) -> dict:
    """Share of right attributes, and of pictures in which all are right, over all and by kind."""
    judge.eval()
    found = [torch.stack([logits.argmax(1) for logits in judge(to_batch(pictures[i:i + 64]))], 1)
             for i in range(0, len(pictures), 64)]
    wanted = np.array([labels(scene) for scene in scenes])
    asked = wanted != NONE
    right = (torch.cat(found).numpy() == wanted) | ~asked
    out = {"attributes": right[asked].mean(), "pictures": right.all(1).mean()}
    kinds = np.array([scene.kind for scene in scenes])
    return out | {kind: right[kinds == kind].all(1).mean() for kind in ATTRIBUTES["kind"] if (kinds == kind).any()}


def show(scores: dict) -> str:
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in scores.items())


def pictures_of(program, model, scenes, arguments: list) -> list:
    """One run of the program for every scene, seeds 0, 1, 2, ..."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "picture.png"
        for seed, scene in enumerate(scenes):
            subprocess.run([program, "txt2img", "--model", model, "--prompt", full_caption(scene), "--seed", str(seed),
                            "--progress", "none", "--out", file, *arguments], check=True, stdout=subprocess.DEVNULL)
            out.append(np.asarray(Image.open(file).convert("RGB")))
    return out


def run_train(options) -> None:
    vae = AutoencoderKL.from_pretrained(options.vae, torch_dtype=torch.float32).eval()
    judge = Judge()
    train(judge, vae, load_images(options.data), load_scenes(options.data), Budget(options.minutes, 0), 0)
    torch.save(judge.state_dict(), options.judge)
    held_out = [sample(seed) for seed in range(768)]
    pictures, scenes = [picture for picture, _, _ in held_out], [scene for _, _, scene in held_out]
    print("held-out pictures:", show(score(judge, pictures, scenes)))


def run_score(options) -> None:
    judge = Judge()
    judge.load_state_dict(torch.load(options.judge, weights_only=True))
    rng = np.random.default_rng(777)
    scenes = [draw_scene(rng) for _ in range(options.count)]
    pictures = pictures_of(options.program, options.model, scenes, options.arguments)
    print(show(score(judge, pictures, scenes)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    for name in ("data", "vae", "judge"):
        training.add_argument(name, type=pathlib.Path)
    training.add_argument("--minutes", type=float, default=6)
    training.set_defaults(run=run_train)
    scoring = commands.add_parser("score")
    for name in ("judge", "program", "model"):
        scoring.add_argument(name, type=pathlib.Path)
    scoring.add_argument("--count", type=int, default=256)
    scoring.add_argument("arguments", nargs="*", help="more options for the program, after --")
    scoring.set_defaults(run=run_score)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.run(options)


if __name__ == "__main__":
    main()
