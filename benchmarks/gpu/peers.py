"""A guided step of the same U-Nets, and a VAE decode, in diffusers: eager and compiled, bfloat16, channels last, on this GPU.

Prints JSON lines as bench_gpu does. Random weights: speed does not depend on them."""

import json
import pathlib
import sys
import time

import torch

KEYS = pathlib.Path(__file__).resolve().parents[2] / "tests/data/keys"
MODELS = [("unet_sd15", 512), ("unet_sd15", 1024), ("unet_sd21", 768), ("unet_sdxl", 1024)]


def milliseconds(step) -> float:
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    begin, count = time.perf_counter(), 20
    for _ in range(count):
        step()
    torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - begin) / count


def time_unet(name: str, size: int) -> None:
    from diffusers import UNet2DConditionModel

    config = json.loads((KEYS / f"{name}.json").read_text())
    unet = UNet2DConditionModel.from_config(config).to("cuda", torch.bfloat16, memory_format=torch.channels_last).eval()
    options = {"device": "cuda", "dtype": torch.bfloat16}
    sample = torch.randn(2, unet.config.in_channels, size // 8, size // 8, **options).to(memory_format=torch.channels_last)
    text = torch.randn(2, 77, unet.config.cross_attention_dim, **options)
    added = None
    if unet.config.addition_embed_type:
        added = {"text_embeds": torch.randn(2, 1280, **options), "time_ids": torch.ones(2, 6, **options)}
    timestep = torch.tensor(500, device="cuda")
    for how in ("eager", "compiled"):
        network = unet if how == "eager" else torch.compile(unet, mode="max-autotune", fullgraph=True)
        with torch.inference_mode():
            ms = milliseconds(lambda: network(sample, timestep, text, added_cond_kwargs=added).sample)
        print(json.dumps({"what": "unet", "model": name, "size": size, "by": f"diffusers {how}", "ms": ms}), flush=True)


def main() -> int:
    try:
        import diffusers  # noqa: F401
    except ImportError as error:
        print(json.dumps({"what": "peers", "skipped": str(error)}))
        return 0
    for name, size in MODELS:
        time_unet(name, size)
    return 0


sys.exit(main())
