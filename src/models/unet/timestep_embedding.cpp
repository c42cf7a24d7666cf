#include "models/unet/timestep_embedding.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cmath>
#include <numbers>

namespace fjord::models {
namespace {

at::Tensor sines_and_cosines(const at::Tensor& angles, bool cosines_first) {
  return cosines_first ? at::cat({angles.cos(), angles.sin()}, -1) : at::cat({angles.sin(), angles.cos()}, -1);
}

}  // namespace

at::Tensor sinusoidal_embedding(const at::Tensor& timesteps, const SinusoidConfig& config) {
  const auto half = config.dim / 2;
  auto exponent = -std::log(10000.0) * at::arange(half, timesteps.options().dtype(at::kFloat));
  exponent = exponent / (static_cast<double>(half) - config.freq_shift);
  const auto angles = timesteps.to(at::kFloat).unsqueeze(1) * exponent.exp().unsqueeze(0);
  const auto embedding = sines_and_cosines(angles, config.flip_sin_to_cos);
  return config.dim % 2 == 1 ? at::constant_pad_nd(embedding, {0, 1, 0, 0}, 0) : embedding;
}

GaussianFourierProjection::GaussianFourierProjection(const nn::Place& place, std::int64_t frequencies,
                                                     bool flip_sin_to_cos)
    : Module(place), flip_sin_to_cos_(flip_sin_to_cos) {
  parameter(weight, "weight", {frequencies});
}

at::Tensor GaussianFourierProjection::forward(const at::Tensor& timesteps) const {
  const auto angles = timesteps.unsqueeze(1) * weight.unsqueeze(0) * 2 * std::numbers::pi;
  return sines_and_cosines(angles, flip_sin_to_cos_);
}

TimestepEmbedding::TimestepEmbedding(const nn::Place& place, const TimestepEmbeddingConfig& config)
    : Module(place),
      linear_1(child("linear_1"), config.in_channels, config.dim),
      linear_2(child("linear_2"), config.dim, config.dim),
      activation_(nn::parse_activation(config.act_fn)) {
  if (config.cond_proj_dim) cond_proj.emplace(child("cond_proj"), *config.cond_proj_dim, config.in_channels, false);
  if (config.post_act_fn) post_activation_ = nn::parse_activation(*config.post_act_fn);
}

at::Tensor TimestepEmbedding::forward(const at::Tensor& x, const at::Tensor& condition) const {
  const auto input = condition.defined() && cond_proj ? x + cond_proj->forward(condition) : x;
  const auto out = linear_2.forward(linear_1.forward(input, {.activation = activation_}));
  return post_activation_ ? nn::activate(*post_activation_, out) : out;
}

}  // namespace fjord::models
