// Which branches and which layers every evaluation of a run needs: Approximation worked out for a number of steps.
#pragma once

#include "models/common/layer_context.h"

#include <fjord/approximation.h>

#include <vector>

namespace fjord::pipeline {

struct StepPlan {
  bool in_interval = true;        // of guidance; outside of it nothing is guided
  bool both_branches = false;     // runs with and without the prompt, and guides
  bool reuse_difference = false;  // runs with the prompt alone, guided by the latest difference of the branches
  models::Shortcuts shortcuts;
};

// One plan for each evaluation. `guided`: which of them the request wants to guide by the prompt. An evaluation runs
// whole, beyond what cache_interval asks for, where its branches have no deep features yet and on both sides of the
// text gate; the one before the gate runs both branches if it lies in the guidance interval.
std::vector<StepPlan> plan_steps(const Approximation& approximation, const std::vector<bool>& guided);

}  // namespace fjord::pipeline
