// Whether the parts of a model belong together, and what follows from them.
#include "core/check.h"
#include "pipeline/model.h"
#include "pipeline/size_conditions.h"
#include "schedulers/make_scheduler.h"

#include <algorithm>

namespace fjord::pipeline {
namespace {

constexpr int kMaxSize = 8192;  // pixels a side

void check_tokens(const TextEncoder& encoder, const std::string& folder) {
  const auto& tokenizer = *encoder.tokenizer;
  check(tokenizer.vocabulary_size() <= encoder.config.vocab_size, ErrorCode::kBadFile, folder,
        ": the tokenizer has ids up to ", tokenizer.vocabulary_size() - 1, ", the text encoder knows ",
        encoder.config.vocab_size);
  check(tokenizer.max_length() <= encoder.config.max_position_embeddings, ErrorCode::kBadFile, folder,
        ": the tokenizer gives ", tokenizer.max_length(), " tokens, the text encoder takes ",
        encoder.config.max_position_embeddings);
}

void check_text(const Model& model) {
  std::int64_t features = 0;
  for (size_t i = 0; i < model.text_encoders.size(); ++i) {
    check_tokens(model.text_encoders[i], model.family.text_encoders[i]);
    features += model.text_encoders[i].config.hidden_size;
    check(model.text_encoders[i].tokenizer->max_length() == model.text_encoders[0].tokenizer->max_length(),
          ErrorCode::kBadFile, "expected tokenizers that give equally many tokens, got ",
          model.text_encoders[0].tokenizer->max_length(), " and ", model.text_encoders[i].tokenizer->max_length());
  }
  check(features == text_features(model), ErrorCode::kBadFile, "the text encoders give ", features,
        " features, the U-Net expects ", text_features(model));
}

// The U-Net's other conditions: pooled text and sizes where the family has them, nothing else.
void check_conditions(const Model& model) {
  const auto& unet = model.unet->config();
  check(!unet.class_embed_type && !unet.num_class_embeds, ErrorCode::kUnsupported,
        "a text-to-image model must have a U-Net without class conditions");
  const bool has_sizes = unet.addition_embed_type.has_value();
  check(has_sizes == model.family.pooled_text, ErrorCode::kBadFile, "the pipeline's class expects a U-Net ",
        model.family.pooled_text ? "with" : "without", " pooled text and sizes (addition_embed_type), got one ",
        has_sizes ? "with" : "without");
  if (!has_sizes) return;
  const auto& pooled = model.text_encoders.back().config;
  check(pooled.architecture == "CLIPTextModelWithProjection", ErrorCode::kBadFile,
        "the last text encoder must be a CLIPTextModelWithProjection, got ", quoted(pooled.architecture));
  const auto given = pooled.projection_dim + size_count(model.family) * *unet.addition_time_embed_dim;
  check(given == *unet.projection_class_embeddings_input_dim, ErrorCode::kBadFile,
        "the text encoder's pooled text and ", size_count(model.family), " sizes make ", given,
        " features, the U-Net expects ", *unet.projection_class_embeddings_input_dim,
        "; requires_aesthetics_score in model_index.json tells 5 sizes from 6");
}

// Inpainting U-Nets take the latents, the mask and the latents of the masked picture.
bool sees_mask(const Model& model) {
  return model.unet->config().in_channels == 2 * model.vae->config().latent_channels + 1;
}

// U-Nets that change a picture as the prompt says take the latents and those of the picture.
bool sees_picture(const Model& model) {
  return model.unet->config().in_channels == 2 * model.vae->config().latent_channels;
}

void check_latents(const Model& model) {
  const auto channels = model.vae->config().latent_channels;
  const auto& unet = model.unet->config();
  const bool fits = unet.in_channels == channels || sees_mask(model) || sees_picture(model);
  check(fits && unet.out_channels == channels, ErrorCode::kUnsupported, "expected a U-Net with ", channels,
        " channels, as the VAE's latents have, or ", 2 * channels + 1, " in for inpainting, or ", 2 * channels,
        " in for changing pictures, got ", unet.in_channels, " in and ", unet.out_channels, " out");
}

// Layers that can be left out so that one remains.
std::int64_t skippable_layers(const Model& model) {
  std::int64_t layers = model.text_encoders[0].config.num_hidden_layers;
  for (const auto& encoder : model.text_encoders) layers = std::min(layers, encoder.config.num_hidden_layers);
  return std::max<std::int64_t>(0, layers - (model.family.pooled_text ? 2 : 1));
}

}  // namespace

std::int64_t text_features(const Model& model) {
  const auto& unet = model.unet->config();
  return unet.encoder_hid_dim.value_or(unet.cross_attention_dim.front());
}

std::int64_t pooled_features(const Model& model) {
  return model.family.pooled_text ? model.text_encoders.back().config.projection_dim : 0;
}

void check_fit(const Model& model) {
  check_text(model);
  check_conditions(model);
  check_latents(model);
}

PipelineInfo describe(const Model& model) {
  PipelineInfo info;
  info.device = model.device.str();
  const auto factor = static_cast<int>(model.vae->factor());
  const auto& sample_size = model.unet->config().sample_size;
  info.height = factor * static_cast<int>(sample_size.empty() ? 64 : sample_size.front());
  info.width = factor * static_cast<int>(sample_size.empty() ? 64 : sample_size.back());
  info.size_multiple = factor;
  info.max_size = kMaxSize / factor * factor;
  info.max_steps = static_cast<int>(schedulers::make_scheduler(model.scheduler)->num_train_timesteps());
  info.steps = std::min(model.family.steps, info.max_steps);
  info.guidance = model.family.guidance;
  info.scheduler = model.scheduler.class_name;
  info.needs_mask = sees_mask(model);
  info.needs_image = sees_picture(model);
  info.latent_channels = static_cast<int>(model.vae->config().latent_channels);
  info.skip_connections = static_cast<int>(model.unet->skip_connections());
  info.max_tokens = static_cast<int>(model.text_encoders[0].tokenizer->max_length());
  info.text_encoders = static_cast<int>(model.text_encoders.size());
  info.max_clip_skip = static_cast<int>(skippable_layers(model));
  info.size_conditions = model.family.pooled_text;
  info.aesthetic_score = model.family.aesthetic_score;
  return info;
}

}  // namespace fjord::pipeline
