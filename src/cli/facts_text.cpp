// Every name and value may come from a file: control characters are escaped.
#include "cli/facts_text.h"

#include "cli/output.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t element_count(const TensorInfo& tensor) {
  std::uint64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= static_cast<std::uint64_t>(extent);
  return count;
}

std::uint64_t element_count(const PartReport& part) {
  std::uint64_t count = 0;
  for (const TensorInfo& tensor : part.tensors) count += element_count(tensor);
  return count;
}

// "F16" or "F16 (120), F32 (3)".
std::string dtypes_text(const PartReport& part) {
  std::map<std::string, size_t> counts;
  for (const TensorInfo& tensor : part.tensors) ++counts[tensor.dtype];
  if (counts.size() == 1) return counts.begin()->first;
  std::string text;
  for (const auto& [dtype, count] : counts) {
    text += (text.empty() ? "" : ", ") + dtype + " (" + std::to_string(count) + ")";
  }
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

std::string tensor_lines(const PartReport& part) {
  size_t width = 0;
  for (const TensorInfo& tensor : part.tensors) width = std::max(width, printable(tensor.name).size());
  std::string text;
  for (const TensorInfo& tensor : part.tensors) {
    const std::string name = printable(tensor.name);
    text += "    " + name + std::string(width - name.size() + 2, ' ') + tensor.dtype + "  " + shape_text(tensor.shape) +
            "\n";
  }
  return text;
}

std::string part_text(const PartReport& part, bool tensors) {
  Facts facts = part.facts;
  if (!part.tensors.empty()) {
    facts.emplace_back("tensors", std::to_string(part.tensors.size()));
    facts.emplace_back("parameters", std::to_string(element_count(part)));
    facts.emplace_back("precision", dtypes_text(part));
  }
  for (const auto& [key, value] : part.metadata) facts.emplace_back("metadata " + key, value);
  return printable(part.name) + "\n" + facts_text(facts, "  ") + (tensors ? tensor_lines(part) : "");
}

Json json_of(const Facts& facts) {
  Json json = Json::object();
  for (const auto& [name, value] : facts) json[name] = value;
  return json;
}

// A file's names need not be UTF-8, JSON must be.
std::string json_text(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json part_json(const PartReport& part, bool tensors) {
  Json json = {{"name", part.name},
               {"facts", json_of(part.facts)},
               {"tensor_count", part.tensors.size()},
               {"parameter_count", element_count(part)},
               {"metadata", Json(part.metadata)}};
  if (!tensors) return json;
  json["tensors"] = Json::array();
  for (const TensorInfo& tensor : part.tensors) {
    json["tensors"].push_back({{"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}});
  }
  return json;
}

}  // namespace

std::string facts_text(const Facts& facts, const std::string& indent) {
  size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, printable(name).size());
  std::string text;
  for (const auto& [name, value] : facts) {
    const std::string shown = printable(name);
    text += indent + shown + std::string(width - shown.size() + 2, ' ') + printable(value) + "\n";
  }
  return text;
}

std::string facts_json(const Facts& facts) { return json_text(json_of(facts)); }

std::string report_text(const ModelReport& report, bool tensors) {
  std::string text = report.kind + "\n";
  for (const PartReport& part : report.parts) text += "\n" + part_text(part, tensors);
  return text;
}

std::string report_json(const ModelReport& report, bool tensors) {
  Json json = {{"kind", report.kind}, {"parts", Json::array()}};
  for (const PartReport& part : report.parts) json["parts"].push_back(part_json(part, tensors));
  return json_text(json);
}

}  // namespace fjord::cli
