"""Trains a small byte-pair vocabulary, the same on every run, and writes it with the files of an SD2 tokenizer."""
import json
import random
from collections import Counter, defaultdict
from itertools import pairwise

from clip_texts import SCRIPTS, WORDS
from tokenizers import pre_tokenizers

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
MERGES = 3000


def object_token(content, normalized=True, **more):
    return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False, **more}


def make_corpus():
    """Words with their counts: syllables of a language that does not exist, and those of the test texts."""
    rng = random.Random(7)
    syllables = [a + b + c for a in ("", *"bcdfghklmnprstvw") for b in "aeiouéöи" for c in ("", *"nrstl")]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(8000)]
    words += [word.lower() for word in WORDS] * 60
    words += ["".join(rng.choices(letters, k=2)) for letters in SCRIPTS.values() for _ in range(300)]
    words += ["".join(rng.choices("!?.-_/~=", k=rng.randint(2, 6))) for _ in range(300)]
    return Counter(words)


def byte_letters(word):
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return level.pre_tokenize_str(word)[0][0]


def merge_word(symbols, pair):
    out = []
    for symbol in symbols:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return out


def train(corpus):
    """The most frequent pair first; of equals the smallest by its text."""
    words, weights = [], []
    for word, weight in sorted(corpus.items()):
        letters = byte_letters(word)
        words.append([*letters[:-1], letters[-1] + "</w>"])
        weights.append(weight)
    counts, places = Counter(), defaultdict(set)

    def count(index, sign):
        for pair in pairwise(words[index]):
            counts[pair] += sign * weights[index]
            places[pair].add(index)

    for index in range(len(words)):
        count(index, 1)
    merges = []
    while len(merges) < MERGES:
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(pair)
        for index in places.pop(pair):
            count(index, -1)
            words[index] = merge_word(words[index], pair)
            count(index, 1)
        del counts[pair]
    return merges


def write_vocabulary(folder):
    """A vocabulary in CLIP's order, with the configuration files that Stable Diffusion 2 has: padding is "!"."""
    merges = train(make_corpus())
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = letters + [letter + "</w>" for letter in letters] + [a + b for a, b in merges] + [BEGIN, END]
    vocabulary = {name: i for i, name in enumerate(dict.fromkeys(names))}
    begin, end = object_token(BEGIN), object_token(END)
    config = {"add_prefix_space": False, "bos_token": {"__type": "AddedToken", **begin}, "do_lower_case": True,
              "eos_token": {"__type": "AddedToken", **end}, "errors": "replace", "model_max_length": 77,
              "pad_token": END, "tokenizer_class": "CLIPTokenizer", "unk_token": {"__type": "AddedToken", **end}}
    special = {"bos_token": begin, "eos_token": end, "pad_token": "!", "unk_token": end}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1) + "\n")
