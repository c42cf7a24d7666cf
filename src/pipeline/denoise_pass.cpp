#include "pipeline/denoise_pass.h"

#include "core/check.h"

#include <utility>

namespace fjord::pipeline {
namespace {

Conditioning with_channels(Conditioning conditioning, const at::Tensor& channels) {
  if (channels.defined()) conditioning.channels = channels;
  return conditioning;
}

}  // namespace

DenoisePass::DenoisePass(const Model& model, PassPlan plan, Conditioning conditioning, Start start, ControlRun controls)
    : model_(model),
      plan_(std::move(plan)),
      steps_(static_cast<int>(plan_.timesteps().size())),
      denoiser_(model, with_channels(std::move(conditioning), start.channels), plan_.request, plan_.timesteps(),
                std::move(controls)),
      blend_(std::move(start.blend)),
      latents_(std::move(start.latents)) {}

void DenoisePass::step(NoiseStream& stream) {
  const auto i = evaluation();
  seen_ = latents_;
  prediction_ = denoiser_.predict(plan_.run->scale_model_input(latents_, i), done_);
  const DrawNoise draw = [&](at::IntArrayRef shape) { return stream.draw(shape).to(model_.device); };
  latents_ = plan_.run->step(prediction_, i, latents_, draw).to(model_.dtype);
  ++done_;
  if (blend_) latents_ = blend_->apply(*plan_.run, i, done_, steps_, latents_).to(model_.dtype);
  check(latents_.isfinite().all().item<bool>(), ErrorCode::kNonFinite, "NaN or infinity in the latents after step ",
        done_, " of ", steps_, "; try float32, another scheduler or less guidance");
}

at::Tensor DenoisePass::clean() const {
  if (!prediction_.defined()) return latents_;
  return plan_.run->predict_clean(prediction_, evaluation() - 1, seen_).to(model_.dtype);
}

}  // namespace fjord::pipeline
