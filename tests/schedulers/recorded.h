// What tests/reference/schedulers.py and solvers.py recorded, and the stand-in for a network with which it did.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>

namespace fjord::testing {

using Tensors = std::map<std::string, at::Tensor>;

// All tensors of tests/data/<folder>/<name>.safetensors, and the list in <name>.json; from <folder>_intel where this
// processor's arithmetic is the one recorded there.
Tensors recorded_tensors(const std::string& name, const std::string& folder = "schedulers");
nlohmann::json recorded_list(const std::string& name, const std::string& folder = "schedulers");

// The trajectories and cases of tests/reference/solvers.py, read once.
const Tensors& solver_tensors();
const nlohmann::json& solver_cases();

// The scheduler configuration of a recorded case, with the options of step() that it may hold.
config::Scheduler recorded_config(const nlohmann::json& config);
SchedulePlan recorded_plan(const nlohmann::json& plan);

// The stand-in for a network: a fixed function of (x, t).
at::Tensor network(const at::Tensor& x, double t, const at::Tensor& bias, const std::string& variance_type);

// max |a - b| / max |b|
double relative_error(const at::Tensor& a, const at::Tensor& b);

// A configuration of class `name` with `options`, each as on the command line.
config::Scheduler options_config(const std::string& name, const std::map<std::string, std::string>& options = {});

}  // namespace fjord::testing
