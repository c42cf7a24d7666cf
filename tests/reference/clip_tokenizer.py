"""Token ids of transformers' fast CLIPTokenizer for texts.bin.gz, a sweep over all code points, and odd configurations.

Writes tests/data/tokenizer: a medium-sized vocabulary with the files of an SD2 tokenizer, and what C++ must answer.
Numbers are LEB128 (seven bits a byte, low ones first), files are gzip.

Run from the repository's root: python tests/reference/clip_tokenizer.py
"""
import gzip
import json
import tempfile
import zlib
from pathlib import Path

from clip_texts import SPECIAL, decompositions, make_texts
from clip_vocabulary import BEGIN, END, object_token, write_vocabulary
from transformers import CLIPTokenizer
from transformers.utils import logging

TINY = Path("weights/tiny/tokenizer")
FOLDER = Path("tests/data/tokenizer")
MEDIUM = FOLDER / "medium"
TEXTS = 12000
BLOCK = 256  # code points a sum of the sweep


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def numbers(values):
    return b"".join(map(number, values))


def save(path, data):
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def tokens(tokenizer, text):
    return tokenizer(text, add_special_tokens=False).input_ids


def window(tokenizer, text):
    return tokenizer(text, padding="max_length", max_length=tokenizer.model_max_length, truncation=True).input_ids


def write_answers(name, tokenizer, texts, folder=FOLDER):
    """For every text: number of tokens, the tokens, CRC-32 of the padded window."""
    parts = []
    for text in texts:
        ids = tokens(tokenizer, text)
        parts.append(number(len(ids)) + numbers(ids))
        parts.append(zlib.crc32(numbers(window(tokenizer, text))).to_bytes(4, "little"))
    save(folder / f"{name}.ids.gz", b"".join(parts))


def write_texts(texts, folder=FOLDER):
    encoded = [text.encode() for text in texts]
    save(folder / "texts.bin.gz", b"".join(number(len(text)) + text for text in encoded))


def sweep_text(code):
    """A character between others that show its class, its case and its combining class."""
    one = chr(code)
    return f"x{one}Y o{one}\u0323 a\u0316{one}\u0301 1{one}2"


def write_sweep(tokenizer):
    """One CRC-32 for each block of code points over the ids of their sweep texts; surrogates are left out."""
    sums = []
    for first in range(0, 0x110000, BLOCK):
        codes = [code for code in range(first, first + BLOCK) if not 0xD800 <= code < 0xE000]
        batch = tokenizer([sweep_text(code) for code in codes], add_special_tokens=False).input_ids if codes else []
        sums.append(zlib.crc32(b"".join(map(numbers, batch))).to_bytes(4, "little"))
    save(FOLDER / "sweep.gz", b"".join(sums))


def variants():
    """Configurations that say what special tokens are in different ways; vocabulary and merges are the tiny model's."""
    begin, end = object_token(BEGIN), object_token(END)
    plain = {"bos_token": BEGIN, "eos_token": END, "unk_token": END, "model_max_length": 77}
    decoder = {"0": object_token("!", False, special=True), "1022": object_token(BEGIN, True, special=True),
               "1023": object_token(END, False, special=True)}
    typed = {"__type": "AddedToken"}
    yield "no configuration", {}
    yield "pad is a string", {"tokenizer_config.json": {**plain, "pad_token": "!"}}
    yield "SD1 special map", {"tokenizer_config.json": plain, "special_tokens_map.json": {
        "bos_token": begin, "eos_token": end, "unk_token": end, "pad_token": END}}
    yield "SD1 objects in the configuration", {"tokenizer_config.json": {
        "bos_token": {**typed, **begin}, "eos_token": {**typed, **end}, "unk_token": {**typed, **end}, "pad_token": END}}
    yield "unknown token only is an object", {"special_tokens_map.json": {"unk_token": end, "pad_token": END}}
    yield "decoder beats the special map", {
        "tokenizer_config.json": {**plain, "pad_token": "!", "added_tokens_decoder": decoder},
        "special_tokens_map.json": {"pad_token": END, "bos_token": END}}
    yield "special map beats the configuration", {"tokenizer_config.json": {**plain, "pad_token": END},
                                                  "special_tokens_map.json": {"pad_token": "!"}}
    yield "short window", {"tokenizer_config.json": {**plain, "model_max_length": 8}}
    yield "only begin and end fit", {"tokenizer_config.json": {**plain, "model_max_length": 2}}
    yield "added tokens file", {"tokenizer_config.json": plain, "added_tokens.json": {"<cat-toy>": 1024, "CamelCase": 1025}}
    yield "strips", {"tokenizer_config.json": {**plain, "added_tokens_decoder": {
        **decoder, "1024": object_token("<L>", False, lstrip=True), "1025": object_token("<R>", True, rstrip=True),
        "1026": object_token("<LR>", False, lstrip=True, rstrip=True), "1027": object_token("<Café", True)}}}
    yield "extra tokens", {"tokenizer_config.json": {**plain, "additional_special_tokens": ["<x>", "<x><x>", "cat"]}}
    yield "other names", {"tokenizer_config.json": {**plain, "image_token": "<img>", "add_bos_token": True, "mask_token": "<M>"}}
    yield "extra tokens in the special map", {"tokenizer_config.json": plain, "special_tokens_map.json": {
        "additional_special_tokens": ["<x>"], "cls_token": object_token("<CLS>"), "mask_token": None}}


VARIANT_TEXTS = SPECIAL + ["a <cat-toy> b", "a <CAT-toy>", "CamelCase camelcase CAMELCASE", "a  <L>  b", "a\u3000<L><L> b",
                           "a  <R>  b", "a  <r> \n <R>b", "a  <LR>  b <LR> c", "<CAFE\u0301 <café", "<x><x><x> cat CAT concat",
                           "<img> <M> <m> <CLS> <cls>", "  <|STARTOFTEXT|>  ", "one two three four five six seven eight"]


def write_variants():
    out = []
    for name, files in variants():
        with tempfile.TemporaryDirectory() as folder:
            for file in ("vocab.json", "merges.txt"):
                (Path(folder) / file).write_bytes((TINY / file).read_bytes())
            for file, content in files.items():
                (Path(folder) / file).write_text(json.dumps(content))
            tokenizer = CLIPTokenizer.from_pretrained(folder)
        if tokenizer.model_max_length > 100000:
            tokenizer.model_max_length = 77
        cases = [{"text": text, "tokens": tokens(tokenizer, text)} for text in VARIANT_TEXTS]
        cases[-1]["window"] = window(tokenizer, cases[-1]["text"])
        out.append({"name": name, "files": {file: json.dumps(content) for file, content in files.items()}, "cases": cases})
    save(FOLDER / "variants.json.gz", json.dumps(out, ensure_ascii=False, separators=(",", ":")).encode())


def main():
    logging.set_verbosity_error()
    write_vocabulary(MEDIUM)
    texts = decompositions() + make_texts(1, TEXTS)
    write_texts(texts)
    tiny = CLIPTokenizer.from_pretrained(TINY)
    write_answers("tiny", tiny, texts)
    write_answers("medium", CLIPTokenizer.from_pretrained(MEDIUM), texts)
    write_sweep(tiny)
    write_variants()


if __name__ == "__main__":
    main()
