"""What `fjord convert` writes, read by diffusers: both ways, for the small random models of single_file.py.

Checks, writes nothing. The folder loads by from_pretrained and the file by from_single_file, every tensor is bit-equal
to the model's, and both make the same picture.
Run: FJORD_PROGRAM=build/release/bin/fjord python tests/reference/converted.py
"""

import os
import pathlib
import subprocess
import tempfile

import diffusers
import torch
from safetensors.torch import load_file, save_file

import original_layout as layout
import single_file

PROGRAM = os.environ["FJORD_PROGRAM"]


def convert(source: pathlib.Path, destination: pathlib.Path, *options: str) -> None:
    subprocess.run([PROGRAM, "convert", str(source), str(destination), *options], check=True)


def picture(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe("a red gem", width=64, height=64, num_inference_steps=2,
                generator=torch.Generator("cpu").manual_seed(1), output_type="np").images


def check(name: str, work: pathlib.Path) -> None:
    parts = single_file.small_parts(name)
    texts = {folder: part for folder, part in parts.items() if folder.startswith("text")}
    file = {}
    for component, wanted in single_file.recipes(name, parts["unet"], parts["vae"], texts).items():
        state = parts[component].state_dict()
        file |= {key: layout.make(recipe, state) for key, recipe in wanted.items()}
    tensors = {key: tensor.clone().contiguous() for key, tensor in (file | single_file.extras(name, file)).items()}
    save_file(tensors, work / "model.safetensors")

    convert(work / "model.safetensors", work / "folder", "--tokenizer", str(single_file.TOKENIZER))
    kind = getattr(diffusers, single_file.SMALL[name]["pipeline"])
    pipe = kind.from_pretrained(work / "folder", torch_dtype=torch.float32)
    for component, part in parts.items():
        layout.check_equal(getattr(pipe, component).state_dict(), part.state_dict(), f"{name}: {component}")

    convert(work / "folder", work / "again.safetensors")
    again = load_file(work / "again.safetensors")
    markers = {key for key in again if key not in file}
    assert markers <= {"v_pred", "ztsnr"}, markers
    assert all(torch.equal(again[key], tensor) for key, tensor in file.items()), name
    convert(work / "folder", work / "half.safetensors", "--dtype", "float16")
    half = load_file(work / "half.safetensors")
    assert all(torch.equal(half[key], tensor.half()) for key, tensor in file.items()), name
    convert(work / "model.safetensors", work / "shards", "--tokenizer", str(single_file.TOKENIZER), "--shard-size", "1")
    shards = kind.from_pretrained(work / "shards", torch_dtype=torch.float32)
    layout.check_equal(shards.unet.state_dict(), parts["unet"].state_dict(), f"{name}: shards")

    single = kind.from_single_file(str(work / "again.safetensors"), config=str(work / "folder"),
                                   torch_dtype=torch.float32, local_files_only=True,
                                   **{folder: getattr(pipe, folder) for folder in texts})
    for component, part in parts.items():
        layout.check_equal(getattr(single, component).state_dict(), part.state_dict(), f"{name}: {component}")
    if name != "refiner":
        assert (picture(single) == picture(pipe)).all(), name
    print(f"{name}: folder, file, shards and float16 are as diffusers reads them")


def main() -> None:
    torch.set_grad_enabled(False)
    for name in single_file.SMALL:
        with tempfile.TemporaryDirectory() as work:
            check(name, pathlib.Path(work))


if __name__ == "__main__":
    main()
