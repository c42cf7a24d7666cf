#include "models/vae/autoencoder_tiny.h"

#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace fjord::models {
namespace {

constexpr nn::Conv2dOptions kConv{.kernel = 3, .padding = 1};
constexpr double kLargestLatent = 3;  // the decoder squeezes latents into -3..3

}  // namespace

TinyBlock::TinyBlock(const nn::Place& place, std::int64_t channels, nn::Activation activation)
    : Module(place),
      conv_0(child("conv.0"), channels, channels, kConv),
      conv_2(child("conv.2"), channels, channels, kConv),
      conv_4(child("conv.4"), channels, channels, kConv),
      activation_(activation) {}

at::Tensor TinyBlock::forward(const at::Tensor& x) const {
  const auto hidden = nn::activate(activation_, conv_0.forward(x));
  return at::relu(conv_4.forward(nn::activate(activation_, conv_2.forward(hidden)), {.residual = x}));
}

std::unique_ptr<nn::Conv2d> TinyLayers::next_conv(std::int64_t in_channels, std::int64_t out_channels) {
  return std::make_unique<nn::Conv2d>(child(next_name()), in_channels, out_channels, kConv);
}

std::unique_ptr<nn::BiasFreeConv2d> TinyLayers::next_bias_free_conv(std::int64_t channels, std::int64_t stride) {
  return std::make_unique<nn::BiasFreeConv2d>(child(next_name()), channels, channels,
                                              nn::Conv2dOptions{.kernel = 3, .stride = stride, .padding = 1});
}

std::vector<std::unique_ptr<TinyBlock>> TinyLayers::next_blocks(std::int64_t count, std::int64_t channels,
                                                                nn::Activation activation) {
  std::vector<std::unique_ptr<TinyBlock>> blocks;
  for (std::int64_t i = 0; i < count; ++i) {
    blocks.push_back(std::make_unique<TinyBlock>(child(next_name()), channels, activation));
  }
  return blocks;
}

TinyEncoder::TinyEncoder(const nn::Place& place, const config::TinyVae& config) : TinyLayers(place) {
  const auto activation = nn::parse_activation(config.act_fn);
  const auto& channels = config.encoder_block_out_channels;
  first_ = next_conv(config.in_channels, channels.front());
  for (size_t i = 0; i < channels.size(); ++i) {
    auto& stage = stages_.emplace_back();
    if (i > 0) stage.conv = next_bias_free_conv(channels[i], 2);
    stage.blocks = next_blocks(config.num_encoder_blocks[i], channels[i], activation);
  }
  last_ = next_conv(channels.back(), config.latent_channels);
}

at::Tensor TinyEncoder::forward(const at::Tensor& x) const {
  auto hidden = first_->forward((x + 1) / 2);
  for (const auto& stage : stages_) {
    if (stage.conv != nullptr) hidden = stage.conv->forward(hidden);
    for (const auto& block : stage.blocks) hidden = block->forward(hidden);
  }
  return last_->forward(hidden);
}

TinyDecoder::TinyDecoder(const nn::Place& place, const config::TinyVae& config)
    : TinyLayers(place), activation_(nn::parse_activation(config.act_fn)) {
  const auto& channels = config.decoder_block_out_channels;
  first_ = next_conv(config.latent_channels, channels.front());
  skip_layer();  // the activation
  for (size_t i = 0; i < channels.size(); ++i) {
    auto& stage = stages_.emplace_back();
    stage.blocks = next_blocks(config.num_decoder_blocks[i], channels[i], activation_);
    if (i + 1 == channels.size()) break;
    skip_layer();  // the enlargement
    stage.conv = next_bias_free_conv(channels[i], 1);
  }
  last_ = next_conv(channels.back(), config.out_channels);
}

at::Tensor TinyDecoder::forward(const at::Tensor& z) const {
  const auto squeezed = at::tanh(z / kLargestLatent) * kLargestLatent;
  auto hidden = nn::activate(activation_, first_->forward(squeezed));
  for (const auto& stage : stages_) {
    for (const auto& block : stage.blocks) hidden = block->forward(hidden);
    if (stage.conv == nullptr) continue;
    hidden = stage.conv->forward(at::upsample_nearest2d(hidden, {2 * hidden.size(2), 2 * hidden.size(3)}));
  }
  return last_->forward(hidden) * 2 - 1;
}

AutoencoderTiny::AutoencoderTiny(const config::TinyVae& config, const at::TensorOptions& options)
    : Autoencoder({nullptr, "", options}),
      encoder(child("encoder"), config),
      decoder(child("decoder"), config),
      config_(config) {}

DiagonalGaussian AutoencoderTiny::encode(const at::Tensor& pixels, bool /*tiled*/) const {
  return DiagonalGaussian::without_spread(encoder.forward(pixels));
}

at::Tensor AutoencoderTiny::decode(const at::Tensor& latents, bool /*tiled*/) const { return decoder.forward(latents); }

std::int64_t AutoencoderTiny::factor() const {
  return std::int64_t{1} << (config_.decoder_block_out_channels.size() - 1);
}

}  // namespace fjord::models
