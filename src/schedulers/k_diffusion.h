// The samplers of AUTOMATIC1111's web UI and of ComfyUI, which go back to the k-diffusion library: their noise levels,
// the timesteps that they tell the network, and how they scale the first noise.
#pragma once

#include "config/scheduler.h"

#include <fjord/reproduction.h>
#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

enum class KSolver {
  kEuler,           // arXiv:2206.00364, Algorithm 2 without churn and correction
  kDpmSecondOrder,  // DPM-Solver++(2M), arXiv:2211.01095, Algorithm 2, of first order where a run ends at 0
};

struct KDiffusionOptions {
  KSolver solver = KSolver::kEuler;
  SigmaGrid grid = SigmaGrid::kA1111;  // not kScheduler
  bool karras = false;                 // levels of arXiv:2206.00364, eq. 5, between the training's extremes
};

// Throws kUnsupported for a schedule with zero terminal signal, whose highest level is infinite.
std::shared_ptr<const Scheduler> make_k_diffusion(const config::Scheduler& config, const KDiffusionOptions& options);

}  // namespace fjord::schedulers
