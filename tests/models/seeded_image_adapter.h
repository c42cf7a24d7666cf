// The image encoders and IP-Adapters of tests/reference/image_prompts.py, with the same weights.
#pragma once

#include "models/clip/clip_vision_model.h"
#include "models/image_prompt/ip_adapter.h"

#include <memory>
#include <string>

namespace fjord::testing {

// The configuration in tests/data/image_prompts/<name>/config.json.
std::string image_encoder_config(const std::string& name);
std::unique_ptr<models::ClipVisionModel> make_image_encoder(const std::string& name);
// Writes config.json and model.safetensors into `folder`.
void write_image_encoder(const std::string& name, const std::string& folder);

// A file of tests/data/image_prompts/files.json, for the layers of the U-Net named there.
std::unique_ptr<models::IpAdapter> make_image_adapter(const std::string& name);
void write_image_adapter(const std::string& name, const std::string& path);

}  // namespace fjord::testing
