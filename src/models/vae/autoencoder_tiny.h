// The tiny autoencoder (TAESD): blocks of three convolutions, no normalisation, no attention.
// Reference: diffusers AutoencoderTiny, EncoderTiny, DecoderTiny, AutoencoderTinyBlock.
#pragma once

#include "config/tiny_vae.h"
#include "models/vae/autoencoder.h"
#include "nn/bias_free_conv.h"

#include <memory>
#include <vector>

namespace fjord::models {

// relu(x + three convolutions of x); [batch, channels, height, width] -> likewise.
class TinyBlock : public nn::Module {
 public:
  TinyBlock(const nn::Place& place, std::int64_t channels, nn::Activation activation);
  at::Tensor forward(const at::Tensor& x) const;

  nn::Conv2d conv_0, conv_2, conv_4;  // "conv.0", "conv.2", "conv.4"

 private:
  nn::Activation activation_;
};

// What encoder and decoder have in common: a first and a last convolution and stages of blocks, numbered through as
// "layers.<n>".
class TinyLayers : public nn::Module {
 public:
  using Module::Module;

 protected:
  struct Stage {
    std::unique_ptr<nn::BiasFreeConv2d> conv;  // null where the size stays
    std::vector<std::unique_ptr<TinyBlock>> blocks;
  };

  std::unique_ptr<nn::Conv2d> next_conv(std::int64_t in_channels, std::int64_t out_channels);
  std::unique_ptr<nn::BiasFreeConv2d> next_bias_free_conv(std::int64_t channels, std::int64_t stride);
  std::vector<std::unique_ptr<TinyBlock>> next_blocks(std::int64_t count, std::int64_t channels,
                                                      nn::Activation activation);
  // Layers without weights have a number too.
  void skip_layer() { ++next_layer_; }

  std::unique_ptr<nn::Conv2d> first_, last_;
  std::vector<Stage> stages_;

 private:
  std::string next_name() { return "layers." + std::to_string(next_layer_++); }

  int next_layer_ = 0;
};

class TinyEncoder : public TinyLayers {
 public:
  TinyEncoder(const nn::Place& place, const config::TinyVae& config);
  // [batch, in_channels, height, width] in -1..1 -> [batch, latent_channels, height/factor, width/factor].
  at::Tensor forward(const at::Tensor& x) const;
};

class TinyDecoder : public TinyLayers {
 public:
  TinyDecoder(const nn::Place& place, const config::TinyVae& config);
  // [batch, latent_channels, height, width] -> [batch, out_channels, height*factor, width*factor], about -1..1.
  at::Tensor forward(const at::Tensor& z) const;

 private:
  nn::Activation activation_;
};

class AutoencoderTiny : public Autoencoder {
 public:
  AutoencoderTiny(const config::TinyVae& config, const at::TensorOptions& options);

  // The encoder gives latents without a spread. It runs whole at any size: its memory is a fraction of that of the
  // U-Net, so `tiled` changes nothing.
  DiagonalGaussian encode(const at::Tensor& pixels, bool tiled = false) const override;
  at::Tensor decode(const at::Tensor& latents, bool tiled = false) const override;
  const config::TinyVae& config() const override { return config_; }
  std::int64_t factor() const override;

  TinyEncoder encoder;
  TinyDecoder decoder;

 private:
  config::TinyVae config_;
};

}  // namespace fjord::models
