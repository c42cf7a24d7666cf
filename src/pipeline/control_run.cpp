#include "pipeline/control_run.h"

#include "pipeline/control_pictures.h"
#include "pipeline/control_set.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <functional>
#include <utility>

namespace fjord::pipeline {
namespace {

using models::ControlSignals;

// Row i is that of picture i modulo their number; one row serves all.
at::Tensor spread(const at::Tensor& rows, std::int64_t batch) {
  if (rows.size(0) == 1) return rows;
  return rows.repeat({batch / rows.size(0), 1, 1, 1});
}

void change_all(ControlSignals& signals, const std::function<at::Tensor(const at::Tensor&)>& change) {
  for (auto& skip : signals.skips) skip = change(skip);
  if (signals.middle.defined()) signals.middle = change(signals.middle);
}

void add(ControlSignals& sum, const ControlSignals& more) {
  if (sum.skips.empty()) {
    sum = more;
    return;
  }
  for (size_t i = 0; i < more.skips.size(); ++i) sum.skips[i] = sum.skips[i] + more.skips[i];
  if (more.middle.defined()) sum.middle = sum.middle + more.middle;
}

// Reference: guess_mode of StableDiffusionControlNetPipeline, which asks the first network alone.
bool guesses(const Request& request) {
  if (request.guess_mode) return true;
  for (const auto& use : request.controls) {
    const auto& net = ControlAccess::get(use.control)->net;
    if (net) return net->control_config().global_pool_conditions;
  }
  return false;
}

}  // namespace

ControlRun::ControlRun(const ControlScene& scene, const std::vector<double>& timesteps)
    : conditioning_(scene.conditioning),
      options_(at::TensorOptions().device(scene.model.device).dtype(scene.model.dtype)),
      wrap_{scene.request.seamless.x, scene.request.seamless.y},
      guesses_(guesses(scene.request)) {
  for (const auto& use : scene.request.controls) {
    if (use.scale == 0) continue;
    if (ControlAccess::get(use.control)->net) add_net(use, scene, timesteps);
    if (ControlAccess::get(use.control)->adapter) add_adapter(use, scene, static_cast<int>(timesteps.size()));
  }
}

// The reference's control_guidance_start and _end; adapter_conditioning_factor where the network runs once.
ControlRun::Span ControlRun::heard_span(const ControlUse& use, bool runs_once, int steps) {
  Span span{steps, 0};
  for (int i = steps - 1; i >= 0; --i) {
    if (static_cast<double>(i) / steps >= use.begin) span.begin = i;
  }
  for (int i = 0; i < steps; ++i) {
    if (static_cast<double>(i + 1) / steps <= use.end) span.end = i + 1;
  }
  if (runs_once) span.end = static_cast<int>(steps * use.end);
  return span;
}

void ControlRun::add_net(const ControlUse& use, const ControlScene& scene, const std::vector<double>& timesteps) {
  auto& net = nets_.emplace_back();
  net.network = ControlAccess::get(use.control)->net;
  net.picture = control_picture(use, net.network->control_config().conditioning_channels, scene.canvas, scene.size);
  net.memory.timesteps = timesteps;
  net.scale = use.scale;
  net.span = heard_span(use, false, static_cast<int>(timesteps.size()));
}

void ControlRun::add_adapter(const ControlUse& use, const ControlScene& scene, int steps) {
  auto& adapter = adapters_.emplace_back();
  adapter.network = ControlAccess::get(use.control)->adapter;
  adapter.picture = control_picture(use, adapter.network->config().in_channels, scene.canvas, scene.size);
  adapter.scale = use.scale;
  adapter.span = heard_span(use, true, steps);
}

// For one branch or both; models with more have no ControlNets (check_control_fit). Layers may be left out with the
// U-Net's own; what is computed is never approximated.
ControlSignals ControlRun::said_by(Net& net, const at::Tensor& sample, const ControlMoment& moment) const {
  if (!net.embedded.defined()) net.embedded = net.network->embed(std::exchange(net.picture, {}).to(options_));
  models::UNetInput input;
  input.sample = moment.negatives > 0 && !guesses_ ? at::cat({sample, sample}) : sample;
  input.timestep = net.memory.timesteps.at(static_cast<size_t>(moment.evaluation));
  input.encoder_hidden_states = conditioning_.text;
  input.text_embeds = conditioning_.pooled;
  input.time_ids = conditioning_.time_ids;
  input.memory = &net.memory;
  input.shortcuts.cache_branch = moment.shortcuts.cache_branch;
  input.shortcuts.reuse_deep = moment.shortcuts.reuse_deep;
  input.wrap = wrap_;
  return net.network->forward(input, spread(net.embedded, input.sample.size(0)), {net.scale, guesses_});
}

// Where only the branch with the prompt was looked at, the other one hears nothing.
ControlSignals ControlRun::said_by_nets(const at::Tensor& sample, const ControlMoment& moment) {
  ControlSignals sum;
  for (auto& net : nets_) {
    if (net.span.holds(moment.evaluation)) add(sum, said_by(net, sample, moment));
  }
  if (moment.negatives > 0 && guesses_) {
    change_all(sum, [](const at::Tensor& map) { return at::cat({at::zeros_like(map), map}); });
  }
  if (moment.repeats_branch) {
    change_all(sum, [images = sample.size(0)](const at::Tensor& map) {
      return at::cat({map, models::last_rows(map, images)});
    });
  }
  return sum;
}

std::vector<at::Tensor> ControlRun::said_by_adapters(const ControlMoment& moment, std::int64_t rows) {
  std::vector<at::Tensor> sum;
  for (auto& adapter : adapters_) {
    if (!adapter.span.holds(moment.evaluation)) continue;
    if (adapter.maps.empty()) {
      adapter.maps = adapter.network->forward(std::exchange(adapter.picture, {}).to(options_));
      for (auto& map : adapter.maps) map = map * adapter.scale;
    }
    if (sum.empty()) sum.resize(adapter.maps.size());
    for (size_t i = 0; i < sum.size(); ++i) sum[i] = sum[i].defined() ? sum[i] + adapter.maps[i] : adapter.maps[i];
  }
  for (auto& map : sum) map = spread(map, rows).expand({rows, -1, -1, -1});
  return sum;
}

ControlSignals ControlRun::at(const at::Tensor& sample, const ControlMoment& moment) {
  const ops::WrapScope wrap(wrap_);
  auto out = said_by_nets(sample, moment);
  const auto branches = 1 + std::int64_t{moment.negatives} + std::int64_t{moment.repeats_branch};
  out.levels = said_by_adapters(moment, branches * sample.size(0));
  return out;
}

}  // namespace fjord::pipeline
