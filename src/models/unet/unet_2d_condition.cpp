#include "models/unet/unet_2d_condition.h"

#include "core/check.h"
#include "models/unet/text_attentions.h"

#include <algorithm>
#include <utility>

namespace fjord::models {

UNet2DConditionModel::UNet2DConditionModel(const config::UNet& config, const at::TensorOptions& options)
    : UNetTrunk(config, options),
      up_blocks(child("up_blocks")),
      conv_out(child("conv_out"), config.block_out_channels.front(), config.out_channels,
               {.kernel = config.conv_out_kernel, .padding = (config.conv_out_kernel - 1) / 2}) {
  const auto levels = config.block_out_channels.size();
  check(config.up_block_types.size() == levels, ErrorCode::kBadFile, "up_block_types needs one entry for each of the ",
        levels, " block_out_channels");
  for (size_t step = 0; step < levels; ++step) up_blocks.append(up_config(step));
  if (config.norm_num_groups) {
    conv_norm_out.emplace(child("conv_norm_out"), *config.norm_num_groups, config.block_out_channels.front(),
                          config.norm_eps);
  }
}

// Step 0 of the way up stands at the deepest level.
UNetBlockConfig UNet2DConditionModel::up_config(size_t step) const {
  const auto levels = config().block_out_channels.size();
  const auto level = levels - 1 - step;
  auto block = level_config(level);
  block.in_channels = config().block_out_channels[level == 0 ? 0 : level - 1];
  block.previous_channels = config().block_out_channels[std::min(level + 1, levels - 1)];
  block.num_layers = config().layers_per_block[level] + 1;
  const auto& reversed = config().reverse_transformer_layers_per_block;
  block.transformer_layers =
      per_layer(reversed.empty() ? config().transformer_layers_per_block[level] : reversed[step], block.num_layers);
  block.resample = level > 0;
  if (!has_attention(config().up_block_types[step], "CrossAttnUpBlock2D", "UpBlock2D")) block.transformer.reset();
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
  auto hidden = conv_in.forward(config().center_input_sample ? 2 * input.sample - 1.0 : input.sample);
  std::vector<at::Tensor> skips;
  hidden = run_down_blocks(std::move(hidden), context, input.signals.levels, skips);
  add_skips(input.signals, skips);
  hidden = run_bottom(std::move(hidden), input, context);
  hidden = run_up_blocks(hidden, context, skips, explicit_sizes);
  if (conv_norm_out) hidden = conv_norm_out->forward(hidden, nn::parse_activation(config().act_fn));
  return conv_out.forward(hidden);
}

void UNet2DConditionModel::remember(const UNetInput& input) const {
  const auto context = layer_context(input);
  for (const auto& [name, layer] : text_attentions(*this)) context.text_keys(*layer);
  const auto keep_times = [&](const nn::ModuleList<ResnetBlock2D>& blocks) {
    for (const auto& block : blocks) context.time(*block);
  };
  for (const auto& block : down_blocks) keep_times(block->resnets);
  if (mid_block) keep_times(mid_block->resnets);
  for (const auto& block : up_blocks) keep_times(block->resnets);
}

// What is kept from below has what was added there.
at::Tensor UNet2DConditionModel::run_bottom(at::Tensor hidden, const UNetInput& input,
                                            const LayerContext& context) const {
  if (input.shortcuts.reuse_deep) return last_rows(input.memory->deep, context.batch);
  if (mid_block) hidden = mid_block->forward(hidden, context);
  const auto& [skips, middle, levels] = input.signals;
  if (levels.size() > down_blocks.size()) hidden = hidden + levels.back();
  return middle.defined() ? hidden + middle : hidden;
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
