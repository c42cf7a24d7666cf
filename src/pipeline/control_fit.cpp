// Whether a control network belongs to a model's U-Net.
#include "core/check.h"
#include "pipeline/control_set.h"

namespace fjord::pipeline {
namespace {

void check_levels(const config::UNet& control, const config::UNet& unet, const std::string& where) {
  check(control.block_out_channels == unet.block_out_channels, ErrorCode::kBadFile, where,
        ": expected a ControlNet for a U-Net with the channels ", at::IntArrayRef(unet.block_out_channels),
        ", as the model has, got one for ", at::IntArrayRef(control.block_out_channels));
  check(control.layers_per_block == unet.layers_per_block, ErrorCode::kBadFile, where,
        ": expected a ControlNet with the layers ", at::IntArrayRef(unet.layers_per_block),
        " in its levels, as the model's U-Net has, got ", at::IntArrayRef(control.layers_per_block));
}

void check_conditions(const config::UNet& control, const Model& model, const std::string& where) {
  check(!control.class_embed_type && !control.num_class_embeds, ErrorCode::kUnsupported, where,
        ": expected a ControlNet without class conditions");
  check(!control.encoder_hid_dim_type, ErrorCode::kUnsupported, where,
        ": expected a ControlNet without a projection of the text (encoder_hid_dim_type)");
  const auto text = control.cross_attention_dim.front();
  check(text == text_features(model), ErrorCode::kBadFile, where, ": expected a ControlNet for text of ",
        text_features(model), " features, as the model has, got one for ", text);
  if (!control.addition_embed_type) return;
  const auto& unet = model.unet->config();
  check(unet.addition_embed_type.has_value(), ErrorCode::kBadFile, where,
        " expects pooled text and sizes (addition_embed_type), which this model does not have");
  check(control.projection_class_embeddings_input_dim == unet.projection_class_embeddings_input_dim &&
            control.addition_time_embed_dim == unet.addition_time_embed_dim,
        ErrorCode::kBadFile, where, ": expected a ControlNet for ",
        unet.projection_class_embeddings_input_dim.value_or(0),
        " features of pooled text and sizes, as the model's U-Net, got one for ",
        control.projection_class_embeddings_input_dim.value_or(0));
}

void check_picture_channels(std::int64_t channels, const std::string& where) {
  check(channels == 1 || channels == 3, ErrorCode::kUnsupported, where,
        ": expected a network that sees pictures of 1 or 3 channels, got ", channels);
}

std::int64_t halved(std::int64_t times) { return std::int64_t{1} << times; }

// What a map of each level of the U-Net is like where T2I-Adapters add to it; the last is the bottom's.
std::vector<models::T2IAdapter::Map> expected_maps(const Model& model) {
  const auto& unet = model.unet->config();
  const auto levels = unet.block_out_channels.size();
  std::vector<models::T2IAdapter::Map> out;
  for (size_t level = 0; level < levels; ++level) {
    const bool before_halving = unet.down_block_types[level] == "CrossAttnDownBlock2D" || level + 1 == levels;
    const auto halvings = static_cast<std::int64_t>(level) + (before_halving ? 0 : 1);
    out.push_back({unet.block_out_channels[level], model.vae->factor() * halved(halvings)});
  }
  out.push_back({unet.block_out_channels.back(), model.vae->factor() * halved(static_cast<std::int64_t>(levels) - 1)});
  return out;
}

std::string listed(const std::vector<models::T2IAdapter::Map>& maps) {
  std::string out;
  for (const auto& map : maps) {
    out += (out.empty() ? "" : ", ") + concat(map.channels, " channels at 1/", map.factor);
  }
  return out;
}

}  // namespace

void check_control_fit(const config::ControlNet& control, const Model& model, const std::string& where) {
  const auto latents = model.vae->config().latent_channels;
  const auto& unet = model.unet->config();
  check(unet.in_channels == latents || model.info.needs_mask, ErrorCode::kUnsupported,
        "ControlNets are for models that start from noise or paint into pictures; this model's U-Net sees ",
        unet.in_channels, " channels");
  check_levels(control.unet, unet, where);
  check_conditions(control.unet, model, where);
  check(control.unet.in_channels == latents, ErrorCode::kBadFile, where, ": expected a ControlNet that sees ", latents,
        " channels, as the model's latents have, got ", control.unet.in_channels);
  check_picture_channels(control.conditioning_channels, where);
  const auto factor = halved(static_cast<std::int64_t>(control.conditioning_embedding_out_channels.size()) - 1);
  check(factor == model.vae->factor(), ErrorCode::kBadFile, where,
        ": expected conditioning_embedding_out_channels that make a picture smaller by ", model.vae->factor(),
        ", as the model's latents are, got ", factor);
}

void check_control_fit(const config::T2IAdapter& adapter, const Model& model, const std::string& where) {
  check_picture_channels(adapter.in_channels, where);
  auto wanted = expected_maps(model);
  const auto maps = models::T2IAdapter::maps(adapter);
  if (maps.size() + 1 == wanted.size()) wanted.pop_back();
  check(maps == wanted, ErrorCode::kBadFile, where, ": expected a T2I-Adapter for this model's U-Net, which takes ",
        listed(wanted), "; got one that gives ", listed(maps));
}

}  // namespace fjord::pipeline
