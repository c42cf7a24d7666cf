"""Trains the byte-level BPE vocabulary of 2,048 ids (CLIP's format) on the words of the captions.

Every word of the grammar becomes one token; any other text is tokenised from bytes and common parts.
"""

import argparse
import collections
import json
import pathlib

from rendering.captions import words_of_grammar

SIZE = 2048
# Words outside the grammar that people are likely to type: they bring a few sensible merges.
OTHER_WORDS = """with of the a an in and or at to by sword axe bow ring dragon castle tower door window cloud rain snow
fire rock stone iron steel copper wood wooden leaf leaves forest river lake beach moon sun star sky light dark bright
big tiny huge old new style painting drawing pixel art watercolor cyberpunk sketch ink neon cartoon realistic detailed
background texture seamless tile icon sprite game item magic ancient rusty shiny glowing broken dirty clean left right
top bottom center two three many banana orange lemon bird dog horse snake wolf knight wizard king queen princess monster
pirate ship train plane bridge garden sunrise dawn morning evening winter summer spring autumn cave island volcano
waterfall painting photo picture image portrait art style oil ink pastel fantasy space planet galaxy crystal glass plastic
paper rubber silk velvet cotton copper bronze""".split()


def byte_symbols() -> dict:
    """GPT-2's printable character for every byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    symbols = {byte: chr(byte) for byte in printable}
    return symbols | {byte: chr(256 + i) for i, byte in enumerate(others)}


def word_weights() -> dict:
    """How much every word counts: the grammar's own so much that each of them becomes one token."""
    weights = {word: 1000 for word in sorted(words_of_grammar())}
    return weights | {word: 20 for word in OTHER_WORDS if word not in weights}


def best_pair(spelled: dict, weights: dict):
    counts = collections.Counter()
    for word, symbols in spelled.items():
        for pair in zip(symbols, symbols[1:]):
            counts[pair] += weights[word]
    return max(counts.items(), key=lambda item: (item[1], item[0]))[0] if counts else None


def merge(symbols: list, pair: tuple) -> None:
    i = 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) == pair:
            symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]
        i += 1


def train() -> tuple:
    """The vocabulary, in the order of ids, and the merges."""
    table = byte_symbols()
    # The order of the symbols is that of the ids: printable bytes first.
    base = [table[byte] for byte in sorted(table, key=lambda byte: (ord(table[byte]) > 255, byte))]
    weights = word_weights()
    spelled = {word: [table[byte] for byte in word.encode()] for word in weights}
    for symbols in spelled.values():
        symbols[-1] += "</w>"
    vocabulary = base + [symbol + "</w>" for symbol in base]
    merges = []
    while len(vocabulary) < SIZE - 2:
        pair = best_pair(spelled, weights)
        if pair is None:
            break
        merges.append(pair)
        vocabulary.append("".join(pair))
        for symbols in spelled.values():
            merge(symbols, pair)
    vocabulary += [f"<|unused{i}|>" for i in range(len(vocabulary), SIZE - 2)]
    return vocabulary + ["<|startoftext|>", "<|endoftext|>"], merges


def save(folder: pathlib.Path) -> None:
    vocabulary, merges = train()
    folder.mkdir(parents=True, exist_ok=True)
    ids = {token: i for i, token in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
               "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True} | special
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=pathlib.Path)


def run(options) -> None:
    save(options.out)
