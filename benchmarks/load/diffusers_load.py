"""Loads a pipeline with diffusers once and prints how long that took, as JSON. Imports are not counted.

Usage: python diffusers_load.py FOLDER float32|bfloat16
"""

import json
import sys
import time

import torch
from diffusers import StableDiffusionPipeline

from transformers import CLIPTextModel, CLIPTokenizer  # noqa: F401  (imported lazily otherwise, inside the timed part)

torch.set_grad_enabled(False)
start = time.perf_counter()
pipeline = StableDiffusionPipeline.from_pretrained(sys.argv[1], torch_dtype=getattr(torch, sys.argv[2]),
                                                   local_files_only=True)
print(json.dumps({"seconds": time.perf_counter() - start, "parameters": sum(
    p.numel() for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder) for p in part.parameters())}))
