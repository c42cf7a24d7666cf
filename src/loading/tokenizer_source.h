// CLIP's tokenizer for a model that has none: from another folder, or from OpenCLIP's list of merges.
#pragma once

#include "loading/tokenizer_files.h"

#include <string>

namespace fjord::loading {

// The tokenizer's files at `path`: a model folder (its tokenizer or tokenizer_2), a tokenizer's folder, or a list of
// merges as OpenCLIP's Python package has it (bpe_simple_vocab_16e6.txt, also packed by gzip).
// Throws Error: kNotFound, saying what was looked for; kBadFile.
TokenizerFiles tokenizer_at(const std::string& path);

// The same files with `pad` for what fills a text up: families differ in that, not in their vocabulary.
TokenizerFiles with_pad(TokenizerFiles files, const std::string& pad);

// vocab.json and merges.txt out of a list of merges, one "left right" a line below a first line that is skipped: the
// 256 letters that stand for bytes, the same at a word's end ("a</w>"), every merge's result, begin and end of a text.
// Lines beyond CLIP's 48894 merges are left out. Reference: open_clip.tokenizer.SimpleTokenizer.
TokenizerFiles tokenizer_of_merges(const std::string& text);

}  // namespace fjord::loading
