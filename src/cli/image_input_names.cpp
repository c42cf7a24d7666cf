#include "cli/image_input_names.h"

#include <array>
#include <utility>

namespace fjord::cli {
namespace {

constexpr std::array kFits = {std::pair{"stretch", Fit::kStretch}, std::pair{"crop", Fit::kCrop},
                              std::pair{"fill", Fit::kFill}};
constexpr std::array kRegions = {std::pair{"whole", PaintRegion::kWhole}, std::pair{"fitted", PaintRegion::kFitted},
                                 std::pair{"native", PaintRegion::kNative}};
constexpr std::array kUpscalers = {std::pair{"latent", Upscaler::kLatent}, std::pair{"pixels", Upscaler::kPixels}};

template <typename Choice, size_t count>
std::optional<Choice> choice_from(const std::array<std::pair<const char*, Choice>, count>& names,
                                  const std::string& name) {
  for (const auto& [known, choice] : names) {
    if (name == known) return choice;
  }
  return std::nullopt;
}

template <typename Choice, size_t count>
std::string name_among(const std::array<std::pair<const char*, Choice>, count>& names, Choice choice) {
  for (const auto& [name, known] : names) {
    if (choice == known) return name;
  }
  return "unknown";
}

}  // namespace

std::optional<Fit> fit_from(const std::string& name) { return choice_from(kFits, name); }
std::optional<PaintRegion> paint_region_from(const std::string& name) { return choice_from(kRegions, name); }
std::optional<Upscaler> upscaler_from(const std::string& name) { return choice_from(kUpscalers, name); }
std::string name_of(Fit fit) { return name_among(kFits, fit); }
std::string name_of(PaintRegion region) { return name_among(kRegions, region); }
std::string name_of(Upscaler upscaler) { return name_among(kUpscalers, upscaler); }

}  // namespace fjord::cli
