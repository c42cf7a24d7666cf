#include "loading/original/prediction.h"

#include "core/check.h"
#include "loading/scheduler_config.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr char kEpsilon[] = "epsilon";
constexpr char kVelocity[] = "v_prediction";
constexpr std::int64_t kStepsOfTheNoisePredictor = 875000;  // global_step of the second version's base model

std::string metadata(const Safetensors& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? "" : found->second;
}

std::int64_t global_step(const Safetensors& file) {
  const auto found = file.tensors().find("global_step");
  const bool readable = found != file.tensors().end() && found->second.type == at::kLong &&
                        found->second.end - found->second.begin == sizeof(std::int64_t);
  if (!readable) return 0;
  auto value = at::empty({1}, at::kLong);
  file.read_into(found->second, "global_step", value);
  return value.item<std::int64_t>();
}

// What the file itself says; an empty type if nothing.
Prediction written_in(const Safetensors& file) {
  if (file.tensors().contains("v_pred")) return {.type = kVelocity, .reason = "its tensor v_pred"};
  const auto type = metadata(file, "modelspec.prediction_type");
  if (type == "v") return {.type = kVelocity, .reason = "its metadata modelspec.prediction_type"};
  if (type == kEpsilon) return {.type = kEpsilon, .reason = "its metadata modelspec.prediction_type"};
  return {.type = ""};
}

Prediction habit_of(const Safetensors& file, const Family& family, const Task& task) {
  if (!family.predicts_velocity || task.pipeline != family.from_text.pipeline) {
    return {.type = kEpsilon, .reason = "all published models of its kind do"};
  }
  if (global_step(file) == kStepsOfTheNoisePredictor) return {.type = kEpsilon, .reason = "its tensor global_step"};
  return {.type = kVelocity,
          .reason = "a file of " + family.name +
                    " does not say what its U-Net predicts; v_prediction is assumed (the model for 768 pixels), say "
                    "epsilon for the base model for 512 pixels",
          .assumed = true};
}

bool can_rescale(const std::string& scheduler) {
  const auto names = scheduler_option_names(scheduler);
  return std::find(names.begin(), names.end(), "rescale_betas_zero_snr") != names.end();
}

// Reference: arXiv:2305.08891, sections 3.1 and 3.3: the last step is pure noise, and sampling begins there.
void end_in_noise(Json& scheduler) {
  if (!can_rescale(scheduler.value("_class_name", ""))) scheduler["_class_name"] = "DDIMScheduler";
  scheduler["rescale_betas_zero_snr"] = true;
  scheduler["timestep_spacing"] = "trailing";
}

void check_type(const std::string& type) {
  check(type == kEpsilon || type == kVelocity || type == "sample", ErrorCode::kInvalidArgument,
        "prediction_type must be epsilon, v_prediction or sample, got ", fjord::quoted(type));
}

}  // namespace

Prediction prediction_of(const Safetensors& file, const Family& family, const Task& task, const ModelFiles& options) {
  check(!file.tensors().contains("edm_vpred.sigma_max"), ErrorCode::kUnsupported, fjord::quoted(file.name(), 300),
        " was trained with continuous noise levels (its tensor edm_vpred.sigma_max), which fjord does not implement");
  auto prediction = written_in(file);
  if (prediction.type.empty()) prediction = habit_of(file, family, task);
  if (!options.prediction_type.empty()) prediction = {.type = options.prediction_type, .reason = "as asked for"};
  check_type(prediction.type);
  prediction.zero_terminal_snr = options.zero_terminal_snr.value_or(file.tensors().contains("ztsnr"));
  return prediction;
}

Json scheduler_config_of(const Task& task, const Prediction& prediction) {
  Json scheduler{{"_class_name", task.scheduler},      {"beta_start", 0.00085},       {"beta_end", 0.012},
                 {"beta_schedule", "scaled_linear"},   {"num_train_timesteps", 1000}, {"trained_betas", nullptr},
                 {"prediction_type", prediction.type}, {"steps_offset", 1},           {"clip_sample", false},
                 {"set_alpha_to_one", false},          {"skip_prk_steps", true}};
  if (task.scheduler == "EulerDiscreteScheduler") {
    scheduler.update({{"timestep_spacing", "leading"}, {"interpolation_type", "linear"}, {"use_karras_sigmas", false}});
  }
  if (prediction.zero_terminal_snr) end_in_noise(scheduler);
  return scheduler;
}

void apply_prediction(Json& scheduler, const ModelFiles& options) {
  if (!options.prediction_type.empty()) {
    check_type(options.prediction_type);
    scheduler["prediction_type"] = options.prediction_type;
  }
  if (!options.zero_terminal_snr) return;
  if (*options.zero_terminal_snr) return end_in_noise(scheduler);
  scheduler["rescale_betas_zero_snr"] = false;
}

}  // namespace fjord::loading
