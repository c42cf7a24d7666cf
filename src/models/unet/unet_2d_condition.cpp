#include "models/unet/unet_2d_condition.h"

#include "core/check.h"

#include <algorithm>
#include <string_view>

namespace fjord::models {
namespace {

// Whether the block type attends to the text; throws for types that fjord does not have.
bool has_attention(const std::string& type, std::string_view attending, std::string_view plain) {
  check(type == attending || type == plain, ErrorCode::kUnsupported, "U-Net block type must be ", attending, " or ",
        plain, ", got ", quoted(type));
  return type == attending;
}

nn::Conv2dOptions same_size(std::int64_t kernel) { return {.kernel = kernel, .padding = (kernel - 1) / 2}; }

// One number for all layers of a level, or one per layer.
std::vector<std::int64_t> per_layer(const std::vector<std::int64_t>& numbers, std::int64_t layers) {
  if (numbers.size() == 1) return std::vector<std::int64_t>(static_cast<size_t>(layers), numbers[0]);
  check(static_cast<std::int64_t>(numbers.size()) >= layers, ErrorCode::kBadFile,
        "transformer_layers_per_block has a level with ", numbers.size(), " entries, the block has ", layers,
        " layers");
  return numbers;
}

}  // namespace

UNet2DConditionModel::UNet2DConditionModel(const config::UNet& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}),
      config_(config),
      conv_in(child("conv_in"), config.in_channels, config.block_out_channels.front(),
              same_size(config.conv_in_kernel)),
      down_blocks(child("down_blocks")),
      up_blocks(child("up_blocks")),
      conv_out(child("conv_out"), config.block_out_channels.front(), config.out_channels,
               same_size(config.conv_out_kernel)) {
  build_time_embedding();
  build_blocks();
  if (config.norm_num_groups) {
    conv_norm_out.emplace(child("conv_norm_out"), *config.norm_num_groups, config.block_out_channels.front(),
                          config.norm_eps);
  }
}

void UNet2DConditionModel::build_time_embedding() {
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

void UNet2DConditionModel::build_blocks() {
  const auto levels = config_.block_out_channels.size();
  check(config_.down_block_types.size() == levels && config_.up_block_types.size() == levels, ErrorCode::kBadFile,
        "down_block_types and up_block_types need one entry for each of the ", levels, " block_out_channels");
  for (size_t level = 0; level < levels; ++level) down_blocks.append(down_config(level));
  if (config_.mid_block_type) mid_block.emplace(child("mid_block"), mid_config());
  for (size_t step = 0; step < levels; ++step) up_blocks.append(up_config(step));
}

UNetBlockConfig UNet2DConditionModel::level_config(size_t level) const {
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
                                          .finest = level == finest_attention()};
  block.out_channels = config_.block_out_channels[level];
  block.downsample_padding = config_.downsample_padding;
  return block;
}

// The first level whose down block attends to the text; the number of levels if there is none.
size_t UNet2DConditionModel::finest_attention() const {
  const auto& types = config_.down_block_types;
  return static_cast<size_t>(std::find(types.begin(), types.end(), "CrossAttnDownBlock2D") - types.begin());
}

UNetBlockConfig UNet2DConditionModel::down_config(size_t level) const {
  auto block = level_config(level);
  block.in_channels = config_.block_out_channels[level == 0 ? 0 : level - 1];
  block.num_layers = config_.layers_per_block[level];
  block.transformer_layers = per_layer(config_.transformer_layers_per_block[level], block.num_layers);
  block.resample = level + 1 < config_.block_out_channels.size();
  if (!has_attention(config_.down_block_types[level], "CrossAttnDownBlock2D", "DownBlock2D")) block.transformer.reset();
  return block;
}

UNetBlockConfig UNet2DConditionModel::mid_config() const {
  auto block = level_config(config_.block_out_channels.size() - 1);
  block.in_channels = block.out_channels;
  block.transformer_layers = config_.transformer_layers_per_block.back();
  if (!has_attention(*config_.mid_block_type, "UNetMidBlock2DCrossAttn", "UNetMidBlock2D")) block.transformer.reset();
  block.resnet.output_scale_factor = config_.mid_block_scale_factor;
  if (block.transformer) block.transformer->only_cross_attention = false;
  return block;
}

// Step 0 of the way up stands at the deepest level.
UNetBlockConfig UNet2DConditionModel::up_config(size_t step) const {
  const auto levels = config_.block_out_channels.size();
  const auto level = levels - 1 - step;
  auto block = level_config(level);
  block.in_channels = config_.block_out_channels[level == 0 ? 0 : level - 1];
  block.previous_channels = config_.block_out_channels[std::min(level + 1, levels - 1)];
  block.num_layers = config_.layers_per_block[level] + 1;
  const auto& reversed = config_.reverse_transformer_layers_per_block;
  block.transformer_layers =
      per_layer(reversed.empty() ? config_.transformer_layers_per_block[level] : reversed[step], block.num_layers);
  block.resample = level > 0;
  if (!has_attention(config_.up_block_types[step], "CrossAttnUpBlock2D", "UpBlock2D")) block.transformer.reset();
  return block;
}

size_t UNet2DConditionModel::skip_connections() const {
  size_t count = 0;
  for (const auto& block : up_blocks) count += block->resnets.size();
  return count;
}

at::Tensor UNet2DConditionModel::forward(const UNetInput& input) const {
  // A size that does not halve evenly all the way down is restored from the skips' sizes on the way up.
  const std::int64_t factor = std::int64_t{1} << (down_blocks.size() - 1);
  const bool explicit_sizes = input.sample.size(2) % factor != 0 || input.sample.size(3) % factor != 0;

  const ops::WrapScope wrap(input.wrap);
  const auto context = layer_context(input);
  auto hidden = conv_in.forward(config_.center_input_sample ? 2 * input.sample - 1.0 : input.sample);
  std::vector<at::Tensor> skips{hidden};
  for (const auto& block : down_blocks) hidden = block->forward(hidden, context, skips);
  if (input.shortcuts.reuse_deep) {
    hidden = last_rows(input.memory->deep, context.batch);
  } else if (mid_block) {
    hidden = mid_block->forward(hidden, context);
  }
  hidden = run_up_blocks(hidden, context, skips, explicit_sizes);
  if (conv_norm_out) hidden = conv_norm_out->forward(hidden, nn::parse_activation(config_.act_fn));
  return conv_out.forward(hidden);
}

// Begins at the layer that takes the last of `skips`; on a whole way that is the first layer of all.
at::Tensor UNet2DConditionModel::run_up_blocks(at::Tensor hidden, const LayerContext& context,
                                               std::vector<at::Tensor>& skips, bool explicit_sizes) const {
  auto later = skip_connections();  // skips for the blocks after this one
  size_t step = 0;
  for (const auto& block : up_blocks) {
    UpWay way{.step = step++};
    const auto layers = block->resnets.size();
    later -= layers;
    if (skips.size() <= later) continue;
    way.first_layer = layers - (skips.size() - later);
    if (explicit_sizes && later > 0) way.size = ImageSize{skips[later - 1].size(2), skips[later - 1].size(3)};
    hidden = block->forward(hidden, context, skips, way);
  }
  return hidden;
}

}  // namespace fjord::models
