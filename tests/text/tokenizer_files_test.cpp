// Reading a tokenizer's files: both forms, options, and what is refused.
#include "loading/tokenizer_files.h"

#include "reference_data.h"
#include "text/clip_tokenizer.h"

#include <fjord/error.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fjord::loading {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kFolder = "weights/tiny/tokenizer";

TokenizerFiles split_files() {
  return text::read_folder(kFolder, {"vocab.json", "merges.txt", "tokenizer_config.json"});
}
TokenizerFiles one_file() { return text::read_folder(kFolder, {"tokenizer.json"}); }

// Replaces a file's content, reads, and gives the message of the error.
std::string refusal(TokenizerFiles files, const std::string& name, const std::string& content,
                    ErrorCode code = ErrorCode::kBadFile) {
  files[name] = content;
  try {
    text::ClipTokenizer{read_tokenizer(files)};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_LE(std::string(error.what()).size(), 512u);
    return error.what();
  }
  ADD_FAILURE() << "no error for " << name << ": " << content.substr(0, 80);
  return "";
}

std::string config_refusal(const json& config, ErrorCode code = ErrorCode::kBadFile) {
  return refusal(split_files(), "tokenizer_config.json", config.dump(), code);
}

// The tiny tokenizer.json or vocab.json after a change.
template <typename Change>
std::string changed(const TokenizerFiles& files, const std::string& name, Change change) {
  json content = json::parse(files.at(name));
  change(content);
  return content.dump();
}

text::TokenizerData with_config(const json& config) {
  TokenizerFiles files = split_files();
  files["tokenizer_config.json"] = config.dump();
  return read_tokenizer(files);
}

TEST(TokenizerFilesTest, BothFormsSayTheSame) {
  const text::TokenizerData split = read_tokenizer(split_files());
  const text::TokenizerData one = read_tokenizer(one_file());
  EXPECT_EQ(split.vocabulary, one.vocabulary);
  EXPECT_EQ(split.merges, one.merges);
  EXPECT_EQ(split.bos, one.bos);
  EXPECT_EQ(split.pad, one.pad);
  EXPECT_EQ(split.max_length, 77);
}

TEST(TokenizerFilesTest, TokenizerJsonWinsOverVocabularyAndMerges) {
  TokenizerFiles files = split_files();
  files.merge(one_file());
  files["vocab.json"] = "not read";
  EXPECT_EQ(read_tokenizer(files).vocabulary.size(), 1024u);
}

TEST(TokenizerFilesTest, MergesAsStrings) {
  TokenizerFiles files = one_file();
  const text::TokenizerData expected = read_tokenizer(files);
  files["tokenizer.json"] = changed(files, "tokenizer.json", [](json& content) {
    for (json& merge : content["model"]["merges"]) {
      merge = merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>();
    }
  });
  EXPECT_EQ(read_tokenizer(files).merges, expected.merges);
}

TEST(TokenizerFilesTest, MergesWithoutHeaderAndWithCarriageReturns) {
  TokenizerFiles files = split_files();
  const text::TokenizerData expected = read_tokenizer(files);
  const std::string header_and_lines = files["merges.txt"];
  std::string& merges = files["merges.txt"];
  merges.clear();
  for (const char c : header_and_lines.substr(header_and_lines.find('\n') + 1)) {
    if (c == '\n') merges += '\r';
    merges += c;
  }
  EXPECT_EQ(read_tokenizer(files).merges, expected.merges);
  merges.resize(merges.size() - 2);  // no line end at the end of the file
  EXPECT_EQ(read_tokenizer(files).merges, expected.merges);
}

TEST(TokenizerFilesTest, WindowOfUnknownSizeIsTheCallers) {
  EXPECT_EQ(with_config({{"model_max_length", 12}}).max_length, 12);
  EXPECT_EQ(with_config({{"max_len", 13}}).max_length, 13);
  for (const json& value : {json(1e30), json(1000000), json(nullptr), json::parse("1000000000000000019884624838656")}) {
    TokenizerFiles files = split_files();
    files["tokenizer_config.json"] = json{{"model_max_length", value}}.dump();
    EXPECT_EQ(read_tokenizer(files).max_length, 77) << value;
    EXPECT_EQ(read_tokenizer(files, 40).max_length, 40) << value;
  }
  for (const json& value : {json(1), json(0), json(-77), json(7.5), json("77"), json(true), json::array()}) {
    EXPECT_THAT(config_refusal({{"model_max_length", value}}), HasSubstr("model_max_length"));
  }
}

TEST(TokenizerFilesTest, MissingFiles) {
  EXPECT_THROW(read_tokenizer({}), Error);
  for (const char* name : {"vocab.json", "merges.txt"}) {
    TokenizerFiles files = split_files();
    files.erase(name);
    EXPECT_THAT(refusal(files, "unrelated.txt", "", ErrorCode::kNotFound), HasSubstr(name));
  }
}

TEST(TokenizerFilesTest, TextThatIsNoJson) {
  std::string deep = "{\"a\":";
  deep.append(100000, '[');
  for (const std::string& text :
       {std::string(), std::string("\xef\xbb\xbf"), std::string("{"), std::string("{} x"), std::string("{\"a\":NaN}"),
        std::string("{\"a\":1e400}"), std::string("[]"), std::string("\"x\""), std::string("{'a':1}"),
        std::string("{\"a\":\"\xff\"}"), deep, std::string("{\"a\":1,\"a\":2}"), std::string("{\0}", 3)}) {
    for (const char* name : {"vocab.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}) {
      EXPECT_THAT(refusal(split_files(), name, text), HasSubstr(name));
    }
    EXPECT_THAT(refusal(one_file(), "tokenizer.json", text), HasSubstr("tokenizer.json"));
  }
}

TEST(TokenizerFilesTest, FilesAboveTheLimit) {
  const std::string large((size_t{16} << 20) + 1, ' ');
  for (const char* name : {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
    EXPECT_THAT(refusal(split_files(), name, large), AllOf(HasSubstr(name), HasSubstr("16777216")));
  }
  EXPECT_THAT(refusal(one_file(), "tokenizer.json", large), HasSubstr("16777216"));
}

TEST(TokenizerFilesTest, BadIds) {
  const auto refuse = [](const json& id) {
    const TokenizerFiles files = split_files();
    return refusal(files, "vocab.json", changed(files, "vocab.json", [&](json& content) { content["!"] = id; }));
  };
  EXPECT_THAT(refuse(-1), HasSubstr("at least 0"));
  EXPECT_THAT(refuse(1), HasSubstr("every id once"));
  EXPECT_THAT(refuse(1024), HasSubstr("without gaps"));
  EXPECT_THAT(refuse(std::int64_t{1} << 40), HasSubstr("without gaps"));
  EXPECT_THAT(refuse(18446744073709551615u), HasSubstr("at least 0"));
  for (const json& id : {json(0.0), json("0"), json(nullptr), json(true), json::array(), json(1e300)}) {
    EXPECT_THAT(refuse(id), AllOf(HasSubstr("vocab.json"), HasSubstr("\"!\"")));
  }
  EXPECT_THAT(refusal(split_files(), "vocab.json", "{}"), HasSubstr("got no token"));
}

TEST(TokenizerFilesTest, BadMerges) {
  const auto refuse = [](const std::string& line) {
    return refusal(split_files(), "merges.txt", "#version: 0.2\ng r\n" + line + "\n");
  };
  for (const char* line : {"g", "", "g r x", " g", "g ", "g  r", " ", "g\tr"}) {
    EXPECT_THAT(refuse(line), HasSubstr("merges.txt, line 3"));
  }
  EXPECT_THAT(refuse("g nothing"), HasSubstr("merge 2"));
  EXPECT_THAT(refuse("\xef\xbb\xbfg r"), HasSubstr("merge 2"));
  const TokenizerFiles files = one_file();
  for (const json& merge :
       {json("g"), json("g r x"), json(1), json{"g"}, json{"g", "r", "x"}, json{"g", 1}, json::object()}) {
    EXPECT_THAT(
        refusal(files, "tokenizer.json",
                changed(files, "tokenizer.json", [&](json& content) { content["model"]["merges"][1] = merge; })),
        HasSubstr("\"merges\", entry 2"));
  }
}

TEST(TokenizerFilesTest, CyclicAndRepeatedMergesAreBoundedWork) {
  TokenizerFiles files = split_files();
  std::string& merges = files["merges.txt"];
  const std::string all = merges;
  for (int round = 0; round < 20; ++round) merges += all;
  const text::ClipTokenizer tokenizer(read_tokenizer(files));
  EXPECT_EQ(tokenizer.tokenize(std::string(1000, 'g')).empty(), false);
}

TEST(TokenizerFilesTest, BadModel) {
  const TokenizerFiles files = one_file();
  const auto refuse = [&](auto change, ErrorCode code = ErrorCode::kBadFile) {
    return refusal(files, "tokenizer.json", changed(files, "tokenizer.json", change), code);
  };
  EXPECT_THAT(refuse([](json& content) { content.erase("model"); }), HasSubstr("\"model\""));
  EXPECT_THAT(refuse([](json& content) { content["model"] = 1; }), HasSubstr("\"model\""));
  EXPECT_THAT(refuse([](json& content) { content["model"].erase("vocab"); }), HasSubstr("\"vocab\""));
  EXPECT_THAT(refuse([](json& content) { content["model"]["vocab"] = "x"; }), HasSubstr("\"vocab\""));
  EXPECT_THAT(refuse([](json& content) { content["model"].erase("merges"); }), HasSubstr("\"merges\""));
  EXPECT_THAT(refuse([](json& content) { content["model"]["merges"] = "x"; }), HasSubstr("\"merges\""));
  EXPECT_THAT(refuse([](json& content) { content["model"]["type"] = "Unigram"; }, ErrorCode::kUnsupported),
              HasSubstr("Unigram"));
  EXPECT_THAT(refuse([](json& content) { content["added_tokens"] = 1; }), HasSubstr("added_tokens"));
  EXPECT_THAT(refuse([](json& content) { content["added_tokens"][0].erase("id"); }), HasSubstr("an id"));
  EXPECT_THAT(refuse([](json& content) { content["added_tokens"][0]["id"] = 5; }), HasSubstr("1022"));
  EXPECT_THAT(refuse([](json& content) { content["added_tokens"][0]["content"] = 5; }), HasSubstr("content"));
  EXPECT_THAT(refuse(
                  [](json& content) {
                    content["truncation"] = {{"direction", "Left"}};
                  },
                  ErrorCode::kUnsupported),
              HasSubstr("truncation_side"));
}

TEST(TokenizerFilesTest, MissingSpecialTokens) {
  for (const char* role : {"bos_token", "eos_token", "pad_token", "unk_token"}) {
    EXPECT_THAT(config_refusal({{role, "<nothing>"}}), AllOf(HasSubstr(role), HasSubstr("<nothing>")));
    for (const json& value : {json(nullptr), json(1), json(true), json::array(), json(""), json::object(),
                              json{{"content", 1}}, json{{"content", ""}}, json{{"content", "!"}, {"lstrip", 1}}}) {
      EXPECT_THAT(config_refusal({{role, value}}), HasSubstr(role));
    }
  }
  const TokenizerFiles files = split_files();
  EXPECT_THAT(refusal(files, "vocab.json",
                      changed(files, "vocab.json",
                              [](json& content) {
                                content["<|other|>"] = content["<|startoftext|>"];
                                content.erase("<|startoftext|>");
                              })),
              HasSubstr("bos_token"));
}

TEST(TokenizerFilesTest, TokensAsStringsAndAsObjects) {
  EXPECT_EQ(with_config({{"pad_token", "!"}}).pad, "!");
  EXPECT_EQ(with_config({{"pad_token", {{"content", "!"}}}}).pad, "!");
  TokenizerFiles files = split_files();
  files["special_tokens_map.json"] = R"({"pad_token": {"content": "!", "normalized": false}})";
  const text::ClipTokenizer tokenizer(read_tokenizer(files));
  EXPECT_EQ(tokenizer.pad_id(), 0);
  EXPECT_EQ(tokenizer.encode("").ids.back(), 0);
}

TEST(TokenizerFilesTest, BadDecoder) {
  const auto refuse = [](const json& decoder, ErrorCode code = ErrorCode::kBadFile) {
    return config_refusal({{"added_tokens_decoder", decoder}}, code);
  };
  const json token{{"content", "<x>"}};
  EXPECT_THAT(refuse(json::array()), HasSubstr("added_tokens_decoder"));
  for (const char* id : {"", "x", "-1", "1.0", " 1024", "0x400", "99999999999999999999"}) {
    EXPECT_THAT(refuse({{id, token}}), HasSubstr("expected an id"));
  }
  EXPECT_THAT(refuse({{"1024", "<x>"}}), HasSubstr("1024"));
  EXPECT_THAT(refuse({{"1030", token}}), HasSubstr("expected the id 1024"));
  EXPECT_THAT(refuse({{"3", token}}), HasSubstr("expected the id 1024"));
  EXPECT_THAT(refuse({{"1024", {{"content", "<x>"}, {"single_word", true}}}}, ErrorCode::kUnsupported),
              HasSubstr("single_word"));
  EXPECT_THAT(refuse({{"1024", {{"content", "<x>"}, {"normalized", "yes"}}}}), HasSubstr("normalized"));
}

TEST(TokenizerFilesTest, WhatFjordDoesNotHave) {
  constexpr auto kUnsupported = ErrorCode::kUnsupported;
  EXPECT_THAT(config_refusal({{"tokenizer_class", "T5Tokenizer"}}, kUnsupported), HasSubstr("T5Tokenizer"));
  EXPECT_THAT(config_refusal({{"padding_side", "left"}}, kUnsupported), HasSubstr("padding_side"));
  EXPECT_THAT(config_refusal({{"truncation_side", "left"}}, kUnsupported), HasSubstr("truncation_side"));
  EXPECT_THAT(config_refusal({{"split_special_tokens", true}}, kUnsupported), HasSubstr("split_special_tokens"));
  EXPECT_THAT(config_refusal({{"split_special_tokens", 1}}), HasSubstr("split_special_tokens"));
  EXPECT_THAT(config_refusal({{"extra_special_tokens", 1}}), HasSubstr("extra_special_tokens"));
}

}  // namespace
}  // namespace fjord::loading
