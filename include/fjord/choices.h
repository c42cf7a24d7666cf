// The choices of a request in words, as the program's options and records and the C interface write them.
#pragma once

#include <fjord/hires.h>
#include <fjord/image_input.h>
#include <fjord/preset.h>
#include <fjord/prompting.h>
#include <fjord/reproduction.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fjord {

template <typename Choice, size_t kCount>
using ChoiceNames = std::array<std::pair<std::string_view, Choice>, kCount>;

inline constexpr ChoiceNames<Fit, 3> kFitNames{{
    {"stretch", Fit::kStretch},
    {"crop", Fit::kCrop},
    {"fill", Fit::kFill},
}};
inline constexpr ChoiceNames<PaintRegion, 3> kPaintRegionNames{{
    {"whole", PaintRegion::kWhole},
    {"fitted", PaintRegion::kFitted},
    {"native", PaintRegion::kNative},
}};
inline constexpr ChoiceNames<Upscaler, 2> kUpscalerNames{{
    {"latent", Upscaler::kLatent},
    {"pixels", Upscaler::kPixels},
}};
inline constexpr ChoiceNames<PromptSyntax, 3> kPromptSyntaxNames{{
    {"plain", PromptSyntax::kPlain},
    {"a1111", PromptSyntax::kA1111},
    {"comfyui", PromptSyntax::kComfyUi},
}};
inline constexpr ChoiceNames<EmptyNegative, 3> kEmptyNegativeNames{{
    {"model", EmptyNegative::kModel},
    {"encode", EmptyNegative::kEncode},
    {"zeros", EmptyNegative::kZeros},
}};
inline constexpr ChoiceNames<NoiseSource, 2> kNoiseSourceNames{{
    {"cpu", NoiseSource::kTorchCpu},
    {"cuda", NoiseSource::kTorchCuda},
}};
inline constexpr ChoiceNames<SigmaGrid, 3> kSigmaGridNames{{
    {"scheduler", SigmaGrid::kScheduler},
    {"a1111", SigmaGrid::kA1111},
    {"comfyui", SigmaGrid::kComfyUi},
}};
inline constexpr ChoiceNames<PixelRounding, 2> kRoundingNames{{
    {"nearest", PixelRounding::kNearest},
    {"truncate", PixelRounding::kTruncate},
}};
inline constexpr ChoiceNames<Preset, 3> kPresetNames{{
    {"diffusers", Preset::kDiffusers},
    {"a1111", Preset::kA1111},
    {"comfyui", Preset::kComfyUi},
}};

// The choice of a name; none for an unknown one.
template <typename Choice, size_t kCount>
std::optional<Choice> choice_named(const ChoiceNames<Choice, kCount>& names, std::string_view name) {
  for (const auto& [known, choice] : names) {
    if (known == name) return choice;
  }
  return {};
}

template <typename Choice, size_t kCount>
std::string name_of(const ChoiceNames<Choice, kCount>& names, Choice choice) {
  for (const auto& [name, known] : names) {
    if (known == choice) return std::string(name);
  }
  return "unknown";
}

// "plain, a1111 or comfyui"
template <typename Choice, size_t kCount>
std::string listed(const ChoiceNames<Choice, kCount>& names) {
  std::string out;
  for (size_t i = 0; i < kCount; ++i) {
    if (i > 0) out += i + 1 == kCount ? " or " : ", ";
    out += names[i].first;
  }
  return out;
}

}  // namespace fjord
