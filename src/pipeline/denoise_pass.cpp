#include "pipeline/denoise_pass.h"

#include "core/check.h"
#include "core/cuda_plugin.h"

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
      latents_(std::move(start.latents)),
      watch_(update_ops(), model.device, steps_) {
  sum_steps();
}

// What the faster update needs; null where it is switched off or there is no GPU.
const CudaOps* DenoisePass::update_ops() const { return model_.cuda_paths.update ? cuda_ops(model_.device) : nullptr; }

// Where guidance and the solver are sums, they become one.
void DenoisePass::sum_steps() {
  const auto* ops = update_ops();
  if (ops == nullptr) return;
  const auto plain = [this](const char* why) { notes_.push_back(concat(why, "; it runs in several kernels")); };
  std::vector<std::vector<double>> weights;
  for (int i = 0; i < steps_; ++i) {
    weights.push_back(denoiser_.weights(i));
    if (weights.back().empty()) return plain("guidance of this request is no sum of the network's outputs");
  }
  const auto& unet = model_.unet->config();
  std::optional<std::vector<schedulers::LinearStep>> steps;
  if (plan_.request.custom_scheduler == nullptr && unet.out_channels == latents_.size(1)) {
    steps = schedulers::linear_steps(plan_.another_run, plan_.first, plan_.last);
  }
  if (steps) sums_ = SummedSteps::make(*ops, model_.device, std::move(*steps), std::move(weights));
  if (!sums_) plain("the scheduler's step is no sum of at most eight terms");
}

at::Tensor DenoisePass::noise(NoiseStream& stream, at::IntArrayRef shape) const {
  const auto drawn = stream.draw(shape);
  const auto* ops = update_ops();
  return ops != nullptr ? ops->upload(drawn, model_.device) : drawn.to(model_.device);
}

void DenoisePass::step(NoiseStream& stream) {
  const auto i = evaluation();
  seen_ = latents_;
  const auto input = plan_.run->scale_model_input(latents_, i);
  const DrawNoise draw = [&](at::IntArrayRef shape) { return noise(stream, shape); };
  if (sums_) {
    prediction_ = denoiser_.outputs(input, done_);
    latents_ = sums_->step({done_, latents_, prediction_}, draw, watch_.flag());
  } else {
    prediction_ = denoiser_.predict(input, done_);
    latents_ = plan_.run->step(prediction_, i, latents_, draw).to(model_.dtype);
  }
  ++done_;
  if (blend_) latents_ = blend_->apply(*plan_.run, i, done_, steps_, latents_).to(model_.dtype);
  watch_.step(latents_, sums_.has_value());
}

at::Tensor DenoisePass::clean() const {
  if (!prediction_.defined()) return latents_;
  const auto prediction = sums_ ? sums_->guided(prediction_, done_ - 1) : prediction_;
  return plan_.run->predict_clean(prediction, evaluation() - 1, seen_).to(model_.dtype);
}

std::vector<std::string> DenoisePass::notes() const {
  auto notes = notes_;
  notes.insert(notes.end(), denoiser_.notes().begin(), denoiser_.notes().end());
  return notes;
}

}  // namespace fjord::pipeline
