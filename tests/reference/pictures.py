"""Expected bytes of reading, resizing, fitting and filtering pictures: Pillow's and diffusers' VaeImageProcessor's own.

Writes tests/data/pictures: PNG files of every kind, and expected.json with the bytes that Pillow makes of them (hex) and
of pseudo-random pictures that the tests draw again. Run: python tests/reference/pictures.py
"""

import json
import pathlib
import struct
import zlib

import numpy as np
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, ImageFilter

OUT = pathlib.Path("tests/data/pictures")
LANCZOS, BICUBIC = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC


def noise(count: int, seed: int) -> np.ndarray:
    """Bytes of a linear congruential generator, drawn likewise in tests/image/pictures.h."""
    out, state = [], seed
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 24)
    return np.array(out, dtype=np.uint8)


def rgb(width: int, height: int, seed: int = 1) -> Image.Image:
    return Image.fromarray(noise(width * height * 3, seed).reshape(height, width, 3))


def gray(width: int, height: int, seed: int = 1) -> Image.Image:
    return Image.fromarray(noise(width * height, seed).reshape(height, width))


def blob(width: int, height: int, box: tuple, value: int = 255) -> Image.Image:
    out = Image.new("L", (width, height))
    out.paste(value, box)
    return out


def hexed(image: Image.Image) -> str:
    return np.asarray(image).tobytes().hex()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"", interlace: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


def filtered(rows: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in rows)


def interlaced(pixels: np.ndarray) -> bytes:
    """Adam7, section 8.2 of the PNG specification."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    parts = (pixels[top::down, left::across] for top, left, down, across in passes)
    return b"".join(filtered(part) for part in parts if part.size)


def read_files() -> dict:
    """File -> what Pillow makes of it, or of 16 bits, which it clips elsewhere, the upper 8."""
    width, height = 9, 7
    colours = noise(width * height * 3, 5).reshape(height, width, 3)
    alphas = noise(width * height * 4, 6).reshape(height, width, 4)
    wide = noise(width * height * 6, 7).reshape(height, width, 6)
    palette = noise(16 * 3, 8).tobytes()
    indices = noise(width * height, 9).reshape(height, width) % 16
    packed = np.packbits(indices % 2, axis=1)
    files = {
        "rgb": png(width, height, 8, 2, filtered(colours)),
        "rgb_interlaced": png(width, height, 8, 2, interlaced(colours), interlace=1),
        "rgb_transparent_colour": png(width, height, 8, 2, filtered(colours),
                                      chunk(b"tRNS", b"".join(b"\0" + bytes([c]) for c in colours[2, 3]))),
        "rgba": png(width, height, 8, 6, filtered(alphas)),
        "rgb16": png(width, height, 16, 2, filtered(wide)),
        "gray": png(width, height, 8, 0, filtered(indices * 17)),
        "gray_alpha": png(width, height, 8, 4, filtered(alphas[:, :, :2].copy())),
        "gray1": png(width, height, 1, 0, filtered(packed)),
        "gray16": png(width, height, 16, 0, filtered(wide[:, :, :2].copy())),
        "palette": png(width, height, 8, 3, filtered(indices), chunk(b"PLTE", palette)),
        "palette_transparent": png(width, height, 8, 3, filtered(indices),
                                   chunk(b"PLTE", palette) + chunk(b"tRNS", bytes(range(0, 160, 16)))),
        "palette1": png(width, height, 1, 3, filtered(packed), chunk(b"PLTE", palette[:6])),
        "profile_and_gamma": png(width, height, 8, 2, filtered(colours),
                                 chunk(b"gAMA", struct.pack(">I", 100000))
                                 + chunk(b"iCCP", b"nonsense\0\0" + zlib.compress(b"no profile"))),
        "animated": png(width, height, 8, 2, filtered(colours), chunk(b"acTL", struct.pack(">II", 2, 0))),
    }
    expected = {}
    for name, data in files.items():
        path = OUT / f"{name}.png"
        path.write_bytes(data)
        with Image.open(path) as image:
            picture = image.convert("RGB") if name != "gray16" else Image.fromarray(wide[:, :, 0]).convert("RGB")
            alpha = image.convert("RGBA").getchannel("A") if name != "gray16" else Image.new("L", image.size, 255)
        erased = Image.fromarray(255 - np.asarray(alpha))
        expected[name] = dict(width=width, height=height, rgb=hexed(picture), luma=hexed(picture.convert("L")),
                              erased=hexed(erased))
    return expected


def resized() -> list:
    """[width, height, new width, new height, filter, box or null] and the bytes for an RGB and a gray picture."""
    cases = [(23, 17, 8, 8, "lanczos"), (8, 9, 24, 16, "lanczos"), (40, 6, 7, 31, "lanczos"), (16, 16, 16, 8, "lanczos"),
             (16, 16, 8, 16, "lanczos"), (1, 1, 5, 4, "lanczos"), (64, 3, 2, 3, "lanczos"), (10, 30, 16, 12, "lanczos"), (20, 30, 14, 17, "lanczos"),
             (20, 30, 14, 18, "lanczos"), (13, 11, 6, 17, "bicubic"),
             (20, 12, 9, 5, "lanczos", (3, 2, 15, 11)), (20, 12, 20, 4, "bicubic", (0, 0, 20, 0)),
             (20, 12, 20, 4, "bicubic", (0, 12, 20, 12)), (20, 12, 6, 12, "bicubic", (20, 0, 20, 12))]
    out = []
    for width, height, to_width, to_height, name, *box in cases:
        kind = LANCZOS if name == "lanczos" else BICUBIC
        args = dict(resample=kind, box=box[0] if box else None)
        out.append(dict(size=[width, height], to=[to_width, to_height], filter=name, box=box[0] if box else None,
                        rgb=hexed(rgb(width, height).resize((to_width, to_height), **args)),
                        gray=hexed(gray(width, height).resize((to_width, to_height), **args))))
    return out


def fitted() -> list:
    """resize modes "fill" and "crop" of VaeImageProcessor."""
    processor = VaeImageProcessor()
    out = []
    for width, height, to_width, to_height in [(20, 12, 16, 16), (12, 20, 16, 16), (20, 13, 40, 8), (9, 9, 16, 16),
                                               (31, 8, 24, 32)]:
        picture = rgb(width, height)
        out.append(dict(size=[width, height], to=[to_width, to_height],
                        fill=hexed(processor.resize(picture, to_height, to_width, "fill")),
                        crop=hexed(processor.resize(picture, to_height, to_width, "crop"))))
    return out


def regions() -> list:
    out = []
    for size, box, to, pad in [((64, 48), (10, 20, 30, 25), (64, 64), 4), ((64, 48), (50, 30, 64, 48), (64, 32), 8),
                               ((64, 48), (0, 0, 5, 40), (128, 64), 0), ((64, 48), (3, 3, 60, 9), (64, 128), 2),
                               ((64, 48), (0, 0, 64, 48), (64, 64), 32), ((33, 70), (30, 60, 31, 61), (72, 40), 7)]:
        left, top, right, bottom = VaeImageProcessor.get_crop_region(blob(*size, box), *to, pad=pad)
        out.append(dict(size=size, box=box, to=to, padding=pad, region=[left, top, right - left, bottom - top]))
    return out


def filters() -> list:
    out = []
    for size, seed in [((24, 17), 3), ((5, 30), 4), ((1, 1), 5)]:
        mask = gray(*size, seed)
        for pixels in (0, 1, 3, 9):
            if pixels == 0 or min(size) > 1:
                out.append(dict(size=size, seed=seed, grow=pixels, gray=hexed(mask.filter(ImageFilter.MaxFilter(2 * pixels + 1)))))
        for radius in (0.4, 1.0, 2.5, 4.0, 11.0):
            out.append(dict(size=size, seed=seed, blur=radius, gray=hexed(VaeImageProcessor.blur(mask, radius))))
    return out


def overlays() -> list:
    out = []
    for width, height in ((16, 16), (31, 9)):
        painted, original = rgb(width, height, 21), rgb(width, height, 22)
        out.append(dict(size=[width, height],
                        rgb=hexed(VaeImageProcessor().apply_overlay(gray(width, height, 23), original, painted))))
    return out


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    expected = dict(files=read_files(), resized=resized(), fitted=fitted(), regions=regions(), filters=filters(),
                    overlays=overlays())
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
