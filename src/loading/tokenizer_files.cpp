// The vocabulary and the merges, from either pair of files, and the few options that matter.
#include "loading/tokenizer_files.h"

#include "core/check.h"
#include "loading/tokenizer_json.h"
#include "loading/tokenizer_special.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;
using Merges = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kMerges = "merges.txt";
constexpr const char* kConfig = "tokenizer_config.json";
constexpr std::int64_t kMaxLength = 65536;  // above every text encoder's window: the file means "unknown"

const std::string* find_file(const TokenizerFiles& files, const char* name) {
  const auto file = files.find(name);
  return file == files.end() ? nullptr : &file->second;
}

Json parse_if_there(const TokenizerFiles& files, const char* name) {
  const std::string* text = find_file(files, name);
  return text == nullptr ? Json::object() : parse_tokenizer_json(name, *text);
}

// {"token": id} -> tokens by id. As many ids as tokens, all different and below their number: so there is no gap.
// The loops here run 50 000 times, so messages are put together only for a failure.
std::vector<std::string> read_vocabulary(const Json& json, const std::string& where) {
  check(!json.empty(), ErrorCode::kBadFile, where, ": expected a vocabulary, got no token");
  std::vector<std::string> vocabulary(json.size());
  std::vector<bool> taken(json.size());
  for (const auto& [token, value] : json.items()) {
    const std::int64_t id = read_id(value, where, token);
    const auto index = static_cast<size_t>(id);
    if (index >= vocabulary.size()) {
      fail(ErrorCode::kBadFile, where, ": expected ids 0 to ", vocabulary.size() - 1, " without gaps for ",
           vocabulary.size(), " tokens, got ", id, " for ", quoted(token));
    }
    if (taken[index]) {
      fail(ErrorCode::kBadFile, where, ": expected every id once, got ", id, " for ", quoted(vocabulary[index]),
           " and ", quoted(token));
    }
    vocabulary[index] = token;
    taken[index] = true;
  }
  return vocabulary;
}

// "left right" -> the two tokens. `place` and `number` say where it stands.
std::pair<std::string, std::string> read_merge(std::string_view text, const char* place, size_t number) {
  const size_t space = text.find(' ');
  const bool two = space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos;
  if (!two || space == 0 || space + 1 == text.size()) {
    fail(ErrorCode::kBadFile, place, number, ": expected two tokens with one space between them, got ", quoted(text));
  }
  return {std::string(text.substr(0, space)), std::string(text.substr(space + 1))};
}

// One merge a line, LF or CRLF; lines that begin with "#version" are skipped, as in the reference.
Merges read_merge_lines(const std::string& text) {
  check_file_size(kMerges, text);
  Merges merges;
  std::string_view rest = text;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t length = rest.find('\n');
    std::string_view line = rest.substr(0, length);
    rest.remove_prefix(length == std::string_view::npos ? rest.size() : length + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with("#version")) merges.push_back(read_merge(line, "merges.txt, line ", number));
  }
  return merges;
}

// A list of "left right" or of ["left", "right"].
Merges read_merge_list(const Json& json) {
  constexpr const char* kPlace = "tokenizer.json, \"merges\", entry ";
  check(json.is_array(), ErrorCode::kBadFile, "tokenizer.json, \"merges\": expected a list, got ", json.type_name());
  Merges merges;
  merges.reserve(json.size());
  for (const Json& item : json) {
    if (item.is_string()) {
      merges.push_back(read_merge(item.get_ref<const std::string&>(), kPlace, merges.size() + 1));
      continue;
    }
    if (!item.is_array() || item.size() != 2 || !item.at(0).is_string() || !item.at(1).is_string()) {
      fail(ErrorCode::kBadFile, kPlace, merges.size() + 1, ": expected \"left right\" or [\"left\", \"right\"], got ",
           quoted(item.dump()));
    }
    merges.emplace_back(item.at(0).get<std::string>(), item.at(1).get<std::string>());
  }
  return merges;
}

void read_model(const Json& tokenizer, text::TokenizerData& data) {
  const Json* model = find_object(tokenizer, "model", kTokenizer);
  check(model != nullptr, ErrorCode::kBadFile, kTokenizer, ": expected the object \"model\", got none");
  const Json* type = find_value(*model, "type");
  check(type == nullptr || *type == "BPE", ErrorCode::kUnsupported, kTokenizer,
        ": expected a model of the type \"BPE\", got ", type == nullptr ? "" : quoted(type->dump()));
  const Json* vocabulary = find_object(*model, "vocab", kTokenizer);
  const Json* merges = find_value(*model, "merges");
  check(vocabulary != nullptr && merges != nullptr, ErrorCode::kBadFile, kTokenizer,
        ": expected \"vocab\" and \"merges\" in \"model\"");
  data.vocabulary = read_vocabulary(*vocabulary, concat(kTokenizer, ", \"vocab\""));
  data.merges = read_merge_list(*merges);
}

void read_model(const TokenizerFiles& files, const TokenizerJson& json, text::TokenizerData& data) {
  if (find_file(files, kTokenizer) != nullptr) return read_model(json.tokenizer, data);
  const std::string* vocabulary = find_file(files, kVocabulary);
  const std::string* merges = find_file(files, kMerges);
  check(vocabulary != nullptr && merges != nullptr, ErrorCode::kNotFound, "tokenizer: expected ", kTokenizer, ", or ",
        kVocabulary, " with ", kMerges, ", got ",
        vocabulary != nullptr ? kVocabulary : (merges != nullptr ? kMerges : "none of them"));
  data.vocabulary = read_vocabulary(parse_tokenizer_json(kVocabulary, *vocabulary), kVocabulary);
  data.merges = read_merge_lines(*merges);
}

std::int64_t read_max_length(const Json& config, std::int64_t missing) {
  const Json* value = find_value(config, "model_max_length");
  if (value == nullptr) value = find_value(config, "max_len");
  if (value == nullptr || value->is_null()) return missing;
  check(value->is_number(), ErrorCode::kBadFile, kConfig, ", \"model_max_length\": expected a number, got ",
        value->type_name());
  if (value->get<double>() > static_cast<double>(kMaxLength)) return missing;
  check(value->is_number_integer() && value->get<std::int64_t>() >= 2, ErrorCode::kBadFile, kConfig,
        ", \"model_max_length\": expected an integer of at least 2, got ", value->dump());
  return value->get<std::int64_t>();
}

// The side on which a text is padded or cut: tokenizer_config.json's, or else tokenizer.json's.
void check_side(const TokenizerJson& json, const char* config_key, const char* tokenizer_key) {
  const Json* side = find_value(json.config, config_key);
  const Json* options = find_value(json.tokenizer, tokenizer_key);
  if (side == nullptr && options != nullptr && options->is_object()) side = find_value(*options, "direction");
  check(side == nullptr || *side == "right" || *side == "Right", ErrorCode::kUnsupported, kConfig, ", ",
        quoted(config_key), ": fjord pads and cuts on the right only, got ",
        side == nullptr ? "" : quoted(side->dump()));
}

void check_options(const TokenizerJson& json) {
  const Json* type = find_value(json.config, "tokenizer_class");
  check(type == nullptr || type->is_null() || *type == "CLIPTokenizer" || *type == "CLIPTokenizerFast",
        ErrorCode::kUnsupported, kConfig, ", \"tokenizer_class\": expected CLIPTokenizer, got ",
        type == nullptr ? "" : quoted(type->dump()));
  check(!read_flag(json.config, "split_special_tokens", false, kConfig), ErrorCode::kUnsupported, kConfig,
        ": fjord has no tokenizers with split_special_tokens = true");
  check_side(json, "padding_side", "padding");
  check_side(json, "truncation_side", "truncation");
}

}  // namespace

text::TokenizerData read_tokenizer(const TokenizerFiles& files, std::int64_t default_max_length) {
  const TokenizerJson json{parse_if_there(files, kTokenizer), parse_if_there(files, kConfig),
                           parse_if_there(files, "special_tokens_map.json"),
                           parse_if_there(files, "added_tokens.json")};
  text::TokenizerData data;
  check_options(json);
  read_model(files, json, data);
  data.max_length = read_max_length(json.config, default_max_length);
  read_special_tokens(json, data);
  return data;
}

}  // namespace fjord::loading
