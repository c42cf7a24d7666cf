// The tokenizer as a whole: window, limits, bad data, time, stack and threads.
#include "text/clip_tokenizer.h"

#include "reference_data.h"

#include <fjord/error.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <functional>
#include <thread>

namespace fjord::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
constexpr double kSlowdown = 20;  // of a build for finding faults
#else
constexpr double kSlowdown = 1;
#endif
constexpr double kMaxSeconds = 0.050 * kSlowdown;

TokenizerData tiny() { return loading::read_tokenizer(read_folder("weights/tiny/tokenizer", {"tokenizer.json"})); }

std::string repeated(std::string_view unit) {
  std::string text;
  while (text.size() + unit.size() <= ClipTokenizer::kMaxTextSize) text += unit;
  return text;
}

const std::vector<std::string>& heavy_texts() {
  static const std::vector<std::string> texts{repeated("A"),
                                              repeated("."),
                                              repeated(" "),
                                              repeated("\u5b57"),
                                              repeated("\u0301"),
                                              repeated("\u0316\u0301"),
                                              repeated("crown"),
                                              repeated("1"),
                                              repeated("\u00e9"),
                                              repeated("e\u0301"),
                                              repeated("'s"),
                                              repeated("<|endoftext|>"),
                                              repeated("<|endoftext|"),
                                              repeated("\U0001f468\u200d"),
                                              repeated("\u0130"),
                                              repeated("gr"),
                                              std::string(ClipTokenizer::kMaxTextSize, '\0'),
                                              repeated("\U0001d1c0"),
                                              repeated("\u1112\u1161\u11ab"),
                                              repeated("\u0958")};
  return texts;
}

std::string message_of(const std::function<void()>& call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(ClipTokenizerTest, WindowHoldsBeginTextEndAndPadding) {
  const ClipTokenizer tokenizer(tiny());
  const TokenizedPrompt prompt = tokenizer.encode("a gold crown");
  ASSERT_EQ(prompt.ids.size(), 77u);
  EXPECT_THAT(std::vector(prompt.ids.begin(), prompt.ids.begin() + 6), ElementsAre(1022, 320, 625, 651, 1023, 1023));
  EXPECT_EQ(prompt.total_tokens, 5u);
  EXPECT_FALSE(prompt.truncated);
  EXPECT_EQ(tokenizer.vocabulary_size(), 1024);
  EXPECT_EQ(tokenizer.bos_id(), 1022);
  EXPECT_EQ(tokenizer.eos_id(), 1023);
  EXPECT_EQ(tokenizer.max_length(), 77);
}

TEST(ClipTokenizerTest, TruncationKeepsBeginAndEnd) {
  const ClipTokenizer tokenizer(tiny());
  const TokenizedPrompt full = tokenizer.encode(std::string(75, '1'));
  EXPECT_FALSE(full.truncated);
  EXPECT_EQ(full.total_tokens, 77u);
  const TokenizedPrompt cut = tokenizer.encode(std::string(76, '1'));
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.total_tokens, 78u);
  EXPECT_EQ(cut.ids, full.ids);
  EXPECT_EQ(cut.ids.back(), tokenizer.eos_id());
}

TEST(ClipTokenizerTest, TextLimit) {
  const ClipTokenizer tokenizer(tiny());
  const std::string longest(ClipTokenizer::kMaxTextSize, ' ');
  EXPECT_EQ(tokenizer.encode(longest).total_tokens, 2u);
  EXPECT_THAT(message_of([&] { tokenizer.encode(longest + " "); }, ErrorCode::kInvalidArgument), HasSubstr("65536"));
}

TEST(ClipTokenizerTest, TextThatIsNoUtf8) {
  const ClipTokenizer tokenizer(tiny());
  EXPECT_THAT(message_of([&] { tokenizer.encode("a\xc0\xaf"); }, ErrorCode::kInvalidArgument), HasSubstr("UTF-8"));
}

TEST(ClipTokenizerTest, HeavyTextsTakeLittleTime) {
  const ClipTokenizer tokenizer(tiny());
  for (const std::string& text : heavy_texts()) {
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      const auto start = std::chrono::steady_clock::now();
      tokenizer.encode(text);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    EXPECT_LE(best, kMaxSeconds) << testing::PrintToString(text.substr(0, 12));
  }
}

void* encode_heavy_texts(void* tokenizer) {
  for (const std::string& text : heavy_texts()) static_cast<const ClipTokenizer*>(tokenizer)->encode(text);
  return tokenizer;
}

TEST(ClipTokenizerTest, HeavyTextsNeedLittleStack) {
  ClipTokenizer tokenizer(tiny());
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, size_t{256} << 10), 0);
  pthread_t thread{};
  ASSERT_EQ(pthread_create(&thread, &attributes, encode_heavy_texts, &tokenizer), 0);
  void* result = nullptr;
  EXPECT_EQ(pthread_join(thread, &result), 0);
  EXPECT_EQ(result, &tokenizer);
  pthread_attr_destroy(&attributes);
}

TEST(ClipTokenizerTest, ThreadsShareOneTokenizer) {
  const ClipTokenizer tokenizer(tiny());
  const std::string text = "A Gold crown, don't! \u00e9\u5b57 <|endoftext|> 123";
  const std::vector<std::int64_t> expected = tokenizer.encode(text).ids;
  std::vector<int> equal(8);
  std::vector<std::thread> threads;
  for (int& count : equal) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) count += tokenizer.encode(text).ids == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(equal, testing::Each(200));
}

TEST(ClipTokenizerTest, ContradictingDataAreRefused) {
  const TokenizerData good = tiny();
  const auto refusal = [&](const std::function<void(TokenizerData&)>& spoil) {
    TokenizerData data = good;
    spoil(data);
    return message_of([&] { ClipTokenizer{data}; }, ErrorCode::kBadFile);
  };
  EXPECT_THAT(refusal([](auto& data) { data.vocabulary[3] = data.vocabulary[2]; }), HasSubstr("ids 2 and 3"));
  EXPECT_THAT(refusal([](auto& data) { data.bos = "<b>"; }), HasSubstr("bos token \"<b>\""));
  EXPECT_THAT(refusal([](auto& data) { data.eos = ""; }), HasSubstr("eos token"));
  EXPECT_THAT(refusal([](auto& data) { data.pad = "<p>"; }), HasSubstr("pad token"));
  EXPECT_THAT(refusal([](auto& data) { data.merges.front().second = "nothing"; }), HasSubstr("merge 1"));
  EXPECT_THAT(refusal([](auto& data) { data.max_length = 1; }), HasSubstr("model_max_length"));
  EXPECT_THAT(refusal([](auto& data) { data.max_length = 1 << 20; }), HasSubstr("model_max_length"));
  EXPECT_THAT(refusal([](auto& data) { data.added_tokens.push_back({std::string(300, 'x')}); }), HasSubstr("256"));
  EXPECT_THAT(refusal([](auto& data) {
                data.added_tokens.push_back({"<X>", true});
                data.added_tokens.push_back({"<x>", true});
              }),
              HasSubstr("same text"));
}

TEST(ClipTokenizerTest, AddedTokensGetTheNextIds) {
  TokenizerData data = tiny();
  data.added_tokens.push_back({"<cat>"});
  data.added_tokens.push_back({"<dog>"});
  data.added_tokens.push_back({"<cat>", true});
  const ClipTokenizer tokenizer(data);
  EXPECT_EQ(tokenizer.vocabulary_size(), 1026);
  EXPECT_THAT(tokenizer.tokenize("<CAT><dog><cat>"), ElementsAre(1024, 1025, 1024));
}

TEST(ClipTokenizerTest, LearnedTokensStandForTheirVectors) {
  const ClipTokenizer base(tiny());
  const auto learned = base.with_tokens({{"<old-map>", 2000, 3}, {"zxq", 2003, 1}});
  EXPECT_THAT(learned.tokenize("<old-map>"), ElementsAre(2000, 2001, 2002));
  EXPECT_THAT(learned.tokenize("<OLD-map><old-map>_1 zxq"), ElementsAre(2000, 2001, 2002, 2001, 2003));
  EXPECT_EQ(learned.tokenize("a gold crown"), base.tokenize("a gold crown"));
  EXPECT_EQ(learned.vocabulary_size(), 2004);
  for (const auto id : base.tokenize("<old-map>")) EXPECT_LT(id, 2000);
}

TEST(ClipTokenizerTest, LearnedTokensMustBeNew) {
  const ClipTokenizer base(tiny());
  const auto refusal = [&](const std::vector<LearnedToken>& tokens) {
    try {
      base.with_tokens(tokens);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({{"", 2000, 1}}), HasSubstr("1 to 256 characters"));
  EXPECT_THAT(refusal({{std::string(300, 'x'), 2000, 1}}), HasSubstr("1 to 256 characters"));
  EXPECT_THAT(refusal({{"<a>", 2000, 1}, {"<A>", 2001, 1}}), HasSubstr("known already"));
  EXPECT_THAT(refusal({{"crown", 2000, 1}}), HasSubstr("word of the vocabulary"));
  EXPECT_THAT(refusal({{"<|endoftext|>", 2000, 1}}), HasSubstr("word of the vocabulary"));
}

}  // namespace
}  // namespace fjord::text
