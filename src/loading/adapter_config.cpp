#include "loading/adapter_config.h"

#include "core/check.h"
#include "loading/json_text.h"

#include <algorithm>
#include <array>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr std::array kKinds{"LORA", "LOHA", "LOKR"};
constexpr std::array kComponents{"unet", "text_encoder", "text_encoder_2"};

// The value of a field that may be null or absent.
const Json* find(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

std::optional<double> number(const Json& json, const std::string& name, const std::string& where) {
  const auto* value = find(json, name);
  if (value == nullptr) return std::nullopt;
  check(value->is_number(), ErrorCode::kBadFile, where, ": expected a number ", name, ", got ", value->type_name());
  return value->get<double>();
}

bool flag(const Json& json, const std::string& name, const std::string& where) {
  const auto* value = find(json, name);
  if (value == nullptr) return false;
  check(value->is_boolean(), ErrorCode::kBadFile, where, ": expected true or false for ", name);
  return value->get<bool>();
}

// peft takes the names as regular expressions; only plain names, with ^ for the whole name, are written by its users'
// tools.
void check_plain(const std::string& name, const std::string& where) {
  check(name.find_first_of("*+?[](){}|\\$") == std::string::npos, ErrorCode::kUnsupported, where,
        ": a pattern of layers must be a plain name, got ", fjord::quoted(name));
}

std::map<std::string, double> pattern(const Json& json, const std::string& name, const std::string& where) {
  std::map<std::string, double> out;
  const auto* value = find(json, name);
  if (value == nullptr) return out;
  check(value->is_object(), ErrorCode::kBadFile, where, ": expected an object ", name);
  for (auto item = value->begin(); item != value->end(); ++item) {
    check_plain(item.key(), where);
    check(item->is_number(), ErrorCode::kBadFile, where, ": expected a number for ", fjord::quoted(item.key()));
    out[item.key()] = item->get<double>();
  }
  return out;
}

AdapterConfig read_fields(const Json& json, const std::string& prefix, const std::string& where) {
  check(!flag(json, prefix + "fan_in_fan_out", where), ErrorCode::kUnsupported, where,
        ": fan_in_fan_out is for other kinds of layers");
  AdapterConfig out;
  out.rank = number(json, prefix + "r", where);
  out.alpha = number(json, prefix + "lora_alpha", where);
  if (!out.alpha) out.alpha = number(json, prefix + "alpha", where);
  out.rank_stabilized = flag(json, prefix + "use_rslora", where);
  out.alpha_of = pattern(json, prefix + "alpha_pattern", where);
  out.rank_of = pattern(json, prefix + "rank_pattern", where);
  return out;
}

bool fits(const std::string& pattern, const std::string& layer) {
  if (pattern.starts_with('^')) return layer == pattern.substr(1);
  return layer == pattern || layer.ends_with("." + pattern);
}

std::optional<double> value_for(const std::map<std::string, double>& patterns, const std::optional<double>& general,
                                const std::string& layer) {
  for (const auto& [pattern, value] : patterns) {
    if (fits(pattern, layer)) return value;
  }
  return general;
}

}  // namespace

std::optional<double> AdapterConfig::alpha_for(const std::string& layer) const {
  return value_for(alpha_of, alpha, layer);
}

std::optional<double> AdapterConfig::rank_for(const std::string& layer) const {
  return value_for(rank_of, rank, layer);
}

AdapterConfig read_peft_config(const std::string& text, const std::string& where) {
  const auto json = parse_json_object(text, where);
  const auto* kind = find(json, "peft_type");
  check(kind != nullptr && kind->is_string(), ErrorCode::kBadFile, where, ": expected a text peft_type");
  const auto name = kind->get<std::string>();
  check(std::find(kKinds.begin(), kKinds.end(), name) != kKinds.end(), ErrorCode::kUnsupported, where,
        ": peft_type must be LORA, LOHA or LOKR, got ", fjord::quoted(name));
  return read_fields(json, "", where);
}

AdapterConfigs read_diffusers_metadata(const std::string& text, const std::string& where) {
  const auto json = parse_json_object(text, where);
  AdapterConfigs out;
  for (const std::string component : kComponents) {
    if (find(json, component + ".r") != nullptr) out.emplace(component, read_fields(json, component + ".", where));
  }
  if (out.empty()) out.emplace("", read_fields(json, "", where));
  return out;
}

}  // namespace fjord::loading
