#include "pipeline/evaluation.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <array>
#include <functional>

namespace fjord::pipeline {
namespace {

thread_local Evaluator* active = nullptr;

constexpr std::array kTensors = {
    &models::UNetInput::sample,        &models::UNetInput::timesteps,   &models::UNetInput::encoder_hidden_states,
    &models::UNetInput::timestep_cond, &models::UNetInput::text_embeds, &models::UNetInput::time_ids};

// The input for its own rows alone, its text included.
models::UNetInput alone(const models::UNetInput& input) {
  auto out = models::own_rows(input);
  out.encoder_hidden_states = models::last_rows(input.encoder_hidden_states, input.sample.size(0));
  out.timestep.reset();
  return out;
}

bool like(const at::Tensor& a, const at::Tensor& b) {
  if (a.defined() != b.defined()) return false;
  return !a.defined() || (a.sizes().slice(1) == b.sizes().slice(1) && a.scalar_type() == b.scalar_type());
}

// Every map of the signals. What lacks signals does not fit what has some.
std::vector<at::Tensor> all_maps(const models::ControlSignals& signals) {
  auto maps = signals.skips;
  maps.push_back(signals.middle);
  maps.insert(maps.end(), signals.levels.begin(), signals.levels.end());
  return maps;
}

bool like(const models::ControlSignals& a, const models::ControlSignals& b) {
  if (a.skips.size() != b.skips.size() || a.levels.size() != b.levels.size()) return false;
  const auto first = all_maps(a), second = all_maps(b);
  return std::equal(first.begin(), first.end(), second.begin(),
                    [](const at::Tensor& x, const at::Tensor& y) { return like(x, y); });
}

at::Tensor joined(const std::vector<models::UNetInput>& inputs,
                  const std::function<at::Tensor(const models::ControlSignals&)>& map) {
  std::vector<at::Tensor> rows;
  for (const auto& input : inputs) rows.push_back(map(input.signals));
  return rows.front().defined() ? at::cat(rows) : at::Tensor();
}

// The rows of all signals, which are those of the samples.
models::ControlSignals joined_signals(const std::vector<models::UNetInput>& inputs) {
  models::ControlSignals out;
  const auto& first = inputs.front().signals;
  for (size_t i = 0; i < first.skips.size(); ++i) {
    out.skips.push_back(joined(inputs, [i](const auto& signals) { return signals.skips[i]; }));
  }
  out.middle = joined(inputs, [](const auto& signals) { return signals.middle; });
  for (size_t i = 0; i < first.levels.size(); ++i) {
    out.levels.push_back(joined(inputs, [i](const auto& signals) { return signals.levels[i]; }));
  }
  return out;
}

}  // namespace

EvaluatorScope::EvaluatorScope(Evaluator* evaluator) : previous_(active) { active = evaluator; }
EvaluatorScope::~EvaluatorScope() { active = previous_; }

bool evaluates_elsewhere() { return active != nullptr; }

at::Tensor evaluate(const models::UNet2DConditionModel& unet, const models::UNetInput& input) {
  return active != nullptr ? active->evaluate(unet, input) : unet.forward(input);
}

bool can_pack(const models::UNetInput& input) {
  // Names every field, so that a new one does not compile before somebody has decided what packing does to it.
  const auto& [sample, timesteps, text, timestep_cond, class_labels, text_embeds, time_ids, timestep, memory, shortcuts,
               wrap, changes, signals] = input;
  const bool whole = shortcuts.text == models::TextUse::kAttend && !shortcuts.cache_branch && !shortcuts.reuse_deep &&
                     shortcuts.merge_ratio == 0;
  const bool unchanged =
      changes.perturbed_rows == 0 && !changes.free_u && changes.text_maps == nullptr && changes.pictures == nullptr;
  return whole && unchanged && timestep && !class_labels.defined();
}

bool fit_together(const models::UNetInput& a, const models::UNetInput& b) {
  if (!can_pack(a) || !can_pack(b) || a.wrap != b.wrap) return false;
  for (const auto tensor : kTensors) {
    if (!like(a.*tensor, b.*tensor)) return false;
  }
  return like(a.signals, b.signals);
}

models::UNetInput packed(const std::vector<models::UNetInput>& inputs, models::RunMemory* memory) {
  std::vector<models::UNetInput> parts;
  for (const auto& input : inputs) parts.push_back(alone(input));
  models::UNetInput out;
  for (const auto tensor : kTensors) {
    if (!(parts[0].*tensor).defined()) continue;
    std::vector<at::Tensor> rows;
    for (const auto& part : parts) rows.push_back(part.*tensor);
    out.*tensor = at::cat(rows);
  }
  out.memory = memory;
  out.wrap = inputs[0].wrap;
  out.signals = joined_signals(inputs);
  return out;
}

}  // namespace fjord::pipeline
