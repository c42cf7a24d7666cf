// config.json and model_index.json into the plain structs of src/config.
// Every function throws Error, naming `where` and the field: kBadFile for text that is no JSON object, a value of the
// wrong type, out of range or contradicting another; kUnsupported for a field or value that fjord does not implement.
#pragma once

#include "config/clip_text.h"
#include "config/unet.h"
#include "config/vae.h"

#include <map>
#include <string>
#include <string_view>

namespace fjord::loading {

config::UNet read_unet_config(std::string_view text, const std::string& where);
config::Vae read_vae_config(std::string_view text, const std::string& where);
config::ClipText read_clip_text_config(std::string_view text, const std::string& where);

// model_index.json: the pipeline's class and the class of every component that is there.
struct ModelIndex {
  std::string class_name;                         // e.g. "StableDiffusionPipeline"
  std::map<std::string, std::string> components;  // folder -> class name; components given as null are left out
};

ModelIndex read_model_index(std::string_view text, const std::string& where);

}  // namespace fjord::loading
