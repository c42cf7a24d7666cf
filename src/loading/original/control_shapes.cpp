#include "loading/original/control_shapes.h"

#include "core/check.h"
#include "loading/original/tensor_shapes.h"

namespace fjord::loading {
namespace {

std::string at(const std::string& list, std::int64_t index) { return list + "." + std::to_string(index); }

std::vector<std::int64_t> depths_of(const TensorShapes& shapes, const std::string& block) {
  std::vector<std::int64_t> depths;
  for (std::int64_t i = 0; i < shapes.count(block + ".attentions"); ++i) {
    depths.push_back(shapes.count(at(block + ".attentions", i) + ".transformer_blocks"));
  }
  return depths.empty() ? std::vector<std::int64_t>{1} : depths;
}

void read_levels(const TensorShapes& shapes, config::UNet& unet) {
  const auto levels = shapes.count("down_blocks");
  check(levels == static_cast<std::int64_t>(unet.block_out_channels.size()), ErrorCode::kBadFile, shapes.where(),
        " has ", levels, " levels, the model's U-Net has ", unet.block_out_channels.size());
  for (std::int64_t level = 0; level < levels; ++level) {
    const auto i = static_cast<size_t>(level);
    const auto block = at("down_blocks", level);
    unet.block_out_channels[i] = shapes.size(block + ".resnets.0.conv1.weight", 0);
    unet.layers_per_block[i] = shapes.count(block + ".resnets");
    unet.down_block_types[i] = shapes.has(block + ".attentions.") ? "CrossAttnDownBlock2D" : "DownBlock2D";
    unet.transformer_layers_per_block[i] = depths_of(shapes, block);
  }
  // The bottom has the last level's number, which means nothing else where that level has no transformer.
  if (!shapes.has(at("down_blocks", levels - 1) + ".attentions.")) {
    unet.transformer_layers_per_block.back() = depths_of(shapes, "mid_block");
  }
  unet.mid_block_type = shapes.has("mid_block.attentions.") ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D";
}

// What transformers show, if there are any.
void read_attention(const AssembledTensors& tensors, config::UNet& unet) {
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(".proj_in.weight")) unet.use_linear_projection = tensor.shape.size() == 2;
    if (name.ends_with(".attn2.to_k.weight") && tensor.shape.size() == 2) {
      unet.cross_attention_dim.assign(unet.cross_attention_dim.size(), tensor.shape[1]);
    }
  }
}

void read_conditions(const TensorShapes& shapes, config::UNet& unet) {
  unet.center_input_sample = false;
  unet.time_cond_proj_dim.reset();
  unet.class_embed_type.reset();
  unet.num_class_embeds.reset();
  if (!shapes.has("encoder_hid_proj.")) {
    unet.encoder_hid_dim_type.reset();
    unet.encoder_hid_dim.reset();
  }
  const bool has_sizes = shapes.has("add_embedding.");
  unet.addition_embed_type = has_sizes ? std::optional<std::string>("text_time") : std::nullopt;
  if (!has_sizes) return;
  constexpr std::int64_t kSizeFeatures = 256;  // of each number of size and crop
  unet.addition_time_embed_dim = unet.addition_time_embed_dim.value_or(kSizeFeatures);
  unet.projection_class_embeddings_input_dim = shapes.size("add_embedding.linear_1.weight", 1);
}

// Numbers of a pixel times the pixels of a square: 1 or 3, and 8 or 16 a side.
void read_squares(std::int64_t numbers, const TensorShapes& shapes, config::T2IAdapter& adapter) {
  for (const std::int64_t side : {8, 16}) {
    for (const std::int64_t channels : {1, 3}) {
      if (numbers != channels * side * side) continue;
      adapter.in_channels = channels;
      adapter.downscale_factor = side;
      return;
    }
  }
  fail(ErrorCode::kBadFile, shapes.where(),
       ": expected it to see squares of 8 or 16 pixels a side with 1 or 3 channels, got ", numbers,
       " numbers a square");
}

}  // namespace

config::ControlNet controlnet_config_of(const AssembledTensors& tensors, const config::UNet& unet,
                                        const std::string& file) {
  const TensorShapes shapes(tensors, file);
  config::ControlNet out;
  out.unet = unet;
  out.unet.in_channels = shapes.size("conv_in.weight", 1);
  out.unet.conv_in_kernel = 3;
  read_levels(shapes, out.unet);
  read_attention(tensors, out.unet);
  read_conditions(shapes, out.unet);
  const std::string embedding = "controlnet_cond_embedding.";
  out.conditioning_channels = shapes.size(embedding + "conv_in.weight", 1);
  out.conditioning_embedding_out_channels = {shapes.size(embedding + "conv_in.weight", 0)};
  for (std::int64_t i = 1; i < shapes.count(embedding + "blocks"); i += 2) {
    out.conditioning_embedding_out_channels.push_back(shapes.size(at(embedding + "blocks", i) + ".weight", 0));
  }
  return out;
}

config::T2IAdapter t2i_adapter_config_of(const AssembledTensors& tensors, const std::string& file) {
  const TensorShapes shapes(tensors, file);
  config::T2IAdapter out;
  const std::string body = "adapter.body";
  const bool light = shapes.has(at(body, 0) + ".out_conv.");
  read_squares(shapes.size(light ? at(body, 0) + ".in_conv.weight" : "adapter.conv_in.weight", 1), shapes, out);
  out.num_res_blocks = shapes.count(at(body, 0) + ".resnets");
  out.channels.clear();
  for (std::int64_t i = 0; i < shapes.count(body); ++i) {
    out.channels.push_back(shapes.size(at(body, i) + (light ? ".out_conv.weight" : ".resnets.0.block1.weight"), 0));
  }
  if (light) out.channels.pop_back();  // the last block keeps the number
  check(!out.channels.empty(), ErrorCode::kBadFile, shapes.where(), " is not whole: it has no blocks");
  const bool large = out.downscale_factor == 16;
  out.adapter_type = light ? "light_adapter" : (large ? "full_adapter_xl" : "full_adapter");
  return out;
}

}  // namespace fjord::loading
