// Special and added tokens of a tokenizer, gathered from its files in the order of the reference.
#pragma once

#include "text/tokenizer_data.h"

#include <nlohmann/json.hpp>

namespace fjord::loading {

// The parsed files; an empty object where a file is missing.
struct TokenizerJson {
  nlohmann::json tokenizer = nlohmann::json::object();     // tokenizer.json
  nlohmann::json config = nlohmann::json::object();        // tokenizer_config.json
  nlohmann::json special_map = nlohmann::json::object();   // special_tokens_map.json
  nlohmann::json added_tokens = nlohmann::json::object();  // added_tokens.json
};

// Fills data.bos, eos, pad, unk and added_tokens; data.vocabulary must be there. Which file wins, as in transformers 5:
// "added_tokens_decoder" of tokenizer_config.json lists the added tokens alone; without it special_tokens_map.json
// overrides the special tokens of tokenizer_config.json, and added_tokens.json and tokenizer.json list added tokens.
// Throws Error: kBadFile for values of the wrong type, ids that disagree with the vocabulary, and unknown special
// tokens; kUnsupported for single_word.
void read_special_tokens(const TokenizerJson& files, text::TokenizerData& data);

}  // namespace fjord::loading
