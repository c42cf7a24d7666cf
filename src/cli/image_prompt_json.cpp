#include "cli/image_prompt_json.h"

#include "cli/image_input_json.h"
#include "cli/json_fields.h"

#include <fjord/error.h>

#include <nlohmann/json.hpp>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

Json list_to_json(const std::vector<InputFile>& files) {
  Json list = Json::array();
  for (const auto& file : files) list.push_back(input_file_to_json(file));
  return list;
}

std::vector<InputFile> list_from_json(const Json& json, const std::string& where) {
  if (!json.is_array()) throw Error(ErrorCode::kBadFile, where + ": expected a list of files");
  std::vector<InputFile> files;
  for (const auto& each : json) files.push_back(input_file_from_json(each, where));
  return files;
}

ImagePromptFile prompt_from_json(const Json& json, const std::string& where) {
  ImagePromptFile prompt;
  JsonFields fields(json, where);
  prompt.images = list_from_json(fields.array("images"), where);
  fields.read("scale", prompt.scale);
  fields.refuse_others();
  return prompt;
}

std::map<std::string, double> scales_from_json(const Json& json, const std::string& where) {
  if (!json.is_object()) throw Error(ErrorCode::kBadFile, where + ": expected an object of numbers");
  std::map<std::string, double> scales;
  JsonFields fields(json, where);
  for (const auto& [name, value] : json.items()) fields.read(name.c_str(), scales[name]);
  return scales;
}

}  // namespace

Json image_prompts_to_json(const ImagePromptFiles& files) {
  Json prompts = Json::array(), masks = Json::array(), layers = Json::array();
  for (const auto& [images, scale] : files.prompts) {
    prompts.push_back({{"images", list_to_json(images)}, {"scale", scale}});
  }
  for (const auto& list : files.masks) masks.push_back(list_to_json(list));
  for (const auto& scales : files.layer_scales) layers.push_back(Json(scales));
  return {{"adapters", list_to_json(files.adapters)},
          {"encoders", list_to_json(files.encoders)},
          {"prompts", prompts},
          {"masks", masks},
          {"layer_scales", layers}};
}

ImagePromptFiles image_prompts_from_json(const Json& json, const std::string& where) {
  ImagePromptFiles files;
  JsonFields fields(json, where);
  files.adapters = list_from_json(fields.array("adapters"), where + ": adapters");
  files.encoders = list_from_json(fields.array("encoders"), where + ": encoders");
  for (const auto& each : fields.array("prompts")) {
    files.prompts.push_back(prompt_from_json(each, where + ": prompts"));
  }
  for (const auto& each : fields.array("masks")) files.masks.push_back(list_from_json(each, where + ": masks"));
  for (const auto& each : fields.array("layer_scales")) {
    files.layer_scales.push_back(scales_from_json(each, where + ": layer_scales"));
  }
  fields.refuse_others();
  return files;
}

}  // namespace fjord::cli
