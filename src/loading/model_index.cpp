// model_index.json as diffusers writes it: fields that begin with "_" describe the pipeline, lists describe components.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/json_text.h"

namespace fjord::loading {
namespace {

void read_flag(const nlohmann::json& json, const char* key, const std::string& where, bool& out) {
  const auto value = json.find(key);
  if (value == json.end() || value->is_null()) return;
  check(value->is_boolean(), ErrorCode::kBadFile, where, ": expected ", key, " as true or false");
  out = value->get<bool>();
}

}  // namespace

std::string class_name_of(std::string_view text, const std::string& where) {
  const auto json = parse_json_object(text, where);
  const auto name = json.find("_class_name");
  if (name == json.end()) return "";
  check(name->is_string(), ErrorCode::kBadFile, where, ": expected _class_name as a text");
  return name->get<std::string>();
}

ModelIndex read_model_index(std::string_view text, const std::string& where) {
  const auto json = parse_json_object(text, where);
  const auto class_name = json.find("_class_name");
  check(class_name != json.end() && class_name->is_string(), ErrorCode::kBadFile, where,
        ": expected the text _class_name");
  ModelIndex index;
  index.class_name = class_name->get<std::string>();
  for (auto item = json.begin(); item != json.end(); ++item) {
    const bool is_component = item->is_array() && item->size() == 2 && (*item)[0].is_string() && (*item)[1].is_string();
    if (is_component) index.components.emplace(item.key(), (*item)[1].get<std::string>());
  }
  read_flag(json, "force_zeros_for_empty_prompt", where, index.force_zeros_for_empty_prompt);
  read_flag(json, "requires_aesthetics_score", where, index.requires_aesthetics_score);
  return index;
}

}  // namespace fjord::loading
