#include "cli/prompting_json.h"

#include "cli/json_fields.h"

#include <fjord/choices.h>

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, int PictureSizes::*>, 6> kSizes{{
    {"original_width", &PictureSizes::original_width},
    {"original_height", &PictureSizes::original_height},
    {"crop_left", &PictureSizes::crop_left},
    {"crop_top", &PictureSizes::crop_top},
    {"target_width", &PictureSizes::target_width},
    {"target_height", &PictureSizes::target_height},
}};

Json sizes_to_json(const PictureSizes& sizes) {
  Json json;
  for (const auto& [name, field] : kSizes) json[name] = sizes.*field;
  return json;
}

PictureSizes sizes_from_json(const Json& json, const std::string& where) {
  PictureSizes sizes;
  JsonFields fields(json, where);
  for (const auto& [name, field] : kSizes) fields.read(name, sizes.*field);
  fields.refuse_others();
  return sizes;
}

void read_texts(const Json& json, Prompting& prompting) {
  JsonFields fields(json, "request: prompting");
  fields.read("syntax", prompting.syntax, kPromptSyntaxNames);
  fields.read("prompt_2", prompting.prompt_2);
  fields.read("negative_prompt_2", prompting.negative_prompt_2);
  fields.read("clip_skip", prompting.clip_skip);
  fields.read("empty_negative", prompting.empty_negative, kEmptyNegativeNames);
  fields.refuse_others();
}

void read_micro(const Json& json, MicroConditions& micro) {
  JsonFields fields(json, "request: micro");
  if (const Json* sizes = fields.object("sizes")) micro.sizes = sizes_from_json(*sizes, "request: micro: sizes");
  if (const Json* sizes = fields.object("negative_sizes")) {
    micro.negative_sizes = sizes_from_json(*sizes, "request: micro: negative_sizes");
  }
  fields.read("aesthetic_score", micro.aesthetic_score);
  fields.read("negative_aesthetic_score", micro.negative_aesthetic_score);
  fields.refuse_others();
}

void read_range(const Json& json, DenoisingRange& range) {
  JsonFields fields(json, "request: range");
  fields.read("begin", range.begin);
  fields.read("end", range.end);
  fields.refuse_others();
}

void read_reproduction(const Json& json, Reproduction& reproduction) {
  JsonFields fields(json, "request: reproduction");
  fields.read("noise", reproduction.noise, kNoiseSourceNames);
  fields.read("sigmas", reproduction.sigmas, kSigmaGridNames);
  fields.read("rounding", reproduction.rounding, kRoundingNames);
  fields.refuse_others();
}

}  // namespace

void write_prompting(const Request& request, Json& json) {
  const auto& [syntax, prompt_2, negative_prompt_2, clip_skip, empty_negative] = request.prompting;
  json["prompting"] = {{"syntax", name_of(kPromptSyntaxNames, syntax)},
                       {"prompt_2", prompt_2},
                       {"negative_prompt_2", negative_prompt_2},
                       {"clip_skip", clip_skip},
                       {"empty_negative", name_of(kEmptyNegativeNames, empty_negative)}};
  const auto& micro = request.micro;
  json["micro"] = {{"sizes", sizes_to_json(micro.sizes)},
                   {"negative_sizes", micro.negative_sizes ? sizes_to_json(*micro.negative_sizes) : Json(nullptr)},
                   {"aesthetic_score", micro.aesthetic_score},
                   {"negative_aesthetic_score", micro.negative_aesthetic_score}};
  json["range"] = {{"begin", request.range.begin}, {"end", request.range.end}};
  const auto& reproduction = request.reproduction;
  json["reproduction"] = {{"noise", name_of(kNoiseSourceNames, reproduction.noise)},
                          {"sigmas", name_of(kSigmaGridNames, reproduction.sigmas)},
                          {"rounding", name_of(kRoundingNames, reproduction.rounding)}};
}

void read_prompting(JsonFields& fields, Request& request) {
  if (const Json* json = fields.object("prompting")) read_texts(*json, request.prompting);
  if (const Json* json = fields.object("micro")) read_micro(*json, request.micro);
  if (const Json* json = fields.object("range")) read_range(*json, request.range);
  if (const Json* json = fields.object("reproduction")) read_reproduction(*json, request.reproduction);
}

}  // namespace fjord::cli
