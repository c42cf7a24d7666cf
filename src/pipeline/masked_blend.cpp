#include "pipeline/masked_blend.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include <algorithm>

namespace fjord::pipeline {
namespace {

constexpr int kPainted = 128;  // a binarised mask's 1 begins at 0.5

at::Tensor to_tensor(const Mask& mask) {
  auto out = at::empty({1, 1, mask.height, mask.width}, at::kByte);
  std::copy(mask.values.begin(), mask.values.end(), out.mutable_data_ptr<std::uint8_t>());
  return out;
}

}  // namespace

at::Tensor hard_latent_mask(const Mask& mask, std::int64_t factor) {
  const auto corners = to_tensor(mask).slice(2, 0, std::nullopt, factor).slice(3, 0, std::nullopt, factor);
  return (corners >= kPainted).to(at::kFloat);
}

at::Tensor soft_latent_mask(const Mask& mask, std::int64_t factor) {
  return at::avg_pool2d(to_tensor(mask).to(at::kFloat) / 255, factor);
}

at::Tensor MaskedBlend::apply(const SchedulerRun& run, std::int64_t i, int done, int count,
                              const at::Tensor& latents) const {
  const auto follows = (1 - strength_ > static_cast<double>(done) / count).logical_or(strength_ == 0);
  const bool more = i + 1 < static_cast<std::int64_t>(run.timesteps().size());
  const auto original = more ? run.add_noise(original_, noise_, i + 1) : original_;
  return at::where(follows, original, latents);
}

}  // namespace fjord::pipeline
