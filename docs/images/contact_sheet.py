"""The README's contact sheet: real outputs of the fjord program, one command a picture, seed 1, not selected.

Run after a build: python docs/images/contact_sheet.py      (needs Pillow)
"""

import pathlib
import subprocess
import tempfile

from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/bin/fjord"
COLUMNS, SIZE, MARGIN, CAPTION = 6, 128, 8, 40
PROMPTS = (
    "a gold crown on red cloth", "a silver crown on red cloth", "a gold coin on a blue background",
    "a gold crown on grass", "a silver crown on a stone floor", "a large gold crown on a black background",
    "a red potion on a white background", "a blue potion on a white background", "a purple potion on wooden planks",
    "a red mushroom on grass", "a small green gem on sand", "a large purple gem on a black background",
    "wooden planks", "red bricks", "a mossy gray stone wall", "snowy blue roof tiles", "cracked white marble", "orange lava",
    "a brown treasure chest on sand", "a silver sword on a purple background",
    "a red potion and a blue gem on a white background", "a gold key next to a green orb on a black background",
    "snowy mountains at sunset", "the sea at night",
)


def picture(prompt: str, folder: pathlib.Path) -> Image.Image:
    out = folder / "picture.png"
    subprocess.run([PROGRAM, "txt2img", "--model", ROOT / "weights/tiny", "--prompt", prompt, "--seed", "1",
                    "--progress", "none", "--out", out], check=True, stdout=subprocess.DEVNULL)
    return Image.open(out).convert("RGB").copy()


def caption(prompt: str) -> str:
    words, lines = prompt.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 21:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def main() -> None:
    rows = -(-len(PROMPTS) // COLUMNS)
    width, height = SIZE + MARGIN, SIZE + MARGIN + CAPTION
    sheet = Image.new("RGB", (COLUMNS * width + MARGIN, rows * height + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(11)
    with tempfile.TemporaryDirectory() as folder:
        for i, prompt in enumerate(PROMPTS):
            x, y = MARGIN + i % COLUMNS * width, MARGIN + i // COLUMNS * height
            sheet.paste(picture(prompt, pathlib.Path(folder)), (x, y))
            draw.multiline_text((x, y + SIZE + 2), caption(prompt), fill="black", font=font, spacing=1)
    sheet.save(ROOT / "docs/images/contact-sheet.png", optimize=True)


if __name__ == "__main__":
    main()
