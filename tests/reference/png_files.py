"""Writes small PNG files with text chunks by Pillow, and what fjord must read in them.

Run from the repository's root: python tests/reference/png_files.py
"""
import json
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

FOLDER = Path("tests/data/png")
LATIN = "caf\u00e9 \u00fc\u00df\nsecond line, 7.5 \u00b5m"
WORLD = "\u5c71\u306e\u5ddd \U0001f3d4\ufe0f e\u0301 \u0416"


def picture(mode="RGB", size=(5, 3)):
    """A picture whose values are all different."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = bytes((7 * i + 3) % 256 for i in range(size[0] * size[1] * channels))
    return Image.frombytes(mode, size, values)


def text_chunks(entries):
    """entries: (kind, keyword, text)."""
    info = PngInfo()
    for kind, keyword, text in entries:
        if kind == "tEXt":
            info.add(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
        elif kind == "tEXt after":
            info.add(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"), after_idat=True)
        elif kind == "zTXt":
            info.add_text(keyword, text, zip=True)
        else:
            info.add_itxt(keyword, text, lang="en", tkey="\u9375", zip=kind == "iTXt zipped")
    return info


FILES = {
    "plain.png": ("RGB", []),
    "latin1.png": ("RGB", [("tEXt", "parameters", LATIN), ("tEXt", "Cl\u00e9", "x"), ("tEXt", "Empty", "")]),
    "zipped.png": ("RGBA", [("zTXt", "parameters", LATIN * 50)]),
    "world.png": ("L", [("iTXt", "prompt", WORLD), ("iTXt zipped", "long", WORLD * 200)]),
    "after.png": ("P", [("tEXt", "before", "1"), ("tEXt after", "after", "2"), ("tEXt after", "before", "3")]),
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, (mode, entries) in FILES.items():
        picture(mode).save(FOLDER / name, pnginfo=text_chunks(entries))
        expected[name] = {keyword: text for _, keyword, text in entries}
    (FOLDER / "texts.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
