#!/usr/bin/env python3
"""Writes the table of what is supported into README.md, from the tests that prove it.

Usage: scripts/support_table.py [--check]     --check: writes nothing, fails if the table is not what would be written

A row of docs/parity.md (scripts/parity_table.py makes it) is a request whose picture was compared with diffusers'. It is
looked up in the tests: a suite that no test has, a request that no test's data has, or a row of this table without any
request is an error. What a request is about follows from its own fields in tests/data.
"""

import collections
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARITY, README, TESTS = ROOT / "docs/parity.md", ROOT / "README.md", ROOT / "tests"
BEGIN, END = "<!-- supported: written by scripts/support_table.py -->", "<!-- supported: end -->"
FAMILIES = ("SD 1.x", "SD 2.x", "SDXL", "refiner")

# What models of the tests are; others are of the first family.
SECOND = {"sd2", "sd_turbo"}
LARGE = {"sdxl", "sdxl_encodes_empty", "sdxl_turbo", "lightning", "hyper", "fewer_layers", "normalized_latents", "two_texts",
         "xl_inpaint", "two_encoders"}
FEW_STEPS = {"lcm", "sd_turbo", "sdxl_turbo", "lightning", "hyper"}
DISTILLED = {"fewer_layers", "no_bottom", "guidance_embedded", "lcm"}
CHANGING = {"editing", "one_text", "two_texts"}
# Data files that are not tests/data/<kFolder of the test>/cases.json.
DATA = {"AdapterParityTest": "adapters/pipelines.json", "GuidanceParityTest": "guidance/cases.json",
        "SolverPicturesTest": "solver_pictures/cases.json"}

Request = collections.namedtuple("Request", "suite model fields")


def guidance_of(request: Request) -> dict:
    return request.fields.get("guidance_options", {}) | request.fields


def starts_from_picture(request: Request) -> bool:
    return bool(request.fields.get("pictures") or request.fields.get("start")) and request.model not in CHANGING


def paints(request: Request) -> bool:
    return bool(request.fields.get("mask") or request.fields.get("extend"))


def few_step_lora(request: Request) -> bool:
    return bool(request.fields.get("adapters")) and request.fields.get("scheduler") in ("LCMScheduler", "TCDScheduler")


def is_plain(request: Request) -> bool:
    return not starts_from_picture(request) and not request.fields.get("hires") and request.model not in CHANGING


# What is supported -> whether a request proves it.
ROWS = {
    "text to image": is_plain,
    "image to image": lambda r: starts_from_picture(r) and not paints(r),
    "inpainting, outpainting": paints,
    "a second, larger pass": lambda r: "hires" in r.fields,
    "changing a picture by a sentence (InstructPix2Pix)": lambda r: r.model in CHANGING,
    "pictures as prompts (IP-Adapter)": lambda r: bool(r.fields.get("prompts")),
    "ControlNet, T2I-Adapter": lambda r: bool(r.fields.get("controls")),
    "LoRA, DoRA": lambda r: bool(r.fields.get("adapters")),
    "textual inversion": lambda r: bool(r.fields.get("embeddings")),
    "few-step models and LoRAs (LCM, Turbo, Lightning, Hyper)": lambda r: r.model in FEW_STEPS or few_step_lora(r),
    "distilled U-Nets": lambda r: r.model in DISTILLED,
    "single files": lambda r: r.suite.startswith("SingleFile"),
    "prompts as A1111 and ComfyUI read them": lambda r: r.suite.startswith("Preset"),
    "perturbed-attention guidance": lambda r: guidance_of(r).get("perturbed_scale", 0) != 0,
    "FreeU, guidance schedules, heat maps": lambda r: any(key in guidance_of(r) for key in ("free_u", "schedule", "heat_maps")),
    "variations, seamless textures": lambda r: "variation" in r.fields or "seamless" in r.fields,
    "approximations": lambda r: r.suite.startswith("Approximation"),
}


def fail(sentence: str) -> None:
    sys.exit(f"support_table: {sentence}")


def sources() -> dict[str, str]:
    """Suite -> text of the test's source."""
    out = {}
    for path in sorted(TESTS.rglob("*_test.cpp")):
        text = path.read_text()
        for suite in re.findall(r"^TEST(?:_P|_F)?\((\w+),", text, re.MULTILINE):
            out[suite] = text
    return out


def heading_of(suite: str) -> str:
    """As scripts/parity_table.py writes it."""
    return re.sub(r"(Pictures?|Parity)*(Test)?$", "", suite)


def parity_rows() -> list[tuple[str, str]]:
    """Heading and request of every row."""
    out, heading = [], None
    for line in PARITY.read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if heading and line.startswith("|") and cells[0] not in ("request", "---"):
            out.append((heading, cells[0]))
    return out


def requests_of(suite: str, source: str) -> dict[str, Request]:
    """Every request that the suite has, by its name in the table."""
    folder = re.search(r'kFolder\[\] = "(\w+)"', source)
    path = TESTS / "data" / DATA.get(suite, f"{folder.group(1)}/cases.json" if folder else "none")
    if not path.exists():
        return {}
    cases = json.loads(path.read_text())
    out = {}
    for key, fields in cases.get("cases", cases).items():
        before, dot, _ = key.partition(".")
        # The preset stands before the dot where the request names its model.
        model = fields.get("model", before if dot else "tiny")
        out[key.replace(".", "_")] = Request(suite, model, fields)
        for prefix in ("tiny", "random"):
            out.setdefault(f"{prefix}_{key}", Request(suite, prefix, fields))
    return out


def find(heading: str, name: str, tests: dict[str, str]) -> Request:
    suites = [suite for suite in tests if heading_of(suite) == heading]
    if not suites:
        fail(f"docs/parity.md has rows of {heading}, and no test has a suite of that name; run scripts/parity_table.py")
    for suite in suites:
        request = requests_of(suite, tests[suite]).get(name)
        if request:
            return request
        # Tests without data: one picture each, or values in the source.
        if re.search(rf"\({suite}, {name}\)|\"{re.escape(name)}\"", tests[suite]):
            return Request(suite, name, {})
    fail(f"docs/parity.md has the row {name} of {heading}, and no such test exists; run scripts/parity_table.py")


def family_of(request: Request) -> str:
    if request.model in SECOND:
        return "SD 2.x"
    if request.model in LARGE:
        return "SDXL"
    return "refiner" if request.model == "refiner" else "SD 1.x"


def table() -> str:
    tests = sources()
    requests = [find(heading, name, tests) for heading, name in parity_rows()]
    lines = [f"| what | {' | '.join(FAMILIES)} |", "|---" * (1 + len(FAMILIES)) + "|"]
    for what, proves in ROWS.items():
        counts = collections.Counter(family_of(request) for request in requests if proves(request))
        if not counts:
            fail(f"no row of docs/parity.md proves \"{what}\"; run scripts/parity_table.py")
        lines.append(f"| {what} | " + " | ".join(str(counts[family] or "") for family in FAMILIES) + " |")
    schedulers = {request.fields["scheduler"] for request in requests if request.fields.get("scheduler")}
    names = sorted(re.sub(r"(Discrete)?Scheduler$", "", name) for name in schedulers)
    lines.append(f"\n{len(requests)} requests in all, with {len(names)} schedulers: {', '.join(names)}.")
    return "\n".join(lines)


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = README.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        fail(f"README.md must have one line {BEGIN} and one line {END}")
    before, rest = text.split(BEGIN)
    wanted = f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"
    if sys.argv[1:] == ["--check"]:
        if wanted != text:
            fail("the table in README.md is not that of the tests; run scripts/support_table.py")
        return
    README.write_text(wanted)
    print(f"{README}: written")


if __name__ == "__main__":
    main()
