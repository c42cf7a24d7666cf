#include "loading/config_reader.h"

#include "core/check.h"
#include "loading/json_text.h"

#include <cmath>
#include <utility>

namespace fjord::loading {

using Json = nlohmann::json;

ConfigReader::ConfigReader(std::string_view text, std::string where)
    : json_(parse_json_object(text, where)), where_(std::move(where)) {}

const Json* ConfigReader::find(const char* key) {
  seen_.insert(key);
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigReader::is_null(const char* key) const {
  const auto found = json_.find(key);
  return found != json_.end() && found->is_null();
}

void ConfigReader::complain(const char* key, const std::string& expected, const Json& value) const {
  const auto shown = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  fail(ErrorCode::kBadFile, where_, ": expected ", expected, " for ", key, ", got ", fjord::quoted(shown, 80));
}

std::int64_t ConfigReader::to_integer(const char* key, const Json& value, Range range) const {
  const bool fits = value.is_number_integer() && value.get<double>() >= range.low && value.get<double>() <= range.high;
  if (!fits) complain(key, concat("an integer from ", range.low, " to ", range.high), value);
  return value.get<std::int64_t>();
}

double ConfigReader::to_number(const char* key, const Json& value, Range range) const {
  const bool fits = value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() >= range.low &&
                    value.get<double>() <= range.high;
  if (!fits) complain(key, concat("a number from ", range.low, " to ", range.high), value);
  return value.get<double>();
}

void ConfigReader::integer(const char* key, std::int64_t& out, Range range) {
  if (const auto* value = find(key)) out = to_integer(key, *value, range);
}

void ConfigReader::integer(const char* key, std::optional<std::int64_t>& out, Range range) {
  if (const auto* value = find(key)) out = to_integer(key, *value, range);
}

void ConfigReader::number(const char* key, double& out, Range range) {
  if (const auto* value = find(key)) out = to_number(key, *value, range);
}

void ConfigReader::number(const char* key, std::optional<double>& out, Range range) {
  if (const auto* value = find(key)) out = to_number(key, *value, range);
}

void ConfigReader::flag(const char* key, bool& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) complain(key, "true or false", *value);
  out = value->get<bool>();
}

void ConfigReader::text(const char* key, std::string& out) {
  std::optional<std::string> read;
  text(key, read);
  if (read) out = *read;
}

void ConfigReader::text(const char* key, std::optional<std::string>& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_string()) complain(key, "a text", *value);
  out = value->get<std::string>();
}

void ConfigReader::texts(const char* key, std::vector<std::string>& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  bool good = value->is_array() && !value->empty() && value->size() <= 16;
  for (const auto& item : *value) good = good && item.is_string();
  if (!good) complain(key, "a list of 1 to 16 texts", *value);
  out = value->get<std::vector<std::string>>();
}

void ConfigReader::texts_by_name(const char* key, std::map<std::string, std::string>& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  bool good = value->is_object() && value->size() <= 16;
  for (const auto& item : *value) good = good && item.is_string();
  if (!good) complain(key, "an object of at most 16 texts", *value);
  out = value->get<std::map<std::string, std::string>>();
}

void ConfigReader::integers(const char* key, std::vector<std::int64_t>& out, Range range) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_array()) {
    out = {to_integer(key, *value, range)};
    return;
  }
  if (value->empty() || value->size() > 16) complain(key, "a list of 1 to 16 integers", *value);
  out.clear();
  for (const auto& item : *value) out.push_back(to_integer(key, item, range));
}

void ConfigReader::numbers(const char* key, std::vector<double>& out, Range range) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_array() || value->size() > 4096) complain(key, "a list of numbers", *value);
  out.clear();
  for (const auto& item : *value) out.push_back(to_number(key, item, range));
}

void ConfigReader::flags(const char* key, std::vector<bool>& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto list = value->is_array() ? *value : Json::array({*value});
  out.clear();
  for (const auto& item : list) {
    if (!item.is_boolean()) complain(key, "true, false or a list of them", *value);
    out.push_back(item.get<bool>());
  }
}

void ConfigReader::nested_integers(const char* key, std::vector<std::vector<std::int64_t>>& out, Range range) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto list = value->is_array() ? *value : Json::array({*value});
  if (list.empty() || list.size() > 16) complain(key, "1 to 16 entries", *value);
  out.clear();
  for (const auto& level : list) {
    const auto layers = level.is_array() ? level : Json::array({level});
    if (layers.empty() || layers.size() > 64) complain(key, "1 to 64 entries a level", *value);
    out.emplace_back();
    for (const auto& item : layers) out.back().push_back(to_integer(key, item, range));
  }
}

void ConfigReader::only(const char* key, const Json& neutral) {
  const auto* value = find(key);
  if (value == nullptr || *value == neutral) return;
  fail(ErrorCode::kUnsupported, where_, ": fjord supports ", key, " only as ", neutral.dump(), ", got ",
       fjord::quoted(value->dump(-1, ' ', true, Json::error_handler_t::replace), 80));
}

void ConfigReader::refuse_others() const {
  for (auto item = json_.begin(); item != json_.end(); ++item) {
    if (item.key().starts_with('_') || seen_.contains(item.key())) continue;
    fail(ErrorCode::kUnsupported, where_, ": fjord does not know the field ", fjord::quoted(item.key()), " (value ",
         fjord::quoted(item->dump(-1, ' ', true, Json::error_handler_t::replace), 80), ")");
  }
}

}  // namespace fjord::loading
