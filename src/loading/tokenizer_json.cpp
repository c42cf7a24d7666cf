// Small readers that name the file and the key when a value is not what it should be.
#include "loading/tokenizer_json.h"

#include "core/check.h"
#include "loading/json_text.h"

namespace fjord::loading {

using Json = nlohmann::json;

void check_file_size(const std::string& file, const std::string& text) {
  check(text.size() <= kMaxTokenizerFile, ErrorCode::kBadFile, file, ": expected at most ", kMaxTokenizerFile,
        " bytes, got ", text.size());
}

Json parse_tokenizer_json(const std::string& file, const std::string& text) {
  return parse_json_object(text, file, {.size = kMaxTokenizerFile});
}

const Json* find_value(const Json& object, const char* key) {
  const auto entry = object.find(key);
  return entry == object.end() ? nullptr : &*entry;
}

const Json* find_object(const Json& object, const char* key, const std::string& where) {
  const Json* value = find_value(object, key);
  check(value == nullptr || value->is_object(), ErrorCode::kBadFile, where, ", ", quoted(key),
        ": expected an object, got ", value == nullptr ? "" : value->type_name());
  return value;
}

bool read_flag(const Json& object, const char* key, bool missing, const std::string& where) {
  const Json* value = find_value(object, key);
  if (value == nullptr) return missing;
  check(value->is_boolean(), ErrorCode::kBadFile, where, ", ", quoted(key), ": expected true or false, got ",
        value->type_name());
  return value->get<bool>();
}

std::int64_t read_id(const Json& value, const std::string& where, const std::string& token) {
  // An unsigned value of 2^63 or more reads as a negative one.
  const std::int64_t id = value.is_number_integer() ? value.get<std::int64_t>() : -1;
  if (id < 0) {
    fail(ErrorCode::kBadFile, where, ", ", quoted(token), ": expected an id of at least 0, got ",
         value.is_number() ? value.dump() : value.type_name());
  }
  return id;
}

TokenEntry read_token(const Json& value, bool special, const std::string& where) {
  TokenEntry token;
  token.is_object = value.is_object();
  const Json* content = token.is_object ? find_value(value, "content") : &value;
  check(content != nullptr && content->is_string(), ErrorCode::kBadFile, where,
        ": expected a token as a string or as an object with the string \"content\", got ",
        content == nullptr ? "an object without it" : content->type_name());
  token.content = content->get<std::string>();
  check(!token.content.empty(), ErrorCode::kBadFile, where, ": expected a token, got an empty text");
  if (!token.is_object) return token;
  token.special = read_flag(value, "special", special, where);
  token.normalized = read_flag(value, "normalized", !token.special, where);
  token.lstrip = read_flag(value, "lstrip", false, where);
  token.rstrip = read_flag(value, "rstrip", false, where);
  check(!read_flag(value, "single_word", false, where), ErrorCode::kUnsupported, where,
        ": fjord has no added tokens with single_word = true");
  return token;
}

}  // namespace fjord::loading
