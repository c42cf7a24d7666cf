// config.json and model_index.json into the plain structs of src/config.
// Every function throws Error, naming `where` and the field: kBadFile for text that is no JSON object, a value of the
// wrong type, out of range or contradicting another; kUnsupported for a field or value that fjord does not implement.
#pragma once

#include "config/clip_text.h"
#include "config/clip_vision.h"
#include "config/control.h"
#include "config/tiny_vae.h"
#include "config/unet.h"
#include "config/vae.h"

#include <map>
#include <string>
#include <string_view>

namespace fjord::loading {

config::UNet read_unet_config(std::string_view text, const std::string& where);
config::ControlNet read_controlnet_config(std::string_view text, const std::string& where);
config::T2IAdapter read_t2i_adapter_config(std::string_view text, const std::string& where);
config::Vae read_vae_config(std::string_view text, const std::string& where);
config::TinyVae read_tiny_vae_config(std::string_view text, const std::string& where);
config::ClipText read_clip_text_config(std::string_view text, const std::string& where);
config::ClipVision read_clip_vision_config(std::string_view text, const std::string& where);

// The class that a configuration names ("_class_name"); empty if it names none.
std::string class_name_of(std::string_view text, const std::string& where);

// model_index.json: the pipeline's class, the class of every component that is there, and what the class is told.
struct ModelIndex {
  std::string class_name;                         // e.g. "StableDiffusionPipeline"
  std::map<std::string, std::string> components;  // folder -> class name; components given as null are left out
  bool force_zeros_for_empty_prompt = true;       // without a negative prompt the text is zeros (two-encoder classes)
  bool requires_aesthetics_score = false;         // the U-Net is told a score instead of the picture's own size
};

ModelIndex read_model_index(std::string_view text, const std::string& where);

}  // namespace fjord::loading
