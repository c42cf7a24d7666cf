// Who runs the U-Net for a request: the thread that asks, or somebody who runs it for several requests at once.
#pragma once

#include "models/unet/unet_2d_condition.h"

namespace fjord::pipeline {

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // The prediction for `input`, as unet.forward gives it up to rounding.
  virtual at::Tensor evaluate(const models::UNet2DConditionModel& unet, const models::UNetInput& input) = 0;
};

// While it lives, evaluations on this thread go to `evaluator`.
class EvaluatorScope {
 public:
  explicit EvaluatorScope(Evaluator* evaluator);
  ~EvaluatorScope();
  EvaluatorScope(const EvaluatorScope&) = delete;
  EvaluatorScope& operator=(const EvaluatorScope&) = delete;

 private:
  Evaluator* previous_;
};

// Whether this thread has an evaluator.
bool evaluates_elsewhere();

// Runs the U-Net by the evaluator of this thread; without one, here.
at::Tensor evaluate(const models::UNet2DConditionModel& unet, const models::UNetInput& input);

// Several evaluations as one. A pack fits as many inputs as have equal shapes and no approximations; each row has its
// own timestep, so they may be at different steps.
bool can_pack(const models::UNetInput& input);
bool fit_together(const models::UNetInput& a, const models::UNetInput& b);
// The inputs' rows one after another, with `memory` for what the layers make of the texts. All inputs fit together.
models::UNetInput packed(const std::vector<models::UNetInput>& inputs, models::RunMemory* memory);

}  // namespace fjord::pipeline
