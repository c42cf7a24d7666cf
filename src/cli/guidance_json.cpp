// One line a field, in the order of the struct.
#include "cli/guidance_json.h"

#include "cli/guidance_options.h"
#include "cli/json_fields.h"

namespace fjord::cli {

nlohmann::ordered_json guidance_to_json(const Guidance& guidance) {
  return {
      {"schedule", guidance.schedule},
      {"mimic_scale", guidance.mimic_scale},
      {"mimic_percentile", guidance.mimic_percentile},
      {"perturbed_scale", guidance.perturbed_scale},
      {"perturbed_adaptive_scale", guidance.perturbed_adaptive_scale},
      {"perturbed_layers", join_names(guidance.perturbed_layers)},
      {"free_u_s1", guidance.free_u.s1},
      {"free_u_s2", guidance.free_u.s2},
      {"free_u_b1", guidance.free_u.b1},
      {"free_u_b2", guidance.free_u.b2},
      {"image_scale", guidance.image_scale},
  };
}

Guidance guidance_from_json(const nlohmann::ordered_json& json) {
  Guidance guidance;
  JsonFields fields(json, "request: guidance_options");
  std::string layers = join_names(guidance.perturbed_layers);
  fields.read("schedule", guidance.schedule);
  fields.read("mimic_scale", guidance.mimic_scale);
  fields.read("mimic_percentile", guidance.mimic_percentile);
  fields.read("perturbed_scale", guidance.perturbed_scale);
  fields.read("perturbed_adaptive_scale", guidance.perturbed_adaptive_scale);
  fields.read("perturbed_layers", layers);
  fields.read("free_u_s1", guidance.free_u.s1);
  fields.read("free_u_s2", guidance.free_u.s2);
  fields.read("free_u_b1", guidance.free_u.b1);
  fields.read("free_u_b2", guidance.free_u.b2);
  fields.read("image_scale", guidance.image_scale);
  fields.refuse_others();
  guidance.perturbed_layers = split_names(layers);
  return guidance;
}

}  // namespace fjord::cli
