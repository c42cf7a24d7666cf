#include <fjord/preset.h>

namespace fjord {

void apply_preset(Preset preset, Request& request) {
  auto& prompting = request.prompting;
  prompting.syntax = PromptSyntax::kPlain;
  prompting.empty_negative = EmptyNegative::kModel;
  request.per_image_seeds = false;
  request.reproduction = {};
  if (preset == Preset::kA1111) {
    prompting.syntax = PromptSyntax::kA1111;
    request.per_image_seeds = true;
    request.reproduction = {NoiseSource::kTorchCuda, SigmaGrid::kA1111, PixelRounding::kTruncate};
  }
  if (preset == Preset::kComfyUi) {
    prompting.syntax = PromptSyntax::kComfyUi;
    prompting.empty_negative = EmptyNegative::kEncode;
    request.reproduction = {NoiseSource::kTorchCpu, SigmaGrid::kComfyUi, PixelRounding::kTruncate};
  }
  if (preset != Preset::kDiffusers && request.scheduler.empty()) request.scheduler = "EulerDiscreteScheduler";
}

}  // namespace fjord
