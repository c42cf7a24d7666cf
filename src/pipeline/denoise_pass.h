// One walk from noisy latents to clean ones, evaluation by evaluation.
#pragma once

#include "core/random.h"
#include "pipeline/denoiser.h"
#include "pipeline/finite_watch.h"
#include "pipeline/passes.h"
#include "pipeline/start.h"
#include "pipeline/summed_steps.h"

#include <optional>
#include <string>
#include <vector>

namespace fjord::pipeline {

class DenoisePass {
 public:
  // The model must outlive the pass.
  DenoisePass(const Model& model, PassPlan plan, Conditioning conditioning, Start start, ControlRun controls);

  int steps() const { return steps_; }
  int done() const { return done_; }
  // One evaluation of the network. Throws Error(kNonFinite) if NaN or infinity come out, on a GPU up to two steps
  // later, after the last step at once.
  void step(NoiseStream& stream);

  const at::Tensor& latents() const { return latents_; }
  at::Tensor text_maps() const { return denoiser_.text_maps(); }
  // The model's present estimate of the clean latents.
  at::Tensor clean() const;
  // Why a GPU's faster ways did not serve, a sentence each.
  std::vector<std::string> notes() const;

 private:
  void sum_steps();
  at::Tensor noise(NoiseStream& stream, at::IntArrayRef shape) const;
  const CudaOps* update_ops() const;
  std::int64_t evaluation() const { return plan_.first + done_; }

  const Model& model_;
  PassPlan plan_;
  int steps_;
  Denoiser denoiser_;
  std::optional<MaskedBlend> blend_;
  at::Tensor latents_;
  // The latest evaluation: the network's prediction (of summed steps its outputs for every branch) and the sample it
  // saw. Undefined before the first.
  at::Tensor prediction_;
  at::Tensor seen_;
  int done_ = 0;
  std::optional<SummedSteps> sums_;
  FiniteWatch watch_;
  std::vector<std::string> notes_;
};

}  // namespace fjord::pipeline
