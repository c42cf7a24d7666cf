// Tables and JSON of what the library reports about models and the machine.
#pragma once

#include <fjord/inspect.h>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace fjord::cli {

// "name   value" lines, the values in one column, each line behind `indent`.
std::string facts_text(const Facts& facts, const std::string& indent);
nlohmann::ordered_json facts_json(const Facts& facts);

// The report as text; `tensors` adds a line for every tensor.
std::string report_text(const ModelReport& report, bool tensors);
// The report as JSON, tensors included where `tensors` says so.
nlohmann::ordered_json report_json(const ModelReport& report, bool tensors);

}  // namespace fjord::cli
