// A Scheduler made of what one paper's file brings: a Solver (the configuration, read once) and a Run.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>
#include <string>

namespace fjord::schedulers {

// Solver: constructed from a config::Scheduler; num_train_timesteps(). Run: constructed from
// (std::shared_ptr<const Solver>, const SchedulePlan&).
template <typename Solver, typename Run>
class SolverScheduler : public Scheduler {
 public:
  explicit SolverScheduler(const config::Scheduler& config)
      : name_(config.class_name), solver_(std::make_shared<const Solver>(config)) {}

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    return std::make_unique<Run>(solver_, plan);
  }
  std::int64_t num_train_timesteps() const override { return solver_->num_train_timesteps(); }
  std::string name() const override { return name_; }

 private:
  std::string name_;
  std::shared_ptr<const Solver> solver_;
};

}  // namespace fjord::schedulers
