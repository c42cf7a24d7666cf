// One line a field, in the order of the struct.
#include "cli/request_json.h"

#include "cli/guidance_json.h"
#include "cli/image_input_json.h"
#include "cli/json_fields.h"
#include "cli/output.h"
#include "cli/prompting_json.h"

#include <fjord/error.h>

#include <nlohmann/json.hpp>

namespace fjord::cli {

using Json = nlohmann::ordered_json;

namespace {

Json approximation_to_json(const Approximation& approximation) {
  return {
      {"guidance_begin", approximation.guidance_begin}, {"guidance_end", approximation.guidance_end},
      {"guidance_every", approximation.guidance_every}, {"cache_interval", approximation.cache_interval},
      {"cache_branch", approximation.cache_branch},     {"text_gate", approximation.text_gate},
      {"merge_ratio", approximation.merge_ratio},
  };
}

void read_approximation(const Json& json, Approximation& approximation) {
  JsonFields fields(json, "request: approximation");
  fields.read("guidance_begin", approximation.guidance_begin);
  fields.read("guidance_end", approximation.guidance_end);
  fields.read("guidance_every", approximation.guidance_every);
  fields.read("cache_interval", approximation.cache_interval);
  fields.read("cache_branch", approximation.cache_branch);
  fields.read("text_gate", approximation.text_gate);
  fields.read("merge_ratio", approximation.merge_ratio);
  fields.refuse_others();
}

}  // namespace

Json request_to_json(const Request& request) {
  Json json = {
      {"prompt", request.prompt},
      {"negative_prompt", request.negative_prompt},
      {"width", request.width},
      {"height", request.height},
      {"steps", request.steps},
      {"guidance", request.guidance ? Json(*request.guidance) : Json(nullptr)},
      {"guidance_rescale", request.guidance_rescale},
      {"seed", request.seed},
      {"per_image_seeds", request.per_image_seeds},
      {"vae_tiling", request.vae_tiling},
      {"images", request.images},
      {"scheduler", request.scheduler},
      {"scheduler_options", Json(request.scheduler_options)},
      {"timesteps", request.timesteps},
      {"sigmas", request.sigmas},
      {"guidance_options", guidance_to_json(request.guidance_options)},
      {"approximation", approximation_to_json(request.approximation)},
  };
  add_task_fields(json, request);
  write_prompting(request, json);
  if (request.guess_mode) json["guess_mode"] = true;
  return json;
}

Request request_from_json(const Json& json) {
  Request request;
  JsonFields fields(json, "request");
  fields.read("prompt", request.prompt);
  fields.read("negative_prompt", request.negative_prompt);
  fields.read("width", request.width);
  fields.read("height", request.height);
  fields.read("steps", request.steps);
  fields.read("guidance", request.guidance);
  fields.read("guidance_rescale", request.guidance_rescale);
  fields.read("seed", request.seed);
  fields.read("per_image_seeds", request.per_image_seeds);
  fields.read("vae_tiling", request.vae_tiling);
  fields.read("images", request.images);
  fields.read("scheduler", request.scheduler);
  fields.read("scheduler_options", request.scheduler_options);
  fields.read("timesteps", request.timesteps);
  fields.read("sigmas", request.sigmas);
  if (const Json* guidance = fields.object("guidance_options"))
    request.guidance_options = guidance_from_json(*guidance);
  if (const Json* approximation = fields.object("approximation"))
    read_approximation(*approximation, request.approximation);
  read_task_fields(fields, request);
  read_prompting(fields, request);
  fields.read("guess_mode", request.guess_mode);
  fields.refuse_others();
  return request;
}

void check_utf8(const std::string& what, const std::string& text) {
  try {
    Json(text).dump();
  } catch (const Json::type_error&) {
    throw Error(ErrorCode::kInvalidArgument, what + " is not UTF-8");
  }
}

}  // namespace fjord::cli
