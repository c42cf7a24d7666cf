// Ids equal to those of transformers' fast CLIPTokenizer, on every text of tests/reference/clip_tokenizer.py.
#include "reference_data.h"
#include "text/clip_tokenizer.h"
#include "text/unicode.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fjord::text {
namespace {

const std::vector<std::string> kSplitFiles{"vocab.json", "merges.txt", "tokenizer_config.json",
                                           "special_tokens_map.json"};
constexpr const char* kTiny = "weights/tiny/tokenizer";
constexpr const char* kMedium = "tests/data/tokenizer/medium";

ClipTokenizer load(const char* path, const std::vector<std::string>& names) {
  return ClipTokenizer(loading::read_tokenizer(read_folder(path, names)));
}

std::vector<std::string> read_texts() {
  const std::string data = read_packed("texts.bin.gz");
  Reader reader(data);
  std::vector<std::string> texts;
  while (!reader.done()) {
    const size_t size = reader.number();
    texts.emplace_back(reader.bytes(size));
  }
  return texts;
}

void expect_answers(const ClipTokenizer& tokenizer, const std::string& name) {
  const std::vector<std::string> texts = read_texts();
  ASSERT_GE(texts.size(), 10000u);
  const std::string data = read_packed(name);
  Reader answers(data);
  int wrong = 0;
  for (const std::string& text : texts) {
    const std::vector<std::int64_t> expected = answers.numbers();
    const std::uint32_t window_sum = answers.sum();
    const TokenizedPrompt prompt = tokenizer.encode(text);
    const bool equal = tokenizer.tokenize(text) == expected && sum_of(prompt.ids) == window_sum &&
                       prompt.total_tokens == expected.size() + 2 && prompt.truncated == (expected.size() > 75);
    if (!equal && ++wrong <= 5) ADD_FAILURE() << "differs: " << testing::PrintToString(text);
  }
  EXPECT_EQ(wrong, 0) << "of " << texts.size();
  EXPECT_TRUE(answers.done());
}

TEST(ClipTokenizerReferenceTest, TinyVocabularyFromOneFile) {
  expect_answers(load(kTiny, {"tokenizer.json"}), "tiny.ids.gz");
}

TEST(ClipTokenizerReferenceTest, TinyVocabularyFromVocabularyAndMerges) {
  expect_answers(load(kTiny, kSplitFiles), "tiny.ids.gz");
}

TEST(ClipTokenizerReferenceTest, MediumVocabularyWithPaddingOfStableDiffusion2) {
  const ClipTokenizer tokenizer = load(kMedium, kSplitFiles);
  EXPECT_EQ(tokenizer.pad_id(), 0);
  expect_answers(tokenizer, "medium.ids.gz");
}

std::string utf8(const std::u32string& text) {
  std::string out;
  for (const char32_t character : text) append_utf8(character, out);
  return out;
}

std::string sweep_text(char32_t code) {
  const std::u32string one(1, code);
  return utf8(U"x" + one + U"Y o" + one + U"\u0323 a\u0316" + one + U"\u0301 1" + one + U"2");
}

TEST(ClipTokenizerReferenceTest, EveryCodePoint) {
  const ClipTokenizer tokenizer = load(kTiny, {"tokenizer.json"});
  const std::string data = read_packed("sweep.gz");
  Reader sums(data);
  for (char32_t first = 0; first < 0x110000; first += 256) {
    std::uint32_t sum = 0;
    for (char32_t code = first; code < first + 256; ++code) {
      if (code >= 0xd800 && code < 0xe000) continue;
      sum = sum_of(tokenizer.tokenize(sweep_text(code)), sum);
    }
    EXPECT_EQ(sum, sums.sum()) << "code points from " << std::hex << std::uint32_t{first};
  }
  EXPECT_TRUE(sums.done());
}

TEST(ClipTokenizerReferenceTest, EveryWayToNameSpecialTokens) {
  const auto variants = nlohmann::json::parse(read_packed("variants.json.gz"));
  ASSERT_GE(variants.size(), 10u);
  for (const auto& variant : variants) {
    SCOPED_TRACE(variant.at("name").get<std::string>());
    loading::TokenizerFiles files = read_folder(kTiny, {"vocab.json", "merges.txt"});
    for (const auto& [name, content] : variant.at("files").items()) files[name] = content.get<std::string>();
    const ClipTokenizer tokenizer(loading::read_tokenizer(files));
    for (const auto& item : variant.at("cases")) {
      const auto text = item.at("text").get<std::string>();
      EXPECT_EQ(tokenizer.tokenize(text), item.at("tokens").get<std::vector<std::int64_t>>()) << text;
      if (!item.contains("window")) continue;
      EXPECT_EQ(tokenizer.encode(text).ids, item.at("window").get<std::vector<std::int64_t>>()) << text;
    }
  }
}

}  // namespace
}  // namespace fjord::text
