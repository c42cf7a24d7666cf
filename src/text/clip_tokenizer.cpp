// Puts the steps in order: added tokens, normalizer, words, byte pairs, window.
#include "text/clip_tokenizer.h"

#include "core/check.h"
#include "text/normalizer.h"
#include "text/unicode.h"
#include "text/words.h"

#include <algorithm>
#include <utility>

namespace fjord::text {
namespace {

constexpr std::int64_t kMinLength = 2;  // bos and eos
constexpr std::int64_t kMaxLength = 65536;
constexpr size_t kMaxVocabulary = size_t{1} << 24;

TokenIds vocabulary_ids(const std::vector<std::string>& vocabulary) {
  check(vocabulary.size() <= kMaxVocabulary, ErrorCode::kBadFile, "tokenizer vocabulary: expected at most ",
        kMaxVocabulary, " tokens, got ", vocabulary.size());
  TokenIds ids;
  ids.reserve(vocabulary.size());
  std::int64_t index = 0;
  for (const std::string& token : vocabulary) {
    const auto [entry, is_new] = ids.emplace(token, index);
    if (!is_new) {
      fail(ErrorCode::kBadFile, "tokenizer vocabulary: expected every token once, got ", quoted(token),
           " with the ids ", entry->second, " and ", index);
    }
    ++index;
  }
  return ids;
}

// The added tokens with the special ones among them, each content once, with the flags that were given last.
std::vector<AddedToken> distinct_tokens(const TokenizerData& data) {
  std::vector<AddedToken> tokens;
  std::unordered_map<std::string, size_t> places;
  for (const AddedToken& token : data.added_tokens) {
    const auto [place, is_new] = places.emplace(token.content, tokens.size());
    if (is_new) tokens.emplace_back();
    tokens[place->second] = token;
  }
  for (const std::string& special : {data.bos, data.eos, data.unk, data.pad}) {
    if (!special.empty() && places.emplace(special, tokens.size()).second) tokens.push_back({special});
  }
  return tokens;
}

void check_special(const TokenizerData& data, const TokenIds& ids, const std::string& token, const char* role) {
  const auto is_it = [&](const AddedToken& added) { return added.content == token; };
  const bool known = ids.contains(token) || std::any_of(data.added_tokens.begin(), data.added_tokens.end(), is_it);
  check(known, ErrorCode::kBadFile, "tokenizer: expected the ", role, " token ", quoted(token),
        " in the vocabulary or among the added tokens");
}

}  // namespace

ClipTokenizer::ClipTokenizer(const TokenizerData& data) : ClipTokenizer(data, vocabulary_ids(data.vocabulary)) {}

ClipTokenizer::ClipTokenizer(const TokenizerData& data, TokenIds ids)
    : encoder_(std::make_shared<const BytePairEncoder>(ids, data.merges, data.unk)), max_length_(data.max_length) {
  check(max_length_ >= kMinLength && max_length_ <= kMaxLength, ErrorCode::kBadFile,
        "tokenizer: expected a model_max_length of ", kMinLength, " to ", kMaxLength, ", got ", max_length_);
  check_special(data, ids, data.bos, "bos");
  check_special(data, ids, data.eos, "eos");
  check_special(data, ids, data.pad, "pad");
  for (const AddedToken& token : distinct_tokens(data)) {
    const std::int64_t id = ids.emplace(token.content, ids.size()).first->second;
    const std::u32string typed = decode_utf8(token.content);
    const std::u32string pattern = token.normalized ? normalize(typed) : typed;
    (token.normalized ? normalized_ : typed_).add({pattern, id, token.lstrip, token.rstrip});
  }
  vocabulary_size_ = static_cast<std::int64_t>(ids.size());
  bos_id_ = ids.at(data.bos);
  eos_id_ = ids.at(data.eos);
  pad_id_ = ids.at(data.pad);
}

void ClipTokenizer::append_words(std::u32string_view text, std::vector<std::int64_t>& out) const {
  std::string bytes;
  for (const std::u32string_view word : split_words(text)) {
    bytes.clear();
    for (const char32_t character : word) append_utf8(character, bytes);
    encoder_->encode(bytes, out);
  }
}

std::vector<std::int64_t> ClipTokenizer::tokenize(std::string_view utf8) const {
  check(utf8.size() <= kMaxTextSize, ErrorCode::kInvalidArgument, "expected a text of at most ", kMaxTextSize,
        " bytes (64 KiB), got ", utf8.size());
  const std::u32string text = decode_utf8(utf8);
  std::vector<std::int64_t> ids;
  for (const TextPiece& typed : typed_.split(text)) {
    if (typed.id >= 0) {
      ids.push_back(typed.id);
      continue;
    }
    const std::u32string normal = normalize(typed.characters);
    for (const TextPiece& piece : normalized_.split(normal)) {
      if (piece.id >= 0) append_added(piece.id, ids);
      if (piece.id < 0) append_words(piece.characters, ids);
    }
  }
  return ids;
}

void ClipTokenizer::append_added(std::int64_t id, std::vector<std::int64_t>& out) const {
  const auto found = vectors_.find(id);
  const auto count = found == vectors_.end() ? 1 : found->second;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(id + i);
}

void ClipTokenizer::add_learned(const std::string& token, std::int64_t id, std::int64_t vectors) {
  const auto pattern = normalize(decode_utf8(token));
  check(!pattern.empty() && pattern.size() <= TokenFinder::kMaxPattern, ErrorCode::kInvalidArgument,
        "a learned token must have 1 to ", TokenFinder::kMaxPattern, " characters, got ", quoted(token));
  const auto pieces = normalized_.split(pattern);
  check(pieces.size() > 1 || pieces.front().id < 0, ErrorCode::kInvalidArgument, "the token ", quoted(token),
        " is known already");
  check(tokenize(token).size() > 1, ErrorCode::kInvalidArgument, "the token ", quoted(token),
        " is a word of the vocabulary; give the textual inversion another name");
  normalized_.add({pattern, id, false, false});
  if (vectors > 1) vectors_.emplace(id, vectors);
  vocabulary_size_ = std::max(vocabulary_size_, id + 1);
}

ClipTokenizer ClipTokenizer::with_tokens(const std::vector<LearnedToken>& tokens) const {
  ClipTokenizer out = *this;
  for (const auto& [token, first_id, vectors] : tokens) {
    out.add_learned(token, first_id, vectors);
    for (std::int64_t i = 1; i < vectors; ++i) out.add_learned(token + "_" + std::to_string(i), first_id + i, 1);
  }
  return out;
}

TokenizedPrompt ClipTokenizer::encode(std::string_view utf8) const {
  const std::vector<std::int64_t> tokens = tokenize(utf8);
  const auto window = static_cast<size_t>(max_length_);
  const size_t kept = std::min(tokens.size(), window - kMinLength);
  TokenizedPrompt prompt;
  prompt.total_tokens = tokens.size() + kMinLength;
  prompt.truncated = prompt.total_tokens > window;
  prompt.ids.reserve(window);
  prompt.ids.push_back(bos_id_);
  prompt.ids.insert(prompt.ids.end(), tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(kept));
  prompt.ids.push_back(eos_id_);
  prompt.ids.resize(window, pad_id_);
  return prompt;
}

}  // namespace fjord::text
