#include "pipeline/prompting_check.h"

#include "core/check.h"

namespace fjord::pipeline {
namespace {

constexpr int kMaxPixels = 65536;
constexpr double kMaxScore = 10;

bool is_default(const PictureSizes& sizes) {
  return sizes.original_width == 0 && sizes.original_height == 0 && sizes.crop_left == 0 && sizes.crop_top == 0 &&
         sizes.target_width == 0 && sizes.target_height == 0;
}

bool is_default(const MicroConditions& micro) {
  const MicroConditions neutral;
  return is_default(micro.sizes) && !micro.negative_sizes && micro.aesthetic_score == neutral.aesthetic_score &&
         micro.negative_aesthetic_score == neutral.negative_aesthetic_score;
}

void check_pixels(const char* name, int value) {
  check(value >= 0 && value <= kMaxPixels, ErrorCode::kInvalidArgument, name, " must be from 0 to ", kMaxPixels,
        ", got ", value);
}

void check_sizes(const PictureSizes& sizes) {
  check_pixels("original_width", sizes.original_width);
  check_pixels("original_height", sizes.original_height);
  check_pixels("crop_left", sizes.crop_left);
  check_pixels("crop_top", sizes.crop_top);
  check_pixels("target_width", sizes.target_width);
  check_pixels("target_height", sizes.target_height);
}

void check_score(const char* name, double value) {
  check(value >= 0 && value <= kMaxScore, ErrorCode::kInvalidArgument, name, " must be from 0 to ", kMaxScore, ", got ",
        value);
}

}  // namespace

void check_prompting(const Prompting& prompting, const PipelineInfo& info) {
  check(prompting.clip_skip >= 0 && prompting.clip_skip <= info.max_clip_skip, ErrorCode::kInvalidArgument,
        "clip_skip must be from 0 to ", info.max_clip_skip, ", got ", prompting.clip_skip);
  const bool second = !prompting.prompt_2.empty() || !prompting.negative_prompt_2.empty();
  check(!second || info.size_conditions, ErrorCode::kInvalidArgument,
        "prompt_2 and negative_prompt_2 need a model with two text encoders, and this one has ", info.text_encoders);
  check(prompting.empty_negative != EmptyNegative::kZeros || info.size_conditions, ErrorCode::kInvalidArgument,
        "empty_negative as zeros needs a model that takes pooled text, and this one does not");
}

void check_micro_conditions(const MicroConditions& micro, const PipelineInfo& info) {
  check(info.size_conditions || is_default(micro), ErrorCode::kInvalidArgument,
        "sizes and aesthetic scores need a model that is told them, and this one is not");
  check_sizes(micro.sizes);
  if (micro.negative_sizes) check_sizes(*micro.negative_sizes);
  check_score("aesthetic_score", micro.aesthetic_score);
  check_score("negative_aesthetic_score", micro.negative_aesthetic_score);
}

}  // namespace fjord::pipeline
