// Values in the JSON of a tokenizer's files.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace fjord::loading {

inline constexpr size_t kMaxTokenizerFile = size_t{16} << 20;

// Throws Error(kBadFile), naming `file`, for a file above kMaxTokenizerFile.
void check_file_size(const std::string& file, const std::string& text);

// Parses a JSON object. Throws Error(kBadFile), naming `file`, for anything else.
nlohmann::json parse_tokenizer_json(const std::string& file, const std::string& text);

// The value of a key, or null.
const nlohmann::json* find_value(const nlohmann::json& object, const char* key);
// As find_value; throws Error(kBadFile), naming `where` and the key, if it is there and no object.
const nlohmann::json* find_object(const nlohmann::json& object, const char* key, const std::string& where);
// The value of a key that holds true or false, `missing` without it. Throws Error(kBadFile) for another type.
bool read_flag(const nlohmann::json& object, const char* key, bool missing, const std::string& where);
// The id of a token, an integer >= 0. Throws Error(kBadFile), naming `where` and the token, for anything else.
std::int64_t read_id(const nlohmann::json& value, const std::string& where, const std::string& token);

// A token given as a string or as an object with "content". Reference: tokenizers.AddedToken.
struct TokenEntry {
  std::string content;
  bool is_object = false;
  bool special = false;
  bool normalized = false;
  bool lstrip = false;
  bool rstrip = false;

  bool operator==(const TokenEntry&) const = default;
};

// `special` is what an object counts as that does not say it. Throws Error, naming `where`: kBadFile for a value of the
// wrong type or an empty token, kUnsupported for single_word.
TokenEntry read_token(const nlohmann::json& value, bool special, const std::string& where);

}  // namespace fjord::loading
