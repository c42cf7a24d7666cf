// nlohmann's own get<T>() narrows numbers silently; here the type is asked first.
#include "cli/json_fields.h"

#include "cli/output.h"

#include <fjord/error.h>

#include <limits>

namespace fjord::cli {

JsonFields::JsonFields(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
  if (!json.is_object()) throw Error(ErrorCode::kBadFile, where_ + ": expected a JSON object");
}

const JsonFields::Json* JsonFields::find(const char* name) {
  known_.insert(name);
  const auto found = json_.find(name);
  return found == json_.end() ? nullptr : &*found;
}

void JsonFields::fail(const char* name, const char* expected) const {
  throw Error(ErrorCode::kBadFile, where_ + ": field " + in_quotes(name) + ": expected " + expected);
}

void JsonFields::refuse_choice(const char* name, const std::string& text) const {
  throw Error(ErrorCode::kUnsupported,
              where_ + ": " + name + ": this version of fjord does not know " + in_quotes(text));
}

void JsonFields::read(const char* name, std::string& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_string()) fail(name, "a text");
  out = value->get<std::string>();
}

void JsonFields::read(const char* name, int& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_number_integer()) fail(name, "an integer");
  // Numbers above the signed range are negative here only if they are unsigned.
  const auto number = value->get<std::int64_t>();
  const bool huge = value->is_number_unsigned() && number < 0;
  if (huge || number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    fail(name, "an integer of 32 bits");
  }
  out = static_cast<int>(number);
}

void JsonFields::read(const char* name, std::uint64_t& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_number_integer() || (!value->is_number_unsigned() && value->get<std::int64_t>() < 0)) {
    fail(name, "an integer from 0 to 18446744073709551615");
  }
  out = value->get<std::uint64_t>();
}

void JsonFields::read(const char* name, bool& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_boolean()) fail(name, "true or false");
  out = value->get<bool>();
}

void JsonFields::read(const char* name, double& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_number()) fail(name, "a number");
  out = value->get<double>();
}

void JsonFields::read(const char* name, std::optional<double>& out) {
  const Json* value = find(name);
  if (value == nullptr || value->is_null()) return;
  double number = 0.0;
  read(name, number);
  out = number;
}

void JsonFields::read(const char* name, std::vector<double>& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_array()) fail(name, "a list of numbers");
  for (const Json& item : *value) {
    if (!item.is_number()) fail(name, "a list of numbers");
    out.push_back(item.get<double>());
  }
}

void JsonFields::read(const char* name, std::map<std::string, std::string>& out) {
  const Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_object()) fail(name, "an object of texts");
  for (const auto& [key, item] : value->items()) {
    if (!item.is_string()) fail(name, "an object of texts");
    out[key] = item.get<std::string>();
  }
}

JsonFields::Json JsonFields::array(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return Json::array();
  if (!value->is_array()) fail(name, "a list");
  return *value;
}

const JsonFields::Json* JsonFields::object(const char* name) {
  const Json* value = find(name);
  if (value == nullptr || value->is_null()) return nullptr;
  if (!value->is_object()) fail(name, "an object");
  return value;
}

void JsonFields::refuse_others() const {
  for (const auto& [key, item] : json_.items()) {
    if (known_.contains(key)) continue;
    throw Error(ErrorCode::kUnsupported, where_ + ": this version of fjord does not know the field " + in_quotes(key));
  }
}

}  // namespace fjord::cli
