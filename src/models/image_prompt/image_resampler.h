// Learned tokens that look at every patch of a picture, layer by layer ("IP-Adapter plus").
// Reference: diffusers IPAdapterPlusImageProjection, in the names of the original files; the Perceiver of
// arXiv:2204.14198.
#pragma once

#include "models/image_prompt/image_projection.h"

namespace fjord::models {

class ResamplerLayer : public nn::Module {
 public:
  ResamplerLayer(const nn::Place& place, const ProjectionConfig& config);
  // tokens: [pictures, tokens, hidden_features], which look at `patches` and at themselves -> likewise.
  at::Tensor forward(const at::Tensor& tokens, const at::Tensor& patches) const;

  nn::LayerNorm norm1, norm2;      // of patches and of tokens: "0.norm1", "0.norm2"
  nn::Linear to_q, to_kv, to_out;  // "0.to_q", "0.to_kv", "0.to_out"
  nn::LayerNorm ff_norm;           // "1.0"
  nn::Linear ff_in, ff_out;        // "1.1", "1.3"

 private:
  std::int64_t heads_;
};

class ImageResampler : public ImageProjection {
 public:
  static constexpr std::int64_t kHeadFeatures = 64;

  ImageResampler(const nn::Place& place, const ProjectionConfig& config);
  at::Tensor forward(const at::Tensor& states) const override;

  at::Tensor latents;  // [1, tokens, hidden_features]
  nn::Linear proj_in, proj_out;
  nn::LayerNorm norm_out;
  nn::ModuleList<ResamplerLayer> layers;
};

}  // namespace fjord::models
