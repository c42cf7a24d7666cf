// A small network that looks at a picture once and says what to add to each level of a U-Net's way down.
// Reference: diffusers T2IAdapter; arXiv:2302.08453.
#pragma once

#include "config/control.h"
#include "nn/layers.h"

#include <optional>
#include <vector>

namespace fjord::models {

// What a block of an adapter is built from.
struct AdapterBlockConfig {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t layers = 0;
  bool halves = false;  // its input is averaged to half the size first
  bool light = false;   // its layers have a quarter of the channels, between two convolutions that lead there and back
};

// Reference: AdapterResnetBlock, LightAdapterResnetBlock.
class AdapterLayer : public nn::Module {
 public:
  // `second`: of the second convolution.
  AdapterLayer(const nn::Place& place, std::int64_t channels, const nn::Conv2dOptions& second);
  at::Tensor forward(const at::Tensor& x) const;

  nn::Conv2d block1;
  nn::Conv2d block2;
};

// Reference: AdapterBlock, LightAdapterBlock.
class AdapterBlock : public nn::Module {
 public:
  AdapterBlock(const nn::Place& place, const AdapterBlockConfig& config);
  at::Tensor forward(const at::Tensor& x) const;

  std::optional<nn::Conv2d> in_conv;
  nn::ModuleList<AdapterLayer> resnets;
  std::optional<nn::Conv2d> out_conv;

 private:
  bool halves_;
};

class T2IAdapter : public nn::Module {
 public:
  T2IAdapter(const config::T2IAdapter& config, const at::TensorOptions& options);

  // picture: [batch, in_channels, height, width] in 0..1, sizes that downscale_factor divides -> one map a block.
  std::vector<at::Tensor> forward(const at::Tensor& picture) const;

  // Of every map forward() gives: its channels, and by how much it is smaller than the picture.
  struct Map {
    std::int64_t channels = 0;
    std::int64_t factor = 0;
    bool operator==(const Map&) const = default;
  };
  static std::vector<Map> maps(const config::T2IAdapter& config);

  const config::T2IAdapter& config() const { return config_; }

 private:
  config::T2IAdapter config_;

 public:
  std::optional<nn::Conv2d> conv_in;  // "adapter.conv_in"
  nn::ModuleList<AdapterBlock> body;  // "adapter.body"
};

}  // namespace fjord::models
