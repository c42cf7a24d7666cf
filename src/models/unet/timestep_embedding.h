// Timesteps as vectors. Reference: diffusers Timesteps, GaussianFourierProjection, TimestepEmbedding.
#pragma once

#include "nn/activation.h"
#include "nn/layers.h"

#include <optional>
#include <string>

namespace fjord::models {

struct SinusoidConfig {
  std::int64_t dim = 0;
  bool flip_sin_to_cos = true;  // cosines first
  double freq_shift = 0;
};

// Sinusoids of a float32 vector [n] -> float32 [n, dim]. arXiv:1706.03762 section 3.5, frequencies 1 .. 1/10000.
at::Tensor sinusoidal_embedding(const at::Tensor& timesteps, const SinusoidConfig& config);

// Sinusoids at learned (fixed) random frequencies, arXiv:2006.10739: float32 [n] -> [n, 2 * frequencies].
class GaussianFourierProjection : public nn::Module {
 public:
  GaussianFourierProjection(const nn::Place& place, std::int64_t frequencies, bool flip_sin_to_cos);
  at::Tensor forward(const at::Tensor& timesteps) const;

  at::Tensor weight;  // [frequencies]

 private:
  bool flip_sin_to_cos_;
};

struct TimestepEmbeddingConfig {
  std::int64_t in_channels = 0;
  std::int64_t dim = 0;
  std::string act_fn = "silu";
  std::optional<std::string> post_act_fn;
  std::optional<std::int64_t> cond_proj_dim;  // width of an extra condition (guidance embedding)
};

// Two linear layers: [n, in_channels] -> [n, dim].
class TimestepEmbedding : public nn::Module {
 public:
  TimestepEmbedding(const nn::Place& place, const TimestepEmbeddingConfig& config);
  // condition: [n, cond_proj_dim], may be undefined.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& condition = {}) const;

  nn::Linear linear_1;
  std::optional<nn::Linear> cond_proj;
  nn::Linear linear_2;

 private:
  nn::Activation activation_;
  std::optional<nn::Activation> post_activation_;
};

}  // namespace fjord::models
