"""Expected pictures of whole pipelines with LoRAs and textual inversions: the real StableDiffusionPipeline over the
random model of pipelines.py, its own loaders and set_adapters.

Writes tests/data/adapters/pipelines.json (requests and files; factors come from seeds, see adapters.py) and
images.safetensors (uint8 [images, height, width, 3] a case).
Run: OMP_NUM_THREADS=1 python tests/reference/adapter_pipelines.py
"""

import json
import pathlib
import tempfile

import torch
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

import pipelines
from adapters import OUT, draw, read_metadata, shapes_of
from packed_names import packed

BASE = dict(prompt="a gold crown on red cloth", width=64, height=64, steps=5, guidance=4.0, seed=11)
UNET = r".*(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.0\.proj|up_blocks\.1\.resnets\.0\.conv1)"
TEXT = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]


def pipeline():
    pipe = pipelines.random_pipeline()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def written_by_diffusers(seed: int) -> dict:
    """The keys and metadata that save_lora_weights writes for a U-Net and a text encoder."""
    pipe = pipeline()
    pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=3, target_modules=UNET))
    pipe.text_encoder.add_adapter(LoraConfig(r=3, lora_alpha=2, target_modules=TEXT))
    return saved(pipe, seed, text_encoder_lora_layers=get_peft_model_state_dict(pipe.text_encoder),
                 text_encoder_lora_adapter_metadata=pipe.text_encoder.peft_config["default"].to_dict())


def dora(seed: int) -> dict:
    """For the U-Net alone: this transformers loses the magnitudes of a text encoder when it loads them."""
    pipe = pipeline()
    pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=UNET))
    return saved(pipe, seed)


def saved(pipe, seed: int, **text) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        pipe.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(pipe.unet),
                               unet_lora_adapter_metadata=pipe.unet.peft_config["default"].to_dict(), **text)
        path = pathlib.Path(folder) / "pytorch_lora_weights.safetensors"
        return dict(shapes=shapes_of(load_file(path)), seed=seed, gain=1.0, metadata=read_metadata(path))


def written_by_kohya(seed: int) -> dict:
    """The names of kohya-ss' scripts for both networks."""
    pipe, shapes, rank = pipeline(), {}, 2
    for prefix, network, ends in (("lora_unet_", pipe.unet, ("attn1.to_q", "attn2.to_v", "ff.net.2", "proj_in")),
                                  ("lora_te_", pipe.text_encoder, ("q_proj", "out_proj", "fc1", "fc2"))):
        for name, module in network.named_modules():
            if not name.endswith(ends) or "down_blocks.1" in name:
                continue
            shape = list(module.weight.shape)
            if prefix == "lora_te_" and not name.startswith("text_model"):
                name = "text_model." + name
            stem = prefix + name.replace(".", "_")
            shapes |= {stem + ".lora_down.weight": [rank, *shape[1:]], stem + ".alpha": [],
                       stem + ".lora_up.weight": [shape[0], rank] + [1] * (len(shape) - 2)}
    return dict(shapes=shapes, seed=seed, gain=1.0, alpha=1.0)


def embedding(name: str, shape: list, seed: int) -> dict:
    return dict(shapes={name: shape}, seed=seed, gain=1.0)


FILES = {
    "kohya": written_by_kohya(1),
    "diffusers": written_by_diffusers(2),
    "dora": dora(3),
    "one_vector": embedding("<ruby>", [32], 4),
    "three_vectors": embedding("<old-map>", [3, 32], 5),
    "emb_params": embedding("emb_params", [2, 32], 6),
}
CASES = {
    "none": {},
    "kohya": dict(adapters=[("kohya", 1.0, 1.0)]),
    "diffusers": dict(adapters=[("diffusers", 1.0, 1.0)]),
    "strengths": dict(adapters=[("kohya", 0.6, 1.3)]),
    "two": dict(adapters=[("kohya", 0.8, 0.5), ("diffusers", -0.4, 0.9)], images=2, negative_prompt="a blue coin"),
    "dora": dict(adapters=[("dora", 1.0, 1.0)]),
    "dora_half": dict(adapters=[("dora", 0.5, 0.7)]),
    "one_vector": dict(prompt="a <ruby> crown, <Ruby>", embeddings=[("one_vector", [])]),
    "three_vectors": dict(prompt="a <old-map> on <old-map>s", embeddings=[("three_vectors", [])]),
    "several_words": dict(prompt="a <ruby> on zxq map", negative_prompt="<old-map>",
                          embeddings=[("emb_params", ["zxq"]), ("one_vector", []), ("three_vectors", [])]),
    "word_and_lora": dict(prompt="a <ruby> crown", embeddings=[("one_vector", [])], adapters=[("kohya", 1.0, 1.0)]),
}


def run(case: dict) -> torch.Tensor:
    pipe = pipeline()
    with tempfile.TemporaryDirectory() as folder:
        for name, tokens in case.get("embeddings", []):
            file = FILES[name]
            save_file(draw(file["shapes"], file["seed"], file["gain"]), f"{folder}/{name}.safetensors")
            pipe.load_textual_inversion(folder, weight_name=f"{name}.safetensors", token=tokens[0] if tokens else None,
                                        local_files_only=True)
        for name, _, _ in case.get("adapters", []):
            file = FILES[name]
            tensors = draw(file["shapes"], file["seed"], file["gain"], file.get("alpha"))
            # This transformers names the encoder's layers without "text_model", which this diffusers does not know yet.
            tensors = {key.replace("lora_te_text_model_", "lora_te_"): tensor for key, tensor in tensors.items()}
            save_file(tensors, f"{folder}/{name}.safetensors", file.get("metadata"))
            pipe.load_lora_weights(folder, weight_name=f"{name}.safetensors", adapter_name=name)
    if "adapters" in case:
        names = [name for name, _, _ in case["adapters"]]
        strengths = [dict(unet=unet) | (dict(text_encoder=text) if name != "dora" else {})
                     for name, unet, text in case["adapters"]]
        pipe.set_adapters(names, strengths)
    return pipelines.run(pipe, BASE | case)


def main() -> None:
    torch.set_grad_enabled(False)
    images = {name: run(case) for name, case in CASES.items()}
    for name, image in images.items():
        print(name, float((image.float() - images["none"][:1].float()).abs().mean()))
    for file in FILES.values():
        file["shapes"] = packed(file["shapes"])
    text = json.dumps(dict(files=FILES, cases={name: BASE | case for name, case in CASES.items()}), indent=1)
    (OUT / "pipelines.json").write_text(text + "\n")
    save_file(images, OUT / "images.safetensors")


if __name__ == "__main__":
    main()
