#include "text/prompt_chunks.h"

#include "core/check.h"
#include "text/prompt_weights.h"

#include <algorithm>
#include <optional>

namespace fjord::text {
namespace {

constexpr size_t kCommaReach = 20;  // the web UI's option "comma_padding_backtrack"
constexpr size_t kLongPart = 8;     // tokens; ComfyUI's max_word_length

struct Token {
  std::int64_t id = 0;
  float weight = 1;
};

// Collects tokens and closes chunks.
class ChunkWriter {
 public:
  explicit ChunkWriter(const ClipTokenizer& tokenizer)
      : tokenizer_(tokenizer), room_(static_cast<size_t>(tokenizer.max_length()) - 2) {}

  void add(Token token) { tokens_.push_back(token); }
  size_t size() const { return tokens_.size(); }
  size_t room() const { return room_ - tokens_.size(); }
  bool full() const { return tokens_.size() == room_; }
  std::vector<Token> take_from(size_t begin) {
    std::vector<Token> out(tokens_.begin() + static_cast<std::ptrdiff_t>(begin), tokens_.end());
    tokens_.resize(begin);
    return out;
  }

  // Begin token, the tokens, end token, padding.
  void close() {
    check(out_.chunks.size() < ChunkedPrompt::kMaxChunks, ErrorCode::kInvalidArgument, "the prompt must have at most ",
          ChunkedPrompt::kMaxChunks, " chunks of ", room_, " tokens");
    PromptChunk chunk{{tokenizer_.bos_id()}, {1.0F}};
    for (const auto& token : tokens_) {
      chunk.ids.push_back(token.id);
      chunk.weights.push_back(token.weight);
    }
    chunk.ids.push_back(tokenizer_.eos_id());
    chunk.ids.resize(room_ + 2, tokenizer_.pad_id());
    chunk.weights.resize(room_ + 2, 1.0F);
    out_.total_tokens += tokens_.size();
    out_.chunks.push_back(std::move(chunk));
    tokens_.clear();
  }

  ChunkedPrompt finish() {
    if (!tokens_.empty() || out_.chunks.empty()) close();
    return std::move(out_);
  }

 private:
  const ClipTokenizer& tokenizer_;
  size_t room_;
  std::vector<Token> tokens_;
  ChunkedPrompt out_;
};

// The web UI's way to fill chunks.
class A1111Chunks {
 public:
  explicit A1111Chunks(const ClipTokenizer& tokenizer) : writer_(tokenizer) {
    if (const auto comma = tokenizer.tokenize(","); comma.size() == 1) comma_ = comma[0];
  }

  void add(Token token) {
    if (token.id == comma_) {
      after_comma_ = writer_.size() + 1;
    } else if (writer_.full() && after_comma_ > 0 && writer_.size() + 1 - after_comma_ <= kCommaReach) {
      const auto moved = writer_.take_from(after_comma_);
      close();
      for (const auto& each : moved) writer_.add(each);
    }
    if (writer_.full()) close();
    writer_.add(token);
  }
  void close() {
    writer_.close();
    after_comma_ = 0;
  }
  ChunkedPrompt finish() { return writer_.finish(); }

 private:
  ChunkWriter writer_;
  std::optional<std::int64_t> comma_;
  size_t after_comma_ = 0;  // place after the chunk's last comma; 0: it has none
};

}  // namespace

bool ChunkedPrompt::is_weighted() const {
  const auto is_one = [](float weight) { return weight == 1.0F; };
  return !std::all_of(chunks.begin(), chunks.end(), [&](const PromptChunk& chunk) {
    return std::all_of(chunk.weights.begin(), chunk.weights.end(), is_one);
  });
}

ChunkedPrompt plain_prompt(const ClipTokenizer& tokenizer, std::string_view utf8) {
  auto tokens = tokenizer.encode(utf8);
  ChunkedPrompt out{.chunks = {}, .total_tokens = tokens.total_tokens, .truncated = tokens.truncated};
  out.chunks.push_back({std::move(tokens.ids), std::vector<float>(static_cast<size_t>(tokenizer.max_length()), 1.0F)});
  return out;
}

ChunkedPrompt a1111_prompt(const ClipTokenizer& tokenizer, std::string_view utf8) {
  A1111Chunks chunks(tokenizer);
  for (const auto& part : parse_a1111(utf8)) {
    if (part.is_break) {
      chunks.close();
      continue;
    }
    for (const auto id : tokenizer.tokenize(part.text)) chunks.add({id, static_cast<float>(part.weight)});
  }
  return chunks.finish();
}

ChunkedPrompt comfyui_prompt(const ClipTokenizer& tokenizer, std::string_view utf8) {
  ChunkWriter writer(tokenizer);
  for (const auto& part : parse_comfyui(utf8)) {
    const auto ids = tokenizer.tokenize(part.text);
    if (ids.size() < kLongPart && ids.size() > writer.room()) writer.close();
    for (const auto id : ids) {
      if (writer.full()) writer.close();
      writer.add({id, static_cast<float>(part.weight)});
    }
  }
  return writer.finish();
}

PromptChunk empty_chunk(const ClipTokenizer& tokenizer) {
  const auto size = static_cast<size_t>(tokenizer.max_length());
  PromptChunk chunk{{tokenizer.bos_id(), tokenizer.eos_id()}, std::vector<float>(size, 1.0F)};
  chunk.ids.resize(size, tokenizer.pad_id());
  return chunk;
}

}  // namespace fjord::text
