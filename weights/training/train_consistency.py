"""Distils a U-Net for 1 to 4 steps: latent consistency (arXiv:2310.04378) with the guidance scale fixed.

The student begins as the teacher. Over pairs of neighbouring timesteps of a DDIM grid, its estimate of the clean latents at
the noisier one is drawn to that of its own average at the other, which the guided teacher's DDIM step reaches. Names follow
the paper: z is noisy, f the consistency function. The result is for the scheduler LCMScheduler.
"""

import argparse
import pathlib

import torch

from base_model import add_base_options, load_base, load_unet
from loop import Run, Settings, settings_of
from train_denoiser import Batches, train_attention_explicitly

GRID, SIGMA_DATA, TIMESTEP_SCALING = 50, .5, 10.  # DDIM steps, and LCMScheduler's constants
HUBER = 1e-3


def boundary(timesteps) -> tuple:
    """c_skip and c_out, [batch, 1, 1, 1]: f is the identity at timestep 0 (appendix of the paper)."""
    scaled = timesteps[:, None, None, None].float() * TIMESTEP_SCALING
    return SIGMA_DATA ** 2 / (scaled ** 2 + SIGMA_DATA ** 2), scaled / (scaled ** 2 + SIGMA_DATA ** 2).sqrt()


class Distillation:
    """Teacher, student, and the student's average, which gives the targets."""

    def __init__(self, teacher, student, target, alphas, guidance: float):
        self.teacher, self.student, self.target = teacher.requires_grad_(False), student, target.requires_grad_(False)
        self.alphas, self.guidance = alphas, guidance

    def levels(self, timesteps) -> tuple:
        """sqrt(alpha bar) and sqrt(1 - alpha bar), [batch, 1, 1, 1]."""
        alphas = self.alphas[timesteps][:, None, None, None]
        return alphas.sqrt(), (1 - alphas).sqrt()

    def estimate(self, unet, z, timesteps, states):
        """f: the clean latents, as the network sees them."""
        alpha, sigma = self.levels(timesteps)
        velocity = unet(z, timesteps, states).sample.float()
        skip, out = boundary(timesteps)
        return skip * z + out * (alpha * z - sigma * velocity)

    @torch.no_grad()
    def teacher_step(self, z, timesteps, earlier, states, empty):
        """One guided DDIM step from the timesteps to the earlier ones."""
        both = self.teacher(torch.cat([z, z]), timesteps.repeat(2), torch.cat([states, empty])).sample.float()
        said, unsaid = both.chunk(2)
        velocity = unsaid + self.guidance * (said - unsaid)
        alpha, sigma = self.levels(timesteps)
        clean, noise = alpha * z - sigma * velocity, sigma * z + alpha * velocity
        alpha, sigma = self.levels(earlier)
        return alpha * clean + sigma * noise

    def loss(self, clean, states, empty):
        spacing = len(self.alphas) // GRID
        earlier = (torch.randint(0, GRID - 1, (len(clean), )) + 1) * spacing - 1
        timesteps = earlier + spacing
        alpha, sigma = self.levels(timesteps)
        z = alpha * clean + sigma * torch.randn_like(clean)
        stepped = self.teacher_step(z, timesteps, earlier, states, empty)
        with torch.no_grad():
            wanted = self.estimate(self.target, stepped, earlier, states)
        found = self.estimate(self.student, z, timesteps, states)
        return ((found - wanted) ** 2 + HUBER ** 2).sqrt().mean() - HUBER


@torch.no_grad()
def follow(target, student, decay: float = .95) -> None:
    torch._foreach_lerp_(list(target.parameters()), list(student.parameters()), 1 - decay)


def train(distillation: Distillation, text_encoder, batches: Batches, settings: Settings, folder: pathlib.Path,
          resume: bool = False) -> Run:
    for network in (distillation.teacher, distillation.student, distillation.target):
        train_attention_explicitly(network)
    run = Run(folder, {"unet": distillation.student.train()}, settings)
    if resume:
        run.resume()
        distillation.target.load_state_dict(distillation.student.state_dict())
    with torch.no_grad():
        empty = text_encoder(batches.ids_of([""])).last_hidden_state

    def losses(step, rng):
        follow(distillation.target, distillation.student)
        clean, ids, _ = batches.draw_clean(rng)
        with torch.no_grad():
            states = text_encoder(ids).last_hidden_state
        return distillation.loss(clean, states, empty.expand(len(clean), -1, -1)), {}

    run.train(losses)
    return run


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--guidance", type=float, default=4., help="the teacher's guidance scale (default: 4)")
    add_base_options(parser, 2e-4, model="a pipeline folder: the teacher")


def run(options) -> None:
    base = load_base(options)
    distillation = Distillation(base.unet, load_unet(options.model), load_unet(options.model), base.batches.alphas, options.guidance)
    training = train(distillation, base.text_encoder, base.batches, settings_of(options), options.work, options.resume)
    training.write("unet", options.out)
