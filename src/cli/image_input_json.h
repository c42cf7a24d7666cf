// Pictures to start from, variations, second passes and seamless tiling as JSON; the files themselves are recorded by
// path and fingerprint.
#pragma once

#include "cli/input_files.h"
#include "cli/json_fields.h"

#include <nlohmann/json.hpp>

namespace fjord::cli {

// Adds the fields that are not at their defaults.
void add_task_fields(nlohmann::ordered_json& json, const Request& request);
void read_task_fields(JsonFields& fields, Request& request);

// {"path", "fingerprint"}
nlohmann::ordered_json input_file_to_json(const InputFile& file);
InputFile input_file_from_json(const nlohmann::ordered_json& json, const std::string& where);

// {"images": [{"path", "fingerprint"}...], "mask": {...}}; null without files.
nlohmann::ordered_json input_files_to_json(const InputFiles& files);
InputFiles input_files_from_json(const nlohmann::ordered_json& json, const std::string& where);

}  // namespace fjord::cli
