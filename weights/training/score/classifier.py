"""The classifier: a small residual network with one head for every attribute; its pooled features also serve the distance."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from score.attributes import ATTRIBUTES, NONE

FEATURES = 256
INPUT = 128  # pictures of other sizes are scaled to this


class Block(nn.Module):
    """Two convolutions beside a skip; halves the size."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, 2, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(after)
        self.skip = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, x):
        hidden = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(hidden)) + self.skip(F.avg_pool2d(x, 2)))


class Classifier(nn.Module):
    """[batch, 3, height, width] in -1..1 -> for every attribute, logits [batch, values]."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 5, 2, 2)
        self.blocks = nn.Sequential(Block(24, 64), Block(64, 128), Block(128, 192))
        self.shared = nn.Linear(192 * 16 + 2 * 192, FEATURES)
        self.heads = nn.ModuleDict({name: nn.Linear(FEATURES, len(values)) for name, values in ATTRIBUTES.items()})

    def features(self, pictures):
        """[batch, FEATURES]"""
        if pictures.shape[-1] != INPUT:
            pictures = F.interpolate(pictures, (INPUT, INPUT), mode="area")
        maps = self.blocks(F.relu(self.stem(pictures))).float()
        pooled = [F.adaptive_avg_pool2d(maps, 4).flatten(1), maps.mean((2, 3)), maps.amax((2, 3))]
        return F.relu(self.shared(torch.cat(pooled, 1)))

    def forward(self, pictures):
        features = self.features(pictures)
        return {name: head(features) for name, head in self.heads.items()}


@torch.no_grad()
def read(classifier, batches) -> tuple:
    """For batches of pictures: the attributes' values [count, attributes] and the features [count, FEATURES]."""
    classifier.eval()
    found, features = [], []
    for batch in batches:
        hidden = classifier.features(batch)
        features.append(hidden)
        found.append(torch.stack([head(hidden).argmax(1) for head in classifier.heads.values()], 1))
    return torch.cat(found).numpy(), torch.cat(features).numpy()


def shares(found: np.ndarray, wanted: np.ndarray) -> dict:
    """Share of right attributes: over all, of pictures in which all are right, by kind, and by attribute."""
    asked = wanted != NONE
    right = (found == wanted) | ~asked
    out = {"attributes": right[asked].mean(), "pictures": right.all(1).mean()}
    for i, kind in enumerate(ATTRIBUTES["kind"]):
        rows = wanted[:, 0] == i
        if rows.any():
            out[f"pictures: {kind}"] = right[rows].all(1).mean()
    for i, name in enumerate(ATTRIBUTES):
        if asked[:, i].any():
            out[f"attribute: {name}"] = right[asked[:, i], i].mean()
    return {name: float(share) for name, share in out.items()}
