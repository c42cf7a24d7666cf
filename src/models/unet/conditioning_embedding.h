// What a U-Net is told besides the noisy sample and the text: class labels and SDXL's sizes.
// Reference: diffusers UNet2DConditionModel.get_class_embed and get_aug_embed.
#pragma once

#include "config/unet.h"
#include "models/unet/timestep_embedding.h"

namespace fjord::models {

// The module behind the key "class_embedding", by class_embed_type and num_class_embeds.
class ClassEmbedding {
 public:
  // Registers its layers at `place`. `time_dim` is the width of the time embedding.
  ClassEmbedding(const nn::Place& place, const config::UNet& config, std::int64_t time_input_dim,
                 std::int64_t time_dim);

  bool exists() const { return exists_; }
  // labels: int64 [batch] for a table, float32 [batch] for "timestep", [batch, features] for the projections.
  // Gives [batch, time_dim].
  at::Tensor forward(const at::Tensor& labels, at::ScalarType dtype) const;

 private:
  bool exists_ = false;
  std::optional<nn::Embedding> table_;
  std::optional<TimestepEmbedding> two_layers_;
  std::optional<nn::Linear> one_layer_;
  std::optional<SinusoidConfig> sinusoid_;
};

}  // namespace fjord::models
