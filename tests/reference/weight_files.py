"""Weights as diffusers and transformers write them: plain, of the variant fp16, and both again in shards.

Writes tests/data/weight_files/{whole,shards}/{vae,text_encoder}. The float16 weights are the float32 ones rounded.
Run: python tests/reference/weight_files.py
"""

import pathlib
import shutil

from diffusers import AutoencoderKL
from transformers import CLIPTextConfig, CLIPTextModel

from seeded_weights import fill

OUT = pathlib.Path("tests/data/weight_files")


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    vae = AutoencoderKL(block_out_channels=(4, ), norm_num_groups=2, latent_channels=2, layers_per_block=1)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=8, hidden_size=4, intermediate_size=8, num_hidden_layers=1,
                                        num_attention_heads=1, max_position_embeddings=4, projection_dim=4))
    for part, model in (("vae", vae), ("text_encoder", text)):
        for kind, options in (("whole", {}), ("shards", {"max_shard_size": 6000 if part == "vae" else 400})):
            fill(model.float(), 3)
            model.save_pretrained(OUT / kind / part, **options)
            model.half().save_pretrained(OUT / kind / part, variant="fp16", **options)


if __name__ == "__main__":
    main()
