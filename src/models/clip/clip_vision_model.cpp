#include "models/clip/clip_vision_model.h"

#include "core/check.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

namespace fjord::models {

ClipVisionModel::ClipVisionModel(const config::ClipVision& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}),
      patch_embedding(child("embeddings.patch_embedding"), 3, config.hidden_size,
                      {.kernel = config.patch_size, .stride = config.patch_size}),
      position_embedding(child("embeddings.position_embedding"), config.tokens(), config.hidden_size),
      pre_layernorm(child("pre_layrnorm"), config.hidden_size, config.layer_norm_eps),
      layers(child("encoder.layers")),
      post_layernorm(child("post_layernorm"), config.hidden_size, config.layer_norm_eps),
      visual_projection(child("visual_projection"), config.hidden_size, config.projection_dim, /*with_bias=*/false),
      config_(config) {
  parameter(class_embedding, "embeddings.class_embedding", {config.hidden_size});
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) layers.append(ClipLayerConfig(config));
}

at::Tensor ClipVisionModel::embed(const at::Tensor& pixels) const {
  const auto patches = patch_embedding.forward(pixels).flatten(2).transpose(1, 2);
  const auto whole = class_embedding.expand({pixels.size(0), 1, -1});
  const auto positions = at::arange(config_.tokens(), pixels.options().dtype(at::kLong));
  return at::cat({whole, patches}, 1) + position_embedding.forward(positions);
}

ClipVisionOutput ClipVisionModel::forward(const at::Tensor& pixels) const {
  check(pixels.dim() == 4 && pixels.size(2) == config_.image_size && pixels.size(3) == config_.image_size,
        ErrorCode::kInvalidArgument, "the image encoder takes pictures of ", config_.image_size, "x",
        config_.image_size, " pixels, got ", pixels.sizes());
  ClipVisionOutput out;
  auto hidden = pre_layernorm.forward(embed(pixels));
  for (const auto& layer : layers) {
    out.penultimate = hidden;
    hidden = layer->forward(hidden);
  }
  out.image_embeds = visual_projection.forward(post_layernorm.forward(hidden.select(1, 0).contiguous()));
  return out;
}

}  // namespace fjord::models
