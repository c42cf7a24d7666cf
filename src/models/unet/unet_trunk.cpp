#include "models/unet/unet_trunk.h"

#include "core/check.h"

#include <algorithm>
#include <utility>

namespace fjord::models {

UNetTrunk::UNetTrunk(const config::UNet& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}),
      config_(config),
      conv_in(child("conv_in"), config.in_channels, config.block_out_channels.front(),
              {.kernel = config.conv_in_kernel, .padding = (config.conv_in_kernel - 1) / 2}),
      down_blocks(child("down_blocks")) {
  build_time_embedding();
  const auto levels = config_.block_out_channels.size();
  check(config_.down_block_types.size() == levels, ErrorCode::kBadFile,
        "down_block_types needs one entry for each of the ", levels, " block_out_channels");
  for (size_t level = 0; level < levels; ++level) down_blocks.append(down_config(level));
  if (config_.mid_block_type) mid_block.emplace(child("mid_block"), mid_config());
}

void UNetTrunk::build_time_embedding() {
  const auto first = config_.block_out_channels.front();
  const bool fourier = config_.time_embedding_type == "fourier";
  check(fourier || config_.time_embedding_type == "positional", ErrorCode::kUnsupported,
        "time_embedding_type must be positional or fourier, got ", quoted(config_.time_embedding_type));
  time_dim_ = config_.time_embedding_dim.value_or(first * (fourier ? 2 : 4));
  const auto input_dim = fourier ? time_dim_ : first;
  if (fourier) time_proj.emplace(child("time_proj"), time_dim_ / 2, config_.flip_sin_to_cos);
  time_embedding.emplace(child("time_embedding"),
                         TimestepEmbeddingConfig{input_dim, time_dim_, config_.act_fn, config_.timestep_post_act,
                                                 config_.time_cond_proj_dim});
  class_embedding.emplace(child("class_embedding"), config_, input_dim, time_dim_);
  if (config_.encoder_hid_dim_type) {
    check(*config_.encoder_hid_dim_type == "text_proj" && config_.encoder_hid_dim, ErrorCode::kUnsupported,
          "encoder_hid_dim_type must be text_proj with encoder_hid_dim, got ", quoted(*config_.encoder_hid_dim_type));
    encoder_hid_proj.emplace(child("encoder_hid_proj"), *config_.encoder_hid_dim, config_.cross_attention_dim.front());
  }
  if (!config_.addition_embed_type) return;
  check(*config_.addition_embed_type == "text_time" && config_.addition_time_embed_dim &&
            config_.projection_class_embeddings_input_dim,
        ErrorCode::kUnsupported, "addition_embed_type must be text_time with addition_time_embed_dim and ",
        "projection_class_embeddings_input_dim, got ", quoted(*config_.addition_embed_type));
  add_embedding.emplace(
      child("add_embedding"),
      TimestepEmbeddingConfig{*config_.projection_class_embeddings_input_dim, time_dim_, "silu", {}, {}});
}

bool UNetTrunk::has_attention(const std::string& type, std::string_view attending, std::string_view plain) {
  check(type == attending || type == plain, ErrorCode::kUnsupported, "U-Net block type must be ", attending, " or ",
        plain, ", got ", quoted(type));
  return type == attending;
}

std::vector<std::int64_t> UNetTrunk::per_layer(const std::vector<std::int64_t>& numbers, std::int64_t layers) {
  if (numbers.size() == 1) return std::vector<std::int64_t>(static_cast<size_t>(layers), numbers[0]);
  check(static_cast<std::int64_t>(numbers.size()) >= layers, ErrorCode::kBadFile,
        "transformer_layers_per_block has a level with ", numbers.size(), " entries, the block has ", layers,
        " layers");
  return numbers;
}

UNetBlockConfig UNetTrunk::level_config(size_t level) const {
  UNetBlockConfig block;
  const auto groups = config_.norm_num_groups.value_or(32);
  block.resnet = {.temb_channels = config_.class_embeddings_concat ? 2 * time_dim_ : time_dim_,
                  .groups = groups,
                  .eps = config_.norm_eps,
                  .act_fn = config_.act_fn,
                  .scale_shift = config_.resnet_time_scale_shift == "scale_shift"};
  check(block.resnet.scale_shift || config_.resnet_time_scale_shift == "default", ErrorCode::kUnsupported,
        "resnet_time_scale_shift must be default or scale_shift, got ", quoted(config_.resnet_time_scale_shift));
  block.transformer = Transformer2DConfig{.channels = config_.block_out_channels[level],
                                          .num_heads = config_.num_attention_heads[level],
                                          .cross_attention_dim = config_.cross_attention_dim[level],
                                          .norm_num_groups = groups,
                                          .use_linear_projection = config_.use_linear_projection,
                                          .only_cross_attention = config_.only_cross_attention[level],
                                          .upcast_attention = config_.upcast_attention,
                                          .rounded_attention = config_.round_inputs,
                                          .finest = level == finest_attention()};
  block.out_channels = config_.block_out_channels[level];
  block.downsample_padding = config_.downsample_padding;
  return block;
}

// The first level whose down block attends to the text; the number of levels if there is none.
size_t UNetTrunk::finest_attention() const {
  const auto& types = config_.down_block_types;
  return static_cast<size_t>(std::find(types.begin(), types.end(), "CrossAttnDownBlock2D") - types.begin());
}

UNetBlockConfig UNetTrunk::down_config(size_t level) const {
  auto block = level_config(level);
  block.in_channels = config_.block_out_channels[level == 0 ? 0 : level - 1];
  block.num_layers = config_.layers_per_block[level];
  block.transformer_layers = per_layer(config_.transformer_layers_per_block[level], block.num_layers);
  block.resample = level + 1 < config_.block_out_channels.size();
  if (!has_attention(config_.down_block_types[level], "CrossAttnDownBlock2D", "DownBlock2D")) block.transformer.reset();
  return block;
}

UNetBlockConfig UNetTrunk::mid_config() const {
  auto block = level_config(config_.block_out_channels.size() - 1);
  block.in_channels = block.out_channels;
  block.transformer_layers = config_.transformer_layers_per_block.back();
  if (!has_attention(*config_.mid_block_type, "UNetMidBlock2DCrossAttn", "UNetMidBlock2D")) block.transformer.reset();
  block.resnet.output_scale_factor = config_.mid_block_scale_factor;
  if (block.transformer) block.transformer->only_cross_attention = false;
  return block;
}

at::Tensor UNetTrunk::run_down_blocks(at::Tensor hidden, const LayerContext& context,
                                      const std::vector<at::Tensor>& levels, std::vector<at::Tensor>& skips) const {
  skips.push_back(hidden);
  size_t level = 0;
  for (const auto& block : down_blocks) {
    hidden = block->forward(hidden, context, skips, level < levels.size() ? levels[level] : at::Tensor());
    ++level;
  }
  return hidden;
}

}  // namespace fjord::models
