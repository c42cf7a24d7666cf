#include "pipeline/request_check.h"

#include "core/check.h"
#include "pipeline/guidance_check.h"
#include "pipeline/image_input_check.h"
#include "pipeline/image_prompts.h"
#include "pipeline/prompting_check.h"
#include "pipeline/step_range.h"

#include <cmath>

namespace fjord::pipeline {
namespace {

constexpr int kMaxImages = 256;
constexpr double kMaxGuidance = 1000;
constexpr int kMaxInterval = 1000;
constexpr double kMaxMergeRatio = 0.75;  // one pixel of a 2x2 cell stays

void check_size(const char* name, int value, const PipelineInfo& info) {
  check(value >= info.size_multiple && value <= info.max_size && value % info.size_multiple == 0,
        ErrorCode::kInvalidArgument, name, " must be a multiple of ", info.size_multiple, " from ", info.size_multiple,
        " to ", info.max_size, ", got ", value);
}

void check_timesteps(const Request& request, const PipelineInfo& info) {
  check(request.timesteps.size() <= static_cast<size_t>(info.max_steps), ErrorCode::kInvalidArgument,
        "timesteps must be at most ", info.max_steps, " numbers, got ", request.timesteps.size());
  check(request.sigmas.size() <= static_cast<size_t>(info.max_steps) + 1, ErrorCode::kInvalidArgument,
        "sigmas must be at most ", info.max_steps + 1, " numbers, got ", request.sigmas.size());
  check(request.sigmas.size() != 1, ErrorCode::kInvalidArgument,
        "sigmas must be one more than steps, at least 2 numbers, got 1");
  for (const double t : request.timesteps) {
    check(std::isfinite(t), ErrorCode::kInvalidArgument, "timesteps must be finite, got ", t);
  }
}

// As many as the custom timesteps or sigmas, else the model's default.
int planned_steps(const Request& request, const PipelineInfo& info) {
  if (!request.timesteps.empty()) return static_cast<int>(request.timesteps.size());
  return request.sigmas.empty() ? info.steps : static_cast<int>(request.sigmas.size()) - 1;
}

bool is_fraction(double value) { return value >= 0 && value <= 1; }

void check_count(const char* name, int value) {
  check(value >= 1 && value <= kMaxInterval, ErrorCode::kInvalidArgument, name, " must be from 1 to ", kMaxInterval,
        ", got ", value);
}

void check_approximation(const Approximation& wish, const PipelineInfo& info) {
  check(is_fraction(wish.guidance_begin) && is_fraction(wish.guidance_end) && wish.guidance_begin <= wish.guidance_end,
        ErrorCode::kInvalidArgument, "the guidance interval must lie within 0 to 1 and not run backwards, got ",
        wish.guidance_begin, " to ", wish.guidance_end);
  check_count("guidance_every", wish.guidance_every);
  check_count("cache_interval", wish.cache_interval);
  check(wish.cache_branch >= 0 && wish.cache_branch < info.skip_connections, ErrorCode::kInvalidArgument,
        "cache_branch must be from 0 to ", info.skip_connections - 1, ", got ", wish.cache_branch);
  check(is_fraction(wish.text_gate) && wish.text_gate > 0, ErrorCode::kInvalidArgument,
        "text_gate must be above 0 and at most 1, got ", wish.text_gate);
  check(wish.merge_ratio >= 0 && wish.merge_ratio <= kMaxMergeRatio, ErrorCode::kInvalidArgument,
        "merge_ratio must be from 0 to ", kMaxMergeRatio, ", got ", wish.merge_ratio);
}

}  // namespace

Request checked_request(const Request& request, const PipelineInfo& info) {
  Request out = request;
  check_image_input(out, info);
  if (out.width == 0) out.width = info.width;
  if (out.height == 0) out.height = info.height;
  if (out.steps == 0) out.steps = planned_steps(out, info);
  check_guidance(out, info);
  if (!out.guidance) out.guidance = info.guidance;
  if (out.scheduler.empty() && !out.custom_scheduler) out.scheduler = info.scheduler;
  check_size("width", out.width, info);
  check_size("height", out.height, info);
  check(out.steps >= 1 && out.steps <= info.max_steps, ErrorCode::kInvalidArgument, "steps must be from 1 to ",
        info.max_steps, ", got ", out.steps);
  check(std::isfinite(*out.guidance) && *out.guidance >= 0 && *out.guidance <= kMaxGuidance,
        ErrorCode::kInvalidArgument, "guidance must be from 0 to ", kMaxGuidance, ", got ", *out.guidance);
  check(out.guidance_rescale >= 0 && out.guidance_rescale <= 1, ErrorCode::kInvalidArgument,
        "guidance_rescale must be from 0 to 1, got ", out.guidance_rescale);
  check(out.images >= 1 && out.images <= kMaxImages, ErrorCode::kInvalidArgument, "images must be from 1 to ",
        kMaxImages, ", got ", out.images);
  check_timesteps(out, info);
  check_approximation(out.approximation, info);
  check_passes(out, info);
  check_prompting(out.prompting, info);
  check_micro_conditions(out.micro, info);
  check_denoising_range(out.range);
  check_image_prompts(out);
  return out;
}

}  // namespace fjord::pipeline
