// A tokenizer folder's files into text::TokenizerData. Reference: transformers 5's CLIPTokenizer.from_pretrained.
#pragma once

#include "text/tokenizer_data.h"

#include <cstdint>
#include <map>
#include <string>

namespace fjord::loading {

// Contents by file name, without folder.
using TokenizerFiles = std::map<std::string, std::string>;

// Reads, where present, tokenizer.json, vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json and
// added_tokens.json; other names are ignored. Needed: tokenizer.json, or vocab.json with merges.txt (tokenizer.json
// wins where both exist). A model_max_length that is missing, null or larger than any text encoder's window
// (transformers writes 1e30 for "unknown") becomes `default_max_length`.
//
// As in the reference the normalizer and the split rule are always CLIP's own: do_lower_case, errors and the pipeline
// described in tokenizer.json are ignored.
//
// Throws Error, naming the file and the field: kNotFound for missing files; kBadFile for text that is no JSON, values
// of the wrong type, a vocabulary with gaps or repeated ids, a malformed merge, an unknown special token, files above
// 16 MiB; kUnsupported for a tokenizer that is no CLIP tokenizer or has options that fjord lacks.
text::TokenizerData read_tokenizer(const TokenizerFiles& files, std::int64_t default_max_length = 77);

}  // namespace fjord::loading
