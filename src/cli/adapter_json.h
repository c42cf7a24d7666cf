// The adapters of a picture in its record.
#pragma once

#include "cli/adapter_options.h"

#include <nlohmann/json_fwd.hpp>

namespace fjord::cli {

nlohmann::ordered_json adapters_to_json(const AdapterFiles& adapters);
// Throws Error: kBadFile for a value of the wrong type, kUnsupported for an unknown field.
AdapterFiles adapters_from_json(const nlohmann::ordered_json& json, const std::string& where);

}  // namespace fjord::cli
