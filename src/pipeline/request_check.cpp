#include "pipeline/request_check.h"

#include "core/check.h"

#include <cmath>

namespace fjord::pipeline {
namespace {

constexpr int kMaxImages = 256;
constexpr double kMaxGuidance = 1000;

void check_size(const char* name, int value, const PipelineInfo& info) {
  check(value >= info.size_multiple && value <= info.max_size && value % info.size_multiple == 0,
        ErrorCode::kInvalidArgument, name, " must be a multiple of ", info.size_multiple, " from ", info.size_multiple,
        " to ", info.max_size, ", got ", value);
}

void check_timesteps(const Request& request, const PipelineInfo& info) {
  check(request.timesteps.size() <= static_cast<size_t>(info.max_steps), ErrorCode::kInvalidArgument,
        "timesteps must be at most ", info.max_steps, " numbers, got ", request.timesteps.size());
  for (const double t : request.timesteps) {
    check(std::isfinite(t), ErrorCode::kInvalidArgument, "timesteps must be finite, got ", t);
  }
}

}  // namespace

Request checked_request(const Request& request, const PipelineInfo& info) {
  Request out = request;
  if (out.width == 0) out.width = info.width;
  if (out.height == 0) out.height = info.height;
  if (out.steps == 0) out.steps = out.timesteps.empty() ? info.steps : static_cast<int>(out.timesteps.size());
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
  return out;
}

}  // namespace fjord::pipeline
