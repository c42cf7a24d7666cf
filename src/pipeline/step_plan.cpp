#include "pipeline/step_plan.h"

#include <algorithm>
#include <cmath>

namespace fjord::pipeline {
namespace {

int evaluation_at(double fraction, int steps) { return static_cast<int>(std::lround(fraction * steps)); }

// Sets the branches of evaluation i; `gate` is the first that repeats what the text gave. Where evaluations lie between
// that are not guided, the first guided one after them runs both branches.
void plan_branches(const Approximation& approximation, const std::vector<bool>& guided, int gate, int i,
                   StepPlan& plan) {
  const int steps = static_cast<int>(guided.size());
  const int begin = evaluation_at(approximation.guidance_begin, steps);
  const int end = std::min(gate, evaluation_at(approximation.guidance_end, steps));
  plan.in_interval = i >= begin && i < end;
  if (!plan.in_interval || !guided[static_cast<size_t>(i)]) return;
  const bool first = i == begin || !guided[static_cast<size_t>(i) - 1];
  plan.both_branches = first || (i - begin) % approximation.guidance_every == 0 || (i == gate - 1 && gate < steps);
  plan.reuse_difference = !plan.both_branches;
}

models::TextUse text_use(int gate, int steps, int i) {
  if (i >= gate) return models::TextUse::kRepeat;
  return i == gate - 1 && gate < steps ? models::TextUse::kAttendAndKeep : models::TextUse::kAttend;
}

}  // namespace

std::vector<StepPlan> plan_steps(const Approximation& approximation, const std::vector<bool>& guided) {
  const int steps = static_cast<int>(guided.size());
  const int gate = std::max(1, evaluation_at(approximation.text_gate, steps));
  std::vector<StepPlan> plans(static_cast<size_t>(steps));
  bool kept_both = false;  // the deep features are those of both branches
  for (int i = 0; i < steps; ++i) {
    auto& plan = plans[static_cast<size_t>(i)];
    plan_branches(approximation, guided, gate, i, plan);
    auto& shortcuts = plan.shortcuts;
    shortcuts.text = text_use(gate, steps, i);
    shortcuts.branches = plan.both_branches ? 2 : 1;
    shortcuts.merge_ratio = approximation.merge_ratio;
    if (approximation.cache_interval == 1) continue;
    shortcuts.cache_branch = static_cast<size_t>(approximation.cache_branch);
    const bool at_gate = gate < steps && (i == gate - 1 || i == gate);
    shortcuts.reuse_deep = i % approximation.cache_interval != 0 && !at_gate && (kept_both || !plan.both_branches);
    if (!shortcuts.reuse_deep) kept_both = plan.both_branches;
  }
  return plans;
}

}  // namespace fjord::pipeline
