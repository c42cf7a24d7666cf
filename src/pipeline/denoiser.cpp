#include "pipeline/denoiser.h"

#include "pipeline/evaluation.h"
#include "pipeline/guidance.h"

#include <ATen/ops/cat.h>

#include <utility>

namespace fjord::pipeline {

Denoiser::Denoiser(const Model& model, Conditioning conditioning, const Request& request, std::vector<double> timesteps)
    : model_(model),
      conditioning_(std::move(conditioning)),
      guidance_(*request.guidance),
      guidance_rescale_(request.guidance_rescale),
      wrap_{request.seamless.x, request.seamless.y},
      plans_(plan_steps(request.approximation, conditioning_.guided, static_cast<int>(timesteps.size()))) {
  memory_.timesteps = std::move(timesteps);
}

at::Tensor Denoiser::run_network(const at::Tensor& sample, int i) {
  const auto& plan = plans_.at(static_cast<size_t>(i));
  models::UNetInput input;
  const auto seen = conditioning_.channels.defined() ? at::cat({sample, conditioning_.channels}, 1) : sample;
  input.sample = plan.both_branches ? at::cat({seen, seen}) : seen;
  input.timestep = memory_.timesteps.at(static_cast<size_t>(i));
  input.encoder_hidden_states = conditioning_.text;
  input.timestep_cond = conditioning_.guidance;
  input.text_embeds = conditioning_.pooled;
  input.time_ids = conditioning_.time_ids;
  input.memory = &memory_;
  input.shortcuts = plan.shortcuts;
  input.wrap = wrap_;
  return evaluate(*model_.unet, input);
}

at::Tensor Denoiser::predict(const at::Tensor& sample, int i) {
  const auto& plan = plans_.at(static_cast<size_t>(i));
  const auto prediction = run_network(sample, i);
  if (plan.both_branches) {
    const auto branches = prediction.chunk(2);
    if (i + 1 < static_cast<int>(plans_.size()) && plans_[static_cast<size_t>(i) + 1].reuse_difference) {
      difference_ = branches[1] - branches[0];
    }
    return guide(branches[0], branches[1], guidance_, guidance_rescale_);
  }
  if (!plan.reuse_difference) return prediction;
  return guide(prediction - difference_, prediction, guidance_, guidance_rescale_);
}

}  // namespace fjord::pipeline
