// Guidance in a picture's record.
#pragma once

#include <fjord/guidance.h>

#include <nlohmann/json.hpp>

namespace fjord::cli {

nlohmann::ordered_json guidance_to_json(const Guidance& guidance);
// Throws Error as JsonFields does.
Guidance guidance_from_json(const nlohmann::ordered_json& json);

}  // namespace fjord::cli
