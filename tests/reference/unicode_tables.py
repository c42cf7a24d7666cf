"""Writes src/text/unicode_tables.cpp: what the reference tokenizer knows of Unicode, asked of the reference itself.

Letters, numbers and spaces come from its regular expressions, lower case from its Lowercase normalizer. Its NFC
follows an old Unicode version; the characters that later versions combine or reorder are found by asking it about
every such character of `unicodedata2` (pip install unicodedata2; the newer its Unicode version, the better).

Run from the repository's root: python tests/reference/unicode_tables.py
"""
import subprocess
from pathlib import Path

import unicodedata2
from tokenizers import Regex, normalizers

TARGET = Path("src/text/unicode_tables.cpp")
CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
NFC = normalizers.NFC().normalize_str
NFD = normalizers.NFD().normalize_str
HEAD = """// What the reference tokenizer knows of Unicode. Written by tests/reference/unicode_tables.py; do not edit.
#include "text/unicode_tables.h"

namespace fjord::text {
namespace {
"""


def ranges(codes):
    """[[first, last], ...] of a set of numbers."""
    out = []
    for code in sorted(codes):
        if out and out[-1][1] == code - 1:
            out[-1][1] = code
        else:
            out.append([code, code])
    return out


def matching(pattern):
    erase = normalizers.Replace(Regex(pattern), "")
    return {code for code in CODES if erase.normalize_str(chr(code)) == ""}


def lower_runs():
    """[first, last, step, distance]; U+0130 becomes two characters and is left to the code."""
    lower = normalizers.Lowercase().normalize_str
    changed = {code: lower(chr(code)) for code in CODES if lower(chr(code)) != chr(code)}
    assert changed.pop(0x130) == "i\u0307" and all(len(text) == 1 for text in changed.values())
    runs = []
    for code, text in sorted(changed.items()):
        distance = ord(text) - code
        if runs and runs[-1][3] == distance:
            first, last, step, _ = runs[-1]
            if (first == last and code - last <= 2) or code - last == step:
                runs[-1][1:3] = [code, code - last]
                continue
        runs.append([code, code, 1, distance])
    return runs


def combines(code):
    """Whether the reference reorders, decomposes or composes this character."""
    text = chr(code)
    reorders = NFD(f"a{text}\u0334") != f"a{NFD(text)}\u0334" or NFD(f"a\u0327{text}") != f"a\u0327{NFD(text)}"
    return reorders or NFD(text) != text


def inert():
    """Characters that newer Unicode versions combine and the reference does not."""
    out = set()
    for code in CODES:
        text, parts = chr(code), unicodedata2.decomposition(chr(code))
        if unicodedata2.combining(text) and not combines(code):
            out.add(code)
        if parts and parts[0] != "<" and NFD(text) == text:
            out.add(code)
            out.update(part for part in (int(word, 16) for word in parts.split()) if not combines(part))
    return out


def range_table(name, codes):
    rows = ", ".join(f"{{{first:#x}, {last:#x}}}" for first, last in ranges(codes))
    return f"constexpr CodeRange {name}[] = {{{rows}}};\n"


def main():
    spaces = {9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200B)}
    assert matching(r"\s") == spaces, "is_space() in unicode.cpp does not match the reference"
    runs = ", ".join(f"{{{first:#x}, {last:#x}, {step}, {distance}}}" for first, last, step, distance in lower_runs())
    text = HEAD + "\n" + range_table("kLetters", matching(r"\p{L}")) + "\n" + range_table("kNumbers", matching(r"\p{N}"))
    text += "\n" + range_table("kInert", inert()) + f"\nconstexpr LowerRun kLowerRuns[] = {{{runs}}};\n\n}}  // namespace\n"
    for name in ("Letters", "Numbers", "Inert"):
        text += f"\nstd::span<const CodeRange> {name.lower()}() {{ return k{name}; }}\n"
    text += "\nstd::span<const LowerRun> lower_runs() { return kLowerRuns; }\n\n}  // namespace fjord::text\n"
    TARGET.write_text(text)
    subprocess.run(["clang-format", "-i", str(TARGET)], check=True)


if __name__ == "__main__":
    main()
