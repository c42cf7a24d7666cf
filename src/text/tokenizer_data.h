// What a tokenizer's files say, as plain data. Read by loading/tokenizer_files.h, taken by ClipTokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fjord::text {

// A text that is one token wherever it stands, whatever the merges say. Reference: tokenizers.AddedToken.
struct AddedToken {
  std::string content;      // UTF-8, not empty
  bool normalized = false;  // false: found in the text as typed; true: both are compared in normalized form
  bool lstrip = false;      // takes the spaces before it with it
  bool rstrip = false;      // takes the spaces after it with it
};

struct TokenizerData {
  std::vector<std::string> vocabulary;                      // token by id, in byte-level letters; "</w>" ends a word
  std::vector<std::pair<std::string, std::string>> merges;  // by rank; of a pair listed twice the later rank counts
  // In the order of adding: a content that is not in the vocabulary gets the next free id, a repeated one gets the
  // later flags. Special tokens that are missing here are added with all flags off.
  std::vector<AddedToken> added_tokens;
  std::string bos = "<|startoftext|>";  // put before every text
  std::string eos = "<|endoftext|>";    // put after every text
  std::string pad = "<|endoftext|>";    // fills up to max_length; "!" (id 0) in SD2-style tokenizers
  std::string unk = "<|endoftext|>";    // stands for a byte that the vocabulary lacks
  std::int64_t max_length = 77;         // window of the text encoder, bos and eos included; 2..65536
};

}  // namespace fjord::text
