"""What nvcc made of the CUDA kernels: no spills, no more registers than recorded, and the instructions that are meant.

Usage: ptxas_test.py BUILD_FOLDER BUDGET.json [--record]
BUILD_FOLDER holds *.ptxas (what ptxas said) and *.o. Instructions are read with cuobjdump where it is found (PATH,
CUDA, or Triton's wheel); where it is not, that part is skipped and says so."""

import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys

ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")
NAME = re.compile(
    r"(flash_attention|text_attention|hopper_attention|group_norm_sums|group_norm_factors|group_norm_apply|layer_norm"
    r"|gated_gelu|softmax|combine)_kernelI(\w+?)EEv")
ELEMENTS = {"0": "float32", "1": "float16", "2": "bfloat16"}

# Kernel, architecture -> instructions that must be there. HMMA: tensor cores, LDSM: ldmatrix, LDGSTS: copies in the
# background, HGMMA and UTMALDG: Hopper's tensor cores and bulk copies.
INSTRUCTIONS = {
    ("flash_attention", "sm_80"): ("HMMA.16816", "LDSM", "LDGSTS", "MUFU.EX2"),
    ("flash_attention", "sm_90"): ("HMMA.16816", "LDSM", "LDGSTS", "MUFU.EX2"),
    ("text_attention", "sm_80"): ("HMMA.16816", "LDSM", "LDGSTS", "MUFU.EX2"),
    ("hopper_attention", "sm_90a"): ("HGMMA", "UTMALDG", "MUFU.EX2"),
}


def short_name(mangled: str) -> str:
    """flash_attention<bfloat16, 40> of a mangled kernel."""
    match = NAME.search(mangled)
    if not match:
        return mangled
    name = match.group(1)
    element = re.search(r"ElementE(\d)", match.group(2))
    sizes = re.findall(r"Li(\d+)E", match.group(2) + "E")
    return f"{name}<{', '.join([ELEMENTS[element.group(1)]] * bool(element) + sizes)}>"


def usage(folder: pathlib.Path) -> dict[str, dict]:
    """'kernel sm' -> registers and spilled bytes."""
    out, key = {}, None
    for log in sorted(folder.glob("*.ptxas")):
        for line in log.read_text().splitlines():
            if match := ENTRY.search(line):
                key = f"{short_name(match.group(1))} {match.group(2)}"
                out[key] = {}
            elif key and (match := SPILLS.search(line)):
                out[key]["spilled"] = sum(map(int, match.groups()))
            elif key and (match := REGISTERS.search(line)):
                out[key]["registers"] = int(match.group(1))
    return out


def usage_faults(measured: dict[str, dict], budget: dict[str, int]) -> list[str]:
    faults = [f"{key}: {use.get('spilled')} bytes on the stack or spilled" for key, use in measured.items() if use.get("spilled") != 0]
    for key, use in measured.items():
        if key not in budget:
            faults.append(f"{key}: not in the budget (run with --record)")
        elif use.get("registers", 999) > budget[key]:
            faults.append(f"{key}: {use['registers']} registers, the budget is {budget[key]}")
    return faults + [f"{key}: in the budget, but not built" for key in budget if key not in measured]


def find_cuobjdump() -> str | None:
    if found := shutil.which("cuobjdump") or shutil.which("cuobjdump", path="/usr/local/cuda/bin"):
        return found
    for place in [importlib.util.find_spec("triton")]:
        if place and place.submodule_search_locations:
            path = pathlib.Path(place.submodule_search_locations[0]) / "backends/nvidia/bin/cuobjdump"
            if path.exists():
                return str(path)
    return None


def sass_faults(cuobjdump: str, folder: pathlib.Path) -> list[str]:
    faults = []
    seen = set()
    for architecture in sorted({sm for _, sm in INSTRUCTIONS}):
        for object_file in sorted(folder.glob("*.o")):
            run = subprocess.run([cuobjdump, "-sass", "-arch", architecture, str(object_file)], capture_output=True, text=True)
            for body in re.split(r"\n\s*Function : ", run.stdout)[1:]:
                name = short_name(body.split("\n", 1)[0].strip())
                seen.add((name.split("<")[0], architecture))
                wanted = INSTRUCTIONS.get((name.split("<")[0], architecture), ())
                faults += [f"{name} {architecture}: no {word}" for word in wanted if word not in body]
    built = {path.stem for path in folder.glob("*.o")}
    for name, architecture in INSTRUCTIONS:
        if (name, architecture) not in seen and (name != "hopper_attention" or "hopper_attention" in built):
            faults.append(f"{name} {architecture}: not found")
    return faults


def main() -> int:
    folder, budget_file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    measured = usage(folder)
    if "--record" in sys.argv:
        lines = [f' "{key}": {use["registers"]}' for key, use in sorted(measured.items())]
        budget_file.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    faults = usage_faults(measured, json.loads(budget_file.read_text()))
    if cuobjdump := find_cuobjdump():
        faults += sass_faults(cuobjdump, folder)
    else:
        print("cuobjdump was not found: the instructions were not looked at")
    # That a fault would be found:
    assert usage_faults({"a sm_80": {"registers": 9, "spilled": 4}}, {"a sm_80": 8, "b sm_80": 8})[2:], "three faults"
    print("\n".join(faults) or f"{len(measured)} kernels are within their budgets")
    return 1 if faults or not measured else 0


sys.exit(main())
