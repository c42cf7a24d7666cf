"""Who takes part in a row, what each needs beforehand, and the command that each is timed by."""

import dataclasses
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TORCH_TYPES = {"fp32": "float32", "bf16": "bfloat16"}
SDCPP_WEIGHTS = {"fp32": "f32", "bf16": "f16", "int8": "q8_0"}
OPENVINO_TYPES = {**TORCH_TYPES, "int8": "auto"}


class Absent(Exception):
    """A contender that cannot take part in a row; the text says why."""


@dataclasses.dataclass(frozen=True)
class Row:
    model: str  # a folder beside the other models
    work: str  # unet | vae | text | image
    precision: str  # fp32 | bf16 | int8
    threads: int


@dataclasses.dataclass(frozen=True)
class Places:
    models: pathlib.Path
    programs: pathlib.Path


@dataclasses.dataclass
class Contender:
    command: list
    needs: list = dataclasses.field(default_factory=list)  # (path, the command that writes it)


def what_int8_leaves() -> str:
    """bfloat16 where the processor multiplies it, else float32, as OpenVINO chooses by itself."""
    return "bfloat16" if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text() else "float32"


def python(script: str, *arguments) -> list:
    return [sys.executable, HERE / script, *arguments]


def fjord(row: Row, repeats: int, places: Places) -> Contender:
    folder, needs = places.models / row.model, []
    if row.precision == "int8":
        program = places.programs / "fjord"
        if subprocess.run([program, "quantize", "--help"], capture_output=True).returncode != 0:
            raise Absent("this fjord cannot quantise")
        source, folder = folder, places.models / f"{row.model}-int8"
        needs = [(folder, [program, "quantize", source, folder])]
    dtype = TORCH_TYPES.get(row.precision) or what_int8_leaves()
    return Contender([places.programs / "bench_parts", folder, row.work, dtype, repeats], needs)


def exported(row: Row, part: str, places: Places, quantised: str | None = None) -> tuple:
    """The path of a part for OpenVINO and what writes it."""
    folder = places.models / f"{row.model}-openvino"
    plain = folder / f"{part}.xml"
    needs = [(plain, python("openvino_export.py", places.models / row.model, part, plain))]
    if quantised is None:
        return plain, needs
    path = folder / f"{part}-int8-{quantised}.xml"
    return path, [*needs, (path, python("openvino_int8.py", plain, path, quantised))]


def openvino(row: Row, repeats: int, places: Places, quantised: str = "all") -> Contender:
    kind = quantised if row.precision == "int8" else None
    dtype = OPENVINO_TYPES[row.precision]
    if row.work != "image":
        path, needs = exported(row, row.work, places, kind)
        return Contender(python("openvino_part.py", path, dtype, repeats, row.threads), needs)
    parts = [exported(row, part, places, kind if part == "unet" else None) for part in ("text", "unet", "vae")]
    paths, needs = [path for path, _ in parts], [need for _, needs in parts for need in needs]
    folder = places.models / row.model
    return Contender(python("openvino_image.py", folder, *paths, dtype, repeats, row.threads), needs)


def openvino_weights(row: Row, repeats: int, places: Places) -> Contender:
    if row.precision != "int8":
        raise Absent("for int8 only")
    return openvino(row, repeats, places, "weights")


def diffusers(row: Row, repeats: int, places: Places, *extra: str) -> Contender:
    if row.precision not in TORCH_TYPES:
        raise Absent("no int8 of its own")
    folder, dtype = places.models / row.model, TORCH_TYPES[row.precision]
    return Contender(python("torch_part.py", folder, row.work, dtype, repeats, row.threads, *extra))


def torch_compile(row: Row, repeats: int, places: Places) -> Contender:
    if row.model == "sdxl":
        raise Absent("frozen weights of this size would need twice the memory")
    return diffusers(row, repeats, places, "compile")


def sdcpp(row: Row, repeats: int, places: Places) -> Contender:
    if row.work == "text":
        raise Absent("gives no time of its own for the text encoder")
    if row.model == "sdxl":
        raise Absent("loads no U-Net without the rest of its pipeline")
    folder, weights = places.models / f"{row.model}-sdcpp", SDCPP_WEIGHTS[row.precision]
    needs = [(folder, python("sdcpp_model.py", places.models / row.model, folder))]
    return Contender(python("sdcpp_part.py", folder, row.work, weights, repeats, row.threads), needs)


PEERS = {"openvino": openvino, "openvino_weights": openvino_weights, "diffusers": diffusers,
         "torch_compile": torch_compile, "sdcpp": sdcpp}
QUICK_PEERS = ("openvino", "diffusers")
