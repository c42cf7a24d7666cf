// The image prompts of a picture in its record.
#pragma once

#include "cli/image_prompt_options.h"

#include <nlohmann/json_fwd.hpp>

namespace fjord::cli {

nlohmann::ordered_json image_prompts_to_json(const ImagePromptFiles& files);
// Throws Error: kBadFile for a value of the wrong type, kUnsupported for an unknown field.
ImagePromptFiles image_prompts_from_json(const nlohmann::ordered_json& json, const std::string& where);

}  // namespace fjord::cli
