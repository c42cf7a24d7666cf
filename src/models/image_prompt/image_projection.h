// From what an image encoder saw of a picture to the tokens that the U-Net's layers attend to: the first half of an
// IP-Adapter. Reference: diffusers ImageProjection, IPAdapterFullImageProjection; arXiv:2308.06721.
#pragma once

#include "nn/layers.h"

#include <cstdint>

namespace fjord::models {

enum class ProjectionKind {
  kWhole,      // the picture's one vector becomes some tokens
  kPatches,    // every patch of the picture becomes a token ("full")
  kResampler,  // some tokens look at all patches ("plus"); image_resampler.h
};

struct ProjectionConfig {
  ProjectionKind kind = ProjectionKind::kWhole;
  std::int64_t image_features = 0;  // that the image encoder gives: of the whole, or of a patch
  std::int64_t text_features = 0;   // of a token, as the U-Net's text has
  std::int64_t tokens = 0;          // of a picture
  // Of a resampler:
  std::int64_t hidden_features = 0;
  std::int64_t heads = 0;  // of 64 features each
  std::int64_t depth = 0;
};

class ImageProjection : public nn::Module {
 public:
  using Module::Module;
  // [pictures, image_features], or [pictures, patches, image_features] -> [pictures, tokens, text_features].
  virtual at::Tensor forward(const at::Tensor& states) const = 0;
};

class WholeProjection : public ImageProjection {
 public:
  WholeProjection(const nn::Place& place, const ProjectionConfig& config);
  at::Tensor forward(const at::Tensor& states) const override;

  nn::Linear proj;
  nn::LayerNorm norm;

 private:
  std::int64_t tokens_;
};

class PatchProjection : public ImageProjection {
 public:
  PatchProjection(const nn::Place& place, const ProjectionConfig& config);
  at::Tensor forward(const at::Tensor& states) const override;

  nn::Linear proj_0, proj_2;  // "proj.0", "proj.2"
  nn::LayerNorm proj_3;       // "proj.3"
};

}  // namespace fjord::models
