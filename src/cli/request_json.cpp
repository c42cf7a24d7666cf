// One line a field, in the order of the struct.
#include "cli/request_json.h"

#include "cli/json_fields.h"
#include "cli/output.h"

#include <fjord/error.h>

#include <nlohmann/json.hpp>

namespace fjord::cli {

using Json = nlohmann::ordered_json;

Json request_to_json(const Request& request) {
  return {
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
  };
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
