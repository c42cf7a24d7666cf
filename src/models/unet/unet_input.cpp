#include "models/unet/unet_input.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>

namespace fjord::models {
namespace {

constexpr std::array kConditions = {&UNetInput::timestep_cond, &UNetInput::class_labels, &UNetInput::text_embeds,
                                    &UNetInput::time_ids};

// 1 without conditions: every row then has the same time embedding.
std::int64_t condition_rows(const UNetInput& input) {
  for (const auto condition : kConditions) {
    if ((input.*condition).defined()) return (input.*condition).size(0);
  }
  return 1;
}

at::Tensor repeated(const at::Tensor& x, std::int64_t times) {
  if (!x.defined()) return x;
  std::vector<std::int64_t> repeats(static_cast<size_t>(x.dim()), 1);
  repeats[0] = times;
  return x.repeat(repeats);
}

}  // namespace

UNetInput own_rows(const UNetInput& input) {
  auto out = input;
  const auto batch = input.sample.size(0);
  for (const auto condition : kConditions) out.*condition = last_rows(input.*condition, batch);
  if (input.timestep) out.timesteps = at::full({batch}, *input.timestep, input.sample.options().dtype(at::kFloat));
  return out;
}

UNetInput at_all_timesteps(const UNetInput& input, const std::vector<double>& timesteps) {
  auto out = input;
  const auto count = static_cast<std::int64_t>(timesteps.size());
  for (const auto condition : kConditions) out.*condition = repeated(input.*condition, count);
  out.timesteps =
      at::tensor(timesteps, at::kDouble).to(input.sample.device(), at::kFloat).repeat_interleave(condition_rows(input));
  return out;
}

void add_skips(const ControlSignals& signals, std::vector<at::Tensor>& skips) {
  for (size_t i = 0; i < std::min(skips.size(), signals.skips.size()); ++i) skips[i] = skips[i] + signals.skips[i];
}

}  // namespace fjord::models
