// Reference: the ends of diffusers' pipelines; latents_mean and latents_std count only where both are given.
#include "models/vae/autoencoder.h"

#include <ATen/ops/tensor.h>

namespace fjord::models {
namespace {

bool is_normalized(const config::LatentSpace& space) {
  return !space.latents_mean.empty() && !space.latents_std.empty();
}

at::Tensor per_channel(const std::vector<double>& numbers, const at::Tensor& like) {
  return at::tensor(numbers, at::kDouble).to(like.options()).view({1, -1, 1, 1});
}

}  // namespace

at::Tensor Autoencoder::scale(const at::Tensor& latents) const {
  const auto& space = config();
  if (!is_normalized(space)) return latents * space.scaling_factor;
  return (latents - per_channel(space.latents_mean, latents)) * space.scaling_factor /
         per_channel(space.latents_std, latents);
}

at::Tensor Autoencoder::unscale(const at::Tensor& latents) const {
  const auto& space = config();
  if (!is_normalized(space)) return latents / space.scaling_factor;
  return latents * per_channel(space.latents_std, latents) / space.scaling_factor +
         per_channel(space.latents_mean, latents);
}

}  // namespace fjord::models
