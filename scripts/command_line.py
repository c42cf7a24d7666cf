#!/usr/bin/env python3
"""Writes docs/command-line.md: what every command of the program says of itself.

Usage: scripts/command_line.py PROGRAM [--check]     --check: writes nothing, fails if the document is not what would be written
"""

import pathlib
import re
import subprocess
import sys

TARGET = pathlib.Path(__file__).resolve().parent.parent / "docs/command-line.md"
HEAD = """# Command line

What `fjord --help` and `fjord COMMAND --help` say; written by `scripts/command_line.py`, and a test holds it to that. What the options do in
detail: [prompts](prompts.md), [guidance](guidance.md), [pictures to start from](pictures.md), [control pictures](control.md),
[pictures as prompts](image-prompts.md), [LoRA and textual inversion](adapters.md), [approximations](approximations.md), [checkpoints](checkpoints.md),
[int8 and int4](quantization.md), [CUDA](cuda.md).
"""


def help_of(program: str, *command: str) -> str:
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True).stdout.strip()


def commands(text: str) -> list[str]:
    """The names below "Commands:" (or "Subcommands:")."""
    below = re.split(r"^(?:Subcommands|SUBCOMMANDS|Commands):\s*$", text, flags=re.MULTILINE)[1]
    return re.findall(r"^  (\w+) ", below.split("\n\n")[0], flags=re.MULTILINE)


def document(program: str) -> str:
    whole = help_of(program)
    parts = [HEAD, f"```\n{whole}\n```\n"]
    parts += [f"## {name}\n\n```\n{help_of(program, name)}\n```\n" for name in commands(whole)]
    return "\n".join(parts)


def words(text: str) -> list[str]:
    """Releases of the parser differ in spaces and capitals."""
    return text.lower().split()


def main() -> None:
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = document(sys.argv[1])
    if sys.argv[2:] == ["--check"]:
        if not TARGET.exists() or words(TARGET.read_text()) != words(text):
            sys.exit(f"{TARGET.name} is not what the program says; run scripts/command_line.py PROGRAM")
        return
    TARGET.write_text(text)
    print(f"{TARGET}: written")


if __name__ == "__main__":
    main()
