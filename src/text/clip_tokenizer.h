// ClipTokenizer: prompts to token ids, equal to transformers 5's CLIPTokenizer (the tokenizers library below it).
#pragma once

#include "text/added_tokens.h"
#include "text/byte_pairs.h"
#include "text/tokenizer_data.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fjord::text {

// A text's ids as the text encoder takes them.
struct TokenizedPrompt {
  std::vector<std::int64_t> ids;  // exactly max_length: bos, the text's tokens, eos, then pad
  size_t total_tokens = 0;        // tokens of the whole text, bos and eos included, before truncation
  bool truncated = false;         // total_tokens > max_length: the tail was cut, eos was kept
};

// A word whose meaning was learned (textual inversion, arXiv:2208.01618): its vectors have ids of their own.
struct LearnedToken {
  std::string token;  // UTF-8; found in normalized text
  std::int64_t first_id = 0;
  std::int64_t vectors = 1;  // the token stands for the ids first_id, first_id + 1, ...
};

// Immutable after construction; every method may be called from several threads at once. Time n log n in the length of
// the text, constant stack.
//
// The way of a text: added tokens are found in it as typed (so a user may type "<|endoftext|>", or "!" where that is
// the padding token); the rest is normalized (NFC, spaces, lower case) and searched for added tokens that are compared
// in normalized form; what remains is cut into words, and every word into byte pairs. Case is never kept: like the
// reference of that version this class knows no do_lower_case = false.
class ClipTokenizer {
 public:
  static constexpr size_t kMaxTextSize = size_t{64} << 10;  // bytes

  // Throws Error(kBadFile) for data that contradict themselves: a token twice in the vocabulary, a special token that
  // is not known, a merge of unknown tokens, max_length out of range.
  explicit ClipTokenizer(const TokenizerData& data);

  // bos, tokens, eos, padding. Throws Error(kInvalidArgument) for text above kMaxTextSize or that is no UTF-8.
  TokenizedPrompt encode(std::string_view utf8) const;
  // The text's tokens alone: no bos, no eos, no truncation, no padding. Throws as encode().
  std::vector<std::int64_t> tokenize(std::string_view utf8) const;

  // A tokenizer that knows these tokens too, and "<token>_1", "<token>_2", ... for their later vectors alone, as the
  // reference's load_textual_inversion has it. Throws Error(kInvalidArgument) for a token that is no text of 1 to 256
  // characters, is known already, or is a whole word of the vocabulary.
  ClipTokenizer with_tokens(const std::vector<LearnedToken>& tokens) const;

  std::int64_t max_length() const { return max_length_; }
  // All ids are below this; added tokens included. The text encoder's embedding needs at least as many rows.
  std::int64_t vocabulary_size() const { return vocabulary_size_; }
  std::int64_t bos_id() const { return bos_id_; }
  std::int64_t eos_id() const { return eos_id_; }
  std::int64_t pad_id() const { return pad_id_; }

 private:
  ClipTokenizer(const TokenizerData& data, TokenIds ids);
  // Appends the ids of normalized text that holds no added token.
  void append_words(std::u32string_view text, std::vector<std::int64_t>& out) const;

  void add_learned(const std::string& token, std::int64_t id, std::int64_t vectors);
  void append_added(std::int64_t id, std::vector<std::int64_t>& out) const;

  std::shared_ptr<const BytePairEncoder> encoder_;
  std::unordered_map<std::int64_t, std::int64_t> vectors_;  // of learned tokens of several, by their first id
  TokenFinder typed_;                                       // added tokens that are found in the text as typed
  TokenFinder normalized_;                                  // added tokens that are found in normalized text
  std::int64_t max_length_ = 0;
  std::int64_t vocabulary_size_ = 0;
  std::int64_t bos_id_ = 0;
  std::int64_t eos_id_ = 0;
  std::int64_t pad_id_ = 0;
};

}  // namespace fjord::text
