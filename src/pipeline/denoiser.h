// The network within one request: what it predicts at every evaluation, guided, and with the request's approximations.
#pragma once

#include "pipeline/conditioning.h"
#include "pipeline/control_run.h"
#include "pipeline/model.h"
#include "pipeline/step_graphs.h"
#include "pipeline/step_plan.h"

#include <fjord/request.h>

#include <optional>
#include <string>
#include <vector>

namespace fjord::pipeline {

class Denoiser {
 public:
  // `request` has passed checked_request. `timesteps` are all that the run will ask for, in order. The model must
  // outlive the denoiser.
  Denoiser(const Model& model, Conditioning conditioning, const Request& request, std::vector<double> timesteps,
           ControlRun controls);

  // sample: [images, channels, height, width] at evaluation i -> the guided prediction, shaped likewise (twice the
  // channels where the network predicts a variance too). `i` counts from 0 and rises by one from call to call.
  at::Tensor predict(const at::Tensor& sample, int i);
  // The two halves of predict() where guidance is a sum: what the network gives for every branch, [branches * images,
  // channels, height, width], and the branches' weights in the guided prediction. Empty weights: it is no sum.
  at::Tensor outputs(const at::Tensor& sample, int i) { return run_network(sample, i); }
  std::vector<double> weights(int i) const;
  int evaluations() const { return static_cast<int>(plans_.size()); }

  // How much the pixels listened to each token so far: [images, tokens, height, width] of the latents; undefined where
  // the request does not ask for it.
  const std::vector<std::string>& notes() const { return graphs_.notes(); }
  at::Tensor text_maps() const { return text_maps_ ? text_maps_->mean() : at::Tensor(); }

 private:
  bool perturbs(int i) const;
  int negatives(int i) const;
  std::vector<at::Tensor> branches_of(const at::Tensor& sample, int i) const;
  models::LayerChanges changes_at(const at::Tensor& sample, int i);
  at::Tensor run_network(const at::Tensor& sample, int i);
  at::Tensor without_prompt(const std::vector<at::Tensor>& branches, const at::Tensor& with_prompt, int i);
  at::Tensor guided(const std::vector<at::Tensor>& branches, const at::Tensor& without, int i) const;

  const Model& model_;
  Conditioning conditioning_;
  Guidance options_;
  std::vector<double> scales_;  // of guidance, one an evaluation
  double guidance_rescale_;
  ops::Wrap wrap_;
  std::vector<StepPlan> plans_;
  models::RunMemory memory_;
  ControlRun controls_;
  models::LayerChanges changes_;  // those that are the same throughout
  std::optional<models::TextMaps> text_maps_;
  at::Tensor difference_;  // of the two branches, at the latest evaluation that ran both
  GraphRun graphs_;
};

}  // namespace fjord::pipeline
