#include "models/common/resnet_block.h"

#include <utility>

namespace fjord::models {

ResnetBlock2D::ResnetBlock2D(const nn::Place& place, const ResnetConfig& config)
    : Module(place),
      norm1(child("norm1"), config.groups, config.in_channels, config.eps),
      conv1(child("conv1"), config.in_channels, config.out_channels, {.kernel = 3, .padding = 1}),
      norm2(child("norm2"), config.groups, config.out_channels, config.eps),
      conv2(child("conv2"), config.out_channels, config.out_channels, {.kernel = 3, .padding = 1}),
      activation_(nn::parse_activation(config.act_fn)),
      scale_shift_(config.scale_shift),
      output_scale_factor_(config.output_scale_factor) {
  if (config.temb_channels) {
    time_emb_proj.emplace(child("time_emb_proj"), *config.temb_channels,
                          config.scale_shift ? 2 * config.out_channels : config.out_channels);
  }
  if (config.in_channels != config.out_channels) {
    conv_shortcut.emplace(child("conv_shortcut"), config.in_channels, config.out_channels,
                          nn::Conv2dOptions{.kernel = 1});
  }
}

at::Tensor ResnetBlock2D::project_time(const at::Tensor& temb) const {
  return time_emb_proj ? time_emb_proj->forward(nn::activate(activation_, temb)) : at::Tensor();
}

at::Tensor ResnetBlock2D::forward(at::Tensor x, const at::Tensor& time) const {
  const bool scales = time.defined() && scale_shift_;
  const auto residual = conv_shortcut ? conv_shortcut->forward(x) : x;
  auto hidden = conv1.forward(norm1.forward(std::move(x), activation_), {.image_bias = scales ? at::Tensor() : time});
  if (scales) {
    const auto scale_and_shift = time.unsqueeze(-1).unsqueeze(-1).chunk(2, 1);
    hidden =
        nn::activate(activation_, norm2.forward(std::move(hidden)) * (1 + scale_and_shift[0]) + scale_and_shift[1]);
  } else {
    hidden = norm2.forward(std::move(hidden), activation_);
  }
  const auto sum = conv2.forward(hidden, {.residual = residual});
  return output_scale_factor_ == 1.0 ? sum : sum / output_scale_factor_;
}

}  // namespace fjord::models
