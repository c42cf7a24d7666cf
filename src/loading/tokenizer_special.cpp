// Order matters: of two entries with the same content the later one's flags count, and equal entries count once.
#include "loading/tokenizer_special.h"

#include "core/check.h"
#include "loading/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;
using Entries = std::vector<TokenEntry>;
using Named = std::map<std::string, TokenEntry>;

constexpr const char* kConfig = "tokenizer_config.json";
constexpr const char* kSpecialMap = "special_tokens_map.json";
constexpr const char* kDecoder = "added_tokens_decoder";

// The special tokens that every tokenizer may have, in the reference's order; other names come after them.
constexpr std::array kRoles{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
// Those that a CLIP tokenizer always has, and their defaults.
const Named& required_tokens() {
  static const Named tokens{{"bos_token", {"<|startoftext|>"}},
                            {"eos_token", {"<|endoftext|>"}},
                            {"unk_token", {"<|endoftext|>"}},
                            {"pad_token", {"<|endoftext|>"}}};
  return tokens;
}

bool is_role(const std::string& key) { return std::find(kRoles.begin(), kRoles.end(), key) != kRoles.end(); }

std::string place(const char* file, const std::string& key) { return concat(file, ", ", quoted(key)); }

// Takes the special tokens of one file over those that are there.
void read_named(const Json& json, bool special, const char* file, Named& named) {
  for (const auto& [key, value] : json.items()) {
    const bool token = value.is_string() || value.is_object();
    if (!is_role(key) && !(key.ends_with("_token") && token)) continue;
    if (value.is_null() && !required_tokens().contains(key)) {
      named.erase(key);
      continue;
    }
    named.insert_or_assign(key, read_token(value, special, place(file, key)));
  }
}

// Tokens beyond the named ones: a list, or an object of named tokens.
void read_extra(const Json& json, bool special, const char* file, Named& named, Entries& extra) {
  const Json* value = find_value(json, "extra_special_tokens");
  if (value == nullptr || value->empty()) value = find_value(json, "additional_special_tokens");
  if (value == nullptr || value->is_null()) return;
  const std::string where = place(file, "extra_special_tokens");
  check(value->is_array() || value->is_object(), ErrorCode::kBadFile, where, ": expected a list of tokens, got ",
        value->type_name());
  for (const auto& [key, token] : value->items()) {
    if (value->is_object()) named.insert_or_assign(key, read_token(token, special, where));
    if (value->is_array()) extra.push_back(read_token(token, special, where));
  }
}

using Listed = std::map<std::int64_t, TokenEntry>;  // added tokens by id

Listed read_decoder(const Json& decoder) {
  const std::string where = place(kConfig, kDecoder);
  Listed listed;
  for (const auto& [key, value] : decoder.items()) {
    std::int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    check(error == std::errc() && end == key.data() + key.size() && id >= 0, ErrorCode::kBadFile, where,
          ": expected an id, got ", quoted(key));
    check(value.is_object(), ErrorCode::kBadFile, where, ": expected an object for id ", id, ", got ",
          value.type_name());
    listed.insert_or_assign(id, read_token(value, false, where));
  }
  return listed;
}

// added_tokens.json: {"token": id}. Those that are special by name are compared as typed, others normalized.
void read_added_file(const Json& json, const Named& named, const Entries& extra, Listed& listed) {
  for (const auto& [content, value] : json.items()) {
    const auto is_it = [&text = content](const TokenEntry& entry) { return entry.content == text; };
    const bool special =
        std::any_of(extra.begin(), extra.end(), is_it) ||
        std::any_of(named.begin(), named.end(), [&](const auto& entry) { return is_it(entry.second); });
    const std::int64_t id = read_id(value, "added_tokens.json", content);
    listed.insert_or_assign(id, TokenEntry{content, true, special, !special, false, false});
  }
}

void read_listed(const Json& tokenizer, Listed& listed) {
  const Json* tokens = find_value(tokenizer, "added_tokens");
  if (tokens == nullptr) return;
  const std::string where = place("tokenizer.json", "added_tokens");
  check(tokens->is_array(), ErrorCode::kBadFile, where, ": expected a list, got ", tokens->type_name());
  for (const Json& value : *tokens) {
    const TokenEntry token = read_token(value, false, where);
    const Json* id = value.is_object() ? find_value(value, "id") : nullptr;
    check(id != nullptr, ErrorCode::kBadFile, where, ": expected an object with an id, got none for ",
          quoted(token.content));
    listed.insert_or_assign(read_id(*id, where, token.content), token);
  }
}

// An added token keeps its id in the vocabulary or gets the next free one; the files must agree with that.
void check_ids(const Listed& listed, const text::TokenizerData& data) {
  std::unordered_map<std::string_view, std::int64_t> ids;
  for (const std::string& token : data.vocabulary) ids.emplace(token, ids.size());
  for (const auto& [id, token] : listed) {
    const std::int64_t expected = ids.emplace(token.content, ids.size()).first->second;
    check(id == expected, ErrorCode::kBadFile, "tokenizer: expected the id ", expected, " for the added token ",
          quoted(token.content), ", got ", id);
  }
}

// The tokens in the order in which the reference adds them.
Entries in_order(const Listed& listed, const Named& named, const Entries& extra) {
  Entries entries;
  std::unordered_set<std::string> contents;
  for (const auto& [id, token] : listed) {
    entries.push_back(token);
    contents.insert(token.content);
  }
  const auto add = [&](const TokenEntry& token) {
    const bool known =
        contents.contains(token.content) || std::find(entries.begin(), entries.end(), token) != entries.end();
    if (!known) entries.push_back(token);
  };
  for (const char* role : kRoles) {
    if (const auto token = named.find(role); token != named.end()) add(token->second);
  }
  for (const auto& [key, token] : named) {
    if (!is_role(key)) add(token);
  }
  std::for_each(extra.begin(), extra.end(), add);
  return entries;
}

void check_known(const Named& named, const Listed& listed, const text::TokenizerData& data) {
  std::unordered_set<std::string_view> known(data.vocabulary.begin(), data.vocabulary.end());
  for (const auto& [id, token] : listed) known.insert(token.content);
  for (const auto& [role, unused] : required_tokens()) {
    const std::string& content = named.at(role).content;
    check(known.contains(content), ErrorCode::kBadFile, "tokenizer: expected the ", role, " ", quoted(content),
          " in the vocabulary or among the added tokens");
  }
}

}  // namespace

void read_special_tokens(const TokenizerJson& files, text::TokenizerData& data) {
  Named named = required_tokens();
  Entries extra;
  Listed listed;
  read_named(files.config, false, kConfig, named);
  read_extra(files.config, false, kConfig, named, extra);
  if (const Json* decoder = find_object(files.config, kDecoder, kConfig); decoder != nullptr) {
    listed = read_decoder(*decoder);
  } else {
    read_named(files.special_map, true, kSpecialMap, named);
    read_extra(files.special_map, true, kSpecialMap, named, extra);
    read_added_file(files.added_tokens, named, extra, listed);
    read_listed(files.tokenizer, listed);
  }
  check_ids(listed, data);
  check_known(named, listed, data);
  data.bos = named.at("bos_token").content;
  data.eos = named.at("eos_token").content;
  data.unk = named.at("unk_token").content;
  data.pad = named.at("pad_token").content;
  for (TokenEntry& token : in_order(listed, named, extra)) {
    data.added_tokens.push_back({std::move(token.content), token.normalized, token.lstrip, token.rstrip});
  }
}

}  // namespace fjord::loading
