// What an IP-Adapter adds to a U-Net: tokens of a picture, and for every layer that attends to the text the keys and
// values of these tokens. Named as the original files are. arXiv:2308.06721.
#pragma once

#include "models/common/attention.h"
#include "models/image_prompt/image_projection.h"

#include <memory>
#include <vector>

namespace fjord::models {

struct IpAdapterConfig {
  ProjectionConfig projection;
  // Features of the U-Net's layers that attend to the text, in the order of text_attentions.
  std::vector<std::int64_t> layers;
};

// The part for one layer.
class PictureAttention : public nn::Module {
 public:
  PictureAttention(const nn::Place& place, std::int64_t text_features, std::int64_t features);

  nn::Linear to_k_ip, to_v_ip;
};

class IpAdapter : public nn::Module {
 public:
  IpAdapter(const IpAdapterConfig& config, const at::TensorOptions& options);

  // What the image encoder gave -> [pictures, tokens, text_features].
  at::Tensor tokens(const at::Tensor& states) const { return image_proj->forward(states); }
  // tokens: [batch, any number, text_features].
  KeysAndValues keys_and_values(size_t layer, const at::Tensor& tokens) const;

  const IpAdapterConfig& config() const { return config_; }

  std::unique_ptr<ImageProjection> image_proj;
  std::vector<std::unique_ptr<PictureAttention>> layers;  // "ip_adapter.1", "ip_adapter.3", ...

 private:
  IpAdapterConfig config_;
};

}  // namespace fjord::models
