// The control networks of a picture in its record.
#pragma once

#include "cli/control_options.h"

#include <nlohmann/json_fwd.hpp>

namespace fjord::cli {

nlohmann::ordered_json controls_to_json(const ControlFiles& controls);
// `list`: a JSON array. Throws Error: kBadFile for a value of the wrong type, kUnsupported for an unknown field.
ControlFiles controls_from_json(const nlohmann::ordered_json& list, const std::string& where);

}  // namespace fjord::cli
