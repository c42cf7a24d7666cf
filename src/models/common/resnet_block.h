// Residual block of the U-Net and the VAE. Reference: diffusers ResnetBlock2D.
#pragma once

#include "nn/activation.h"
#include "nn/layers.h"

#include <cstdint>
#include <optional>
#include <string>

namespace fjord::models {

struct ResnetConfig {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::optional<std::int64_t> temb_channels = {};  // none: no time embedding (VAE)
  std::int64_t groups = 32;
  double eps = 1e-5;
  std::string act_fn = "silu";
  bool scale_shift = false;  // the time embedding scales and shifts norm2's output instead of being added before it
  double output_scale_factor = 1.0;
};

class ResnetBlock2D : public nn::Module {
 public:
  ResnetBlock2D(const nn::Place& place, const ResnetConfig& config);

  // The time embedding [n, temb_channels] as `forward` takes it, [n, features]; undefined without one.
  at::Tensor project_time(const at::Tensor& temb) const;
  // x: [batch, in_channels, height, width], time: [batch, features] -> [batch, out_channels, height, width].
  // Takes the memory of x for what it computes if nobody else holds it.
  at::Tensor forward(at::Tensor x, const at::Tensor& time) const;

  nn::GroupNorm norm1;
  nn::Conv2d conv1;
  std::optional<nn::Linear> time_emb_proj;
  nn::GroupNorm norm2;
  nn::Conv2d conv2;
  std::optional<nn::Conv2d> conv_shortcut;  // 1x1, where the number of channels changes

 private:
  nn::Activation activation_;
  bool scale_shift_;
  double output_scale_factor_;
};

}  // namespace fjord::models
