#include "models/unet/conditioning_embedding.h"

#include "core/check.h"

namespace fjord::models {

ClassEmbedding::ClassEmbedding(const nn::Place& place, const config::UNet& config, std::int64_t time_input_dim,
                               std::int64_t time_dim) {
  const auto type = config.class_embed_type.value_or("");
  exists_ = !type.empty() || config.num_class_embeds.has_value();
  if (!exists_) return;
  if (type.empty()) {
    table_.emplace(place, *config.num_class_embeds, time_dim);
  } else if (type == "timestep") {
    two_layers_.emplace(place, TimestepEmbeddingConfig{time_input_dim, time_dim, config.act_fn, {}, {}});
    sinusoid_ = SinusoidConfig{config.block_out_channels.front(), config.flip_sin_to_cos, config.freq_shift};
  } else if (type == "projection" || type == "simple_projection") {
    check(config.projection_class_embeddings_input_dim.has_value(), ErrorCode::kBadFile, "class_embed_type ", type,
          " needs projection_class_embeddings_input_dim");
    const auto features = *config.projection_class_embeddings_input_dim;
    if (type == "projection") {
      two_layers_.emplace(place, TimestepEmbeddingConfig{features, time_dim, "silu", {}, {}});
    } else {
      one_layer_.emplace(place, features, time_dim);
    }
  } else {
    check(type == "identity", ErrorCode::kUnsupported,
          "class_embed_type must be timestep, identity, projection or simple_projection, got ", quoted(type));
  }
}

at::Tensor ClassEmbedding::forward(const at::Tensor& labels, at::ScalarType dtype) const {
  check(labels.defined(), ErrorCode::kInvalidArgument, "this U-Net needs class labels, and the request has none");
  if (table_) return table_->forward(labels);
  const auto input = sinusoid_ ? sinusoidal_embedding(labels, *sinusoid_).to(dtype) : labels.to(dtype);
  if (two_layers_) return two_layers_->forward(input);
  return one_layer_ ? one_layer_->forward(input) : input;
}

}  // namespace fjord::models
