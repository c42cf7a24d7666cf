#include "pipeline/family.h"

#include "core/check.h"

#include <array>
#include <string_view>

namespace fjord::pipeline {
namespace {

struct KnownClass {
  std::string_view name;
  bool pooled_text;
  OutdatedScheduler outdated;
  int steps;
  double guidance;
};

constexpr auto kCorrect = OutdatedScheduler::kCorrect;
constexpr auto kKeep = OutdatedScheduler::kKeep;

// Reference: the defaults of __call__ of each class.
constexpr std::array kClasses = {
    KnownClass{"StableDiffusionPipeline", false, kCorrect, 50, 7.5},
    KnownClass{"StableDiffusionImg2ImgPipeline", false, kCorrect, 50, 7.5},
    KnownClass{"StableDiffusionInpaintPipeline", false, kCorrect, 50, 7.5},
    KnownClass{"StableDiffusionInstructPix2PixPipeline", false, kKeep, 100, 7.5},
    KnownClass{"LatentConsistencyModelPipeline", false, kKeep, 4, 8.5},
    KnownClass{"LatentConsistencyModelImg2ImgPipeline", false, kKeep, 4, 8.5},
    KnownClass{"StableDiffusionXLPipeline", true, kKeep, 50, 5.0},
    KnownClass{"StableDiffusionXLImg2ImgPipeline", true, kKeep, 50, 5.0},
    KnownClass{"StableDiffusionXLInpaintPipeline", true, kKeep, 50, 7.5},
    KnownClass{"StableDiffusionXLInstructPix2PixPipeline", true, kKeep, 100, 5.0},
};

std::string class_names() {
  std::string names;
  for (const auto& known : kClasses) names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}

const KnownClass& known_class(const std::string& name, const std::string& where) {
  for (const auto& known : kClasses) {
    if (known.name == name) return known;
  }
  fail(ErrorCode::kUnsupported, where, ": expected one of ", class_names(), ", got ", quoted(name));
}

void require(const loading::ModelIndex& index, const std::string& part, const std::string& where) {
  check(index.components.contains(part), ErrorCode::kBadFile, where, ": expected the component ", part);
}

}  // namespace

std::string tokenizer_folder(const std::string& text_encoder) {
  return "tokenizer" + text_encoder.substr(std::string_view("text_encoder").size());
}

Family family_of(const loading::ModelIndex& index, const std::string& where) {
  const auto& known = known_class(index.class_name, where);
  Family family;
  family.pooled_text = known.pooled_text;
  family.outdated = known.outdated;
  family.steps = known.steps;
  family.guidance = known.guidance;
  // With pooled text the first encoder may be missing: refiners have the second alone.
  if (!known.pooled_text || index.components.contains("text_encoder")) family.text_encoders = {"text_encoder"};
  if (known.pooled_text) family.text_encoders.emplace_back("text_encoder_2");
  for (const auto& folder : family.text_encoders) {
    require(index, folder, where);
    require(index, tokenizer_folder(folder), where);
  }
  for (const char* part : {"unet", "vae", "scheduler"}) require(index, part, where);
  family.zeros_for_empty_prompt = known.pooled_text && index.force_zeros_for_empty_prompt;
  family.aesthetic_score = known.pooled_text && index.requires_aesthetics_score;
  return family;
}

}  // namespace fjord::pipeline
