// Tables and JSON of what the library reports about models and the machine.
#pragma once

#include <fjord/inspect.h>

#include <string>

namespace fjord::cli {

// "name   value" lines, the values in one column, each line behind `indent`.
std::string facts_text(const Facts& facts, const std::string& indent);
// The same as one JSON object.
std::string facts_json(const Facts& facts);

// The report as text; `tensors` adds a line for every tensor.
std::string report_text(const ModelReport& report, bool tensors);
// The report as JSON, tensors included where `tensors` says so.
std::string report_json(const ModelReport& report, bool tensors);

}  // namespace fjord::cli
