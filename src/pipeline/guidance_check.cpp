#include "pipeline/guidance_check.h"

#include "core/check.h"

#include <algorithm>
#include <cmath>

namespace fjord::pipeline {
namespace {

constexpr double kMaxScale = 1000;
constexpr double kMaxFactor = 10;
constexpr size_t kMaxLayers = 64;
constexpr size_t kMaxName = 200;  // bytes

void check_range(const char* name, double value, double high) {
  check(value >= 0 && value <= high, ErrorCode::kInvalidArgument, name, " must be from 0 to ", high, ", got ", value);
}

void check_schedule(const Guidance& options, const PipelineInfo& info) {
  // Schedulers with two evaluations a step, or a repeated one, have up to twice as many as steps.
  const size_t limit = 2 * static_cast<size_t>(info.max_steps) + 1;
  check(options.schedule.size() <= limit, ErrorCode::kInvalidArgument, "guidance schedule must be at most ", limit,
        " scales, got ", options.schedule.size());
  for (const double scale : options.schedule) check_range("each scale of the guidance schedule", scale, kMaxScale);
}

void check_perturbed(const Request& request) {
  const Guidance& options = request.guidance_options;
  check_range("perturbed_scale", options.perturbed_scale, kMaxScale);
  check_range("perturbed_adaptive_scale", options.perturbed_adaptive_scale, kMaxScale);
  if (options.perturbed_scale == 0) return;
  check(!options.perturbed_layers.empty() && options.perturbed_layers.size() <= kMaxLayers, ErrorCode::kInvalidArgument,
        "perturbed_layers must be 1 to ", kMaxLayers, " names, got ", options.perturbed_layers.size());
  for (const auto& name : options.perturbed_layers) {
    check(!name.empty() && name.size() <= kMaxName, ErrorCode::kInvalidArgument,
          "perturbed_layers must be names of 1 to ", kMaxName, " bytes, got ", name.size());
  }
  const Approximation& approximation = request.approximation;
  check(approximation.text_gate == 1 && approximation.cache_interval == 1 && approximation.guidance_every == 1,
        ErrorCode::kInvalidArgument,
        "perturbed_scale cannot be combined with text_gate, cache_interval or guidance_every: what these reuse is not "
        "that of the perturbed branch");
}

// What is made of two branches has no meaning for the three of a model that sees a picture.
void check_for_pictures(const Request& request, const PipelineInfo& info) {
  const Guidance& options = request.guidance_options;
  const Approximation& approximation = request.approximation;
  check(!info.needs_image || (options.perturbed_scale == 0 && options.mimic_scale == 0 &&
                              approximation.text_gate == 1 && approximation.guidance_every == 1),
        ErrorCode::kInvalidArgument,
        "a model that changes pictures cannot be combined with perturbed_scale, mimic_scale, text_gate or "
        "guidance_every");
}

}  // namespace

void check_guidance(Request& request, const PipelineInfo& info) {
  Guidance& options = request.guidance_options;
  check_schedule(options, info);
  if (!options.schedule.empty()) {
    request.guidance = *std::max_element(options.schedule.begin(), options.schedule.end());
  }
  check_range("mimic_scale", options.mimic_scale, kMaxScale);
  check(options.mimic_percentile > 0 && options.mimic_percentile <= 1, ErrorCode::kInvalidArgument,
        "mimic_percentile must be above 0 and at most 1, got ", options.mimic_percentile);
  check_perturbed(request);
  check_for_pictures(request, info);
  check_range("free_u.s1", options.free_u.s1, kMaxFactor);
  check_range("free_u.s2", options.free_u.s2, kMaxFactor);
  check_range("free_u.b1", options.free_u.b1, kMaxFactor);
  check_range("free_u.b2", options.free_u.b2, kMaxFactor);
  check_range("image_scale", options.image_scale, kMaxScale);
}

}  // namespace fjord::pipeline
