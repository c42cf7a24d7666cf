// Brackets, escapes and breaks in prompts, and how tokens fill chunks. Whole prompts are compared with formulas in
// tests/pipeline/presets_test.cpp.
#include "text/prompt_weights.h"
#include "support/error_of.h"
#include "text/prompt_chunks.h"

#include <gtest/gtest.h>

namespace fjord::text {
namespace {

std::string shown(const std::vector<WeightedText>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += part.is_break ? "/" : "<" + part.text + "|" + std::to_string(part.weight).substr(0, 4) + ">";
  }
  return out;
}

TEST(A1111PromptTest, BracketsMultiplyWeights) {
  EXPECT_EQ(shown(parse_a1111("a (b:1.2) c")), "<a |1.00><b|1.20>< c|1.00>");
  EXPECT_EQ(shown(parse_a1111("((a))")), "<a|1.21>");
  EXPECT_EQ(shown(parse_a1111("[a] b")), "<a|0.90>< b|1.00>");
  EXPECT_EQ(shown(parse_a1111("((a:1.2):2)")), "<a|2.40>");
  EXPECT_EQ(shown(parse_a1111("(a [b (c")), "<a |1.10><b |1.00><c|1.10>");
  EXPECT_EQ(shown(parse_a1111("")), "<|1.00>");
}

TEST(A1111PromptTest, WhatIsNoWeightIsText) {
  EXPECT_EQ(shown(parse_a1111("a:1.2) b]")), "<a:1.2) b]|1.00>");
  EXPECT_EQ(shown(parse_a1111("(a:x)")), "<a:x|1.10>");
  EXPECT_EQ(shown(parse_a1111("(a:1.2.3)")), "<a:1.2.3|1.10>");
  EXPECT_EQ(shown(parse_a1111(R"(\(a\) \[b\] \\ \x)")), R"(<(a) [b] \ x|1.00>)");
}

TEST(A1111PromptTest, BreakIsAWordOfItsOwnOutsideBrackets) {
  EXPECT_EQ(shown(parse_a1111("a BREAK b")), "<a|1.00>/<b|1.00>");
  EXPECT_EQ(shown(parse_a1111("aBREAK BREAKb")), "<aBREAK BREAKb|1.00>");
  EXPECT_EQ(shown(parse_a1111("(a BREAK b:1.2)")), "<a|1.20><BREAK|-1.2><b|1.20>");
}

TEST(ComfyUiPromptTest, TheInnermostNumberCounts) {
  EXPECT_EQ(shown(parse_comfyui("a (b:1.2) c")), "<a |1.00><b|1.20>< c|1.00>");
  EXPECT_EQ(shown(parse_comfyui("((a:1.2):2)")), "<a|1.20>");
  EXPECT_EQ(shown(parse_comfyui("((a))")), "<a|1.21>");
  EXPECT_EQ(shown(parse_comfyui("[a] (b")), "<[a] |1.00><(b|1.00>");
  EXPECT_EQ(shown(parse_comfyui(R"(\(a\) (b\):2))")), "<(a) |1.00><b)|2.00>");
  EXPECT_EQ(shown(parse_comfyui("a BREAK b")), "<a BREAK b|1.00>");
}

TEST(ComfyUiPromptTest, DeepBracketsAreRefused) {
  EXPECT_EQ(shown(parse_comfyui(std::string(100, '(') + "a" + std::string(100, ')'))).substr(0, 3), "<a|");
  const auto error = testing::error_of([] { parse_comfyui(std::string(102, '(') + "a" + std::string(102, ')')); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
}

// Letters are tokens; "," is one too.
ClipTokenizer letters() {
  TokenizerData data;
  for (const char* token : {"a", "b", ",", "a</w>", "b</w>", ",</w>", "<|startoftext|>", "<|endoftext|>"}) {
    data.vocabulary.emplace_back(token);
  }
  return ClipTokenizer(data);
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(PromptChunksTest, ALongPromptFillsChunksOf75) {
  const auto tokenizer = letters();
  const auto prompt = a1111_prompt(tokenizer, repeated("a ", 160));
  ASSERT_EQ(prompt.chunks.size(), 3u);
  for (const auto& chunk : prompt.chunks) EXPECT_EQ(chunk.ids.size(), 77u);
  EXPECT_EQ(prompt.chunks[0].ids[75], prompt.chunks[0].ids[1]);
  EXPECT_EQ(prompt.chunks[0].ids[76], tokenizer.eos_id());
  EXPECT_EQ(prompt.chunks[2].ids[11], tokenizer.eos_id());
  EXPECT_EQ(prompt.total_tokens, 160u);
  EXPECT_FALSE(prompt.is_weighted());
  EXPECT_EQ(comfyui_prompt(tokenizer, repeated("a ", 160)).chunks.size(), 3u);
}

TEST(PromptChunksTest, AFullChunkGivesOnWhatFollowsItsLastComma) {
  const auto tokenizer = letters();
  const auto near = a1111_prompt(tokenizer, repeated("a ", 60) + ", " + repeated("b ", 30));
  EXPECT_EQ(near.chunks[0].ids[62], tokenizer.eos_id());
  const auto far = a1111_prompt(tokenizer, repeated("a ", 40) + ", " + repeated("b ", 50));
  EXPECT_NE(far.chunks[0].ids[75], tokenizer.eos_id());
}

TEST(PromptChunksTest, TooManyChunksAreRefused) {
  const auto tokenizer = letters();
  EXPECT_EQ(a1111_prompt(tokenizer, repeated("a ", 16 * 75)).chunks.size(), 16u);
  EXPECT_EQ(testing::error_of([&] { a1111_prompt(tokenizer, repeated("a ", 16 * 75 + 1)); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(testing::error_of([&] { comfyui_prompt(tokenizer, repeated("a ", 16 * 75 + 1)); }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace fjord::text
