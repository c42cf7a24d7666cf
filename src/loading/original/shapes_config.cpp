#include "loading/original/shapes_config.h"

#include "core/check.h"
#include "loading/original/tensor_shapes.h"

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kHeadSize = 64;       // of all text encoders, and of U-Nets with linear projections
constexpr std::int64_t kSmallHeads = 8;      // of other U-Nets, whatever their width
constexpr std::int64_t kSizeFeatures = 256;  // of each number of size and crop

std::string at(const std::string& list, std::int64_t index) { return list + "." + std::to_string(index); }

// Transformer layers of a block, one number where all its transformers have as many; 1 where there is none.
Json transformer_layers(const TensorShapes& shapes, const std::string& block) {
  Json depths = Json::array();
  for (std::int64_t i = 0; i < shapes.count(block + ".attentions"); ++i) {
    depths.push_back(shapes.count(at(block + ".attentions", i) + ".transformer_blocks"));
  }
  if (depths.empty()) return 1;
  const bool equal = depths == Json(depths.size(), depths[0]);
  return equal ? depths[0] : depths;
}

// Lists by level, as the configuration has them.
struct Levels {
  Json channels = Json::array(), heads = Json::array(), layers = Json::array();
  Json down_types = Json::array(), up_types = Json::array();
  Json depths = Json::array(), up_depths = Json::array();
};

Levels levels_of(const TensorShapes& shapes, const Family& family) {
  Levels out;
  const auto levels = shapes.count("down_blocks");
  check(levels > 0 && shapes.count("up_blocks") == levels, ErrorCode::kBadFile, shapes.where(),
        " is not whole: it has ", levels, " blocks down and ", shapes.count("up_blocks"), " up");
  for (std::int64_t level = 0; level < levels; ++level) {
    const auto down = at("down_blocks", level), up = at("up_blocks", level);
    const auto channels = shapes.size(down + ".resnets.0.conv1.weight", 0);
    out.channels.push_back(channels);
    out.heads.push_back(family.linear_projection ? std::max<std::int64_t>(channels / kHeadSize, 1) : kSmallHeads);
    out.layers.push_back(shapes.count(down + ".resnets"));
    out.down_types.push_back(shapes.has(down + ".attentions.") ? "CrossAttnDownBlock2D" : "DownBlock2D");
    out.up_types.push_back(shapes.has(up + ".attentions.") ? "CrossAttnUpBlock2D" : "UpBlock2D");
    out.depths.push_back(transformer_layers(shapes, down));
    out.up_depths.push_back(transformer_layers(shapes, up));
  }
  // The middle has the last level's number, which means nothing else where that level has no transformer.
  if (!shapes.has(at("down_blocks", levels - 1) + ".attentions.")) {
    out.depths.back() = transformer_layers(shapes, "mid_block");
  }
  return out;
}

std::int64_t text_features(const TensorShapes& shapes, const AssembledTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(".attn2.to_k.weight") && tensor.shape.size() == 2) return tensor.shape[1];
  }
  fail(ErrorCode::kBadFile, shapes.where(), " is not whole: expected a tensor \"...attn2.to_k.weight\"");
}

// The up blocks' depths are the down blocks' reversed, unless the configuration says otherwise.
bool is_mirrored(const Levels& levels) {
  const auto count = levels.depths.size();
  for (size_t step = 0; step < count; ++step) {
    const bool attends = levels.up_types[step] == "CrossAttnUpBlock2D";
    if (attends && levels.up_depths[step] != levels.depths[count - 1 - step]) return false;
  }
  return true;
}

}  // namespace

Json unet_config_of(const AssembledTensors& tensors, const Family& family, const std::string& file) {
  const TensorShapes shapes(tensors, file + ": its U-Net");
  const auto levels = levels_of(shapes, family);
  Json config{{"_class_name", "UNet2DConditionModel"},
              {"sample_size", family.size / 8},
              {"in_channels", shapes.size("conv_in.weight", 1)},
              {"out_channels", shapes.size("conv_out.weight", 0)},
              {"block_out_channels", levels.channels},
              {"down_block_types", levels.down_types},
              {"up_block_types", levels.up_types},
              {"layers_per_block", levels.layers},
              {"attention_head_dim", levels.heads},  // the reference's name for the number of heads
              {"transformer_layers_per_block", levels.depths},
              {"cross_attention_dim", text_features(shapes, tensors)},
              {"use_linear_projection", family.linear_projection}};
  if (levels.layers == Json(levels.layers.size(), levels.layers[0])) config["layers_per_block"] = levels.layers[0];
  if (!family.linear_projection) config["attention_head_dim"] = kSmallHeads;
  if (!is_mirrored(levels)) config["reverse_transformer_layers_per_block"] = levels.up_depths;
  if (!shapes.has("mid_block.")) config["mid_block_type"] = nullptr;
  if (family.linear_projection && family.size_ids == 0) config["upcast_attention"] = true;
  if (!shapes.has("add_embedding.")) return config;
  config["addition_embed_type"] = "text_time";
  config["addition_time_embed_dim"] = kSizeFeatures;
  config["projection_class_embeddings_input_dim"] = shapes.size("add_embedding.linear_1.weight", 1);
  return config;
}

Json clip_config_of(const AssembledTensors& tensors, const EncoderPlace& place, const std::string& file) {
  const TensorShapes shapes(tensors, file + ": its text encoder (" + place.prefix + ")");
  const bool bare = !shapes.has("text_model.");  // some old files lack the prefix
  const std::string model = bare ? "" : "text_model.";
  const auto width = shapes.size(model + "embeddings.token_embedding.weight", 1);
  Json config{{"architectures", {place.with_projection ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
              {"model_type", "clip_text_model"},
              {"vocab_size", shapes.size(model + "embeddings.token_embedding.weight", 0)},
              {"hidden_size", width},
              {"intermediate_size", shapes.size(model + "encoder.layers.0.mlp.fc1.weight", 0)},
              {"num_hidden_layers", shapes.count(model + "encoder.layers")},
              {"num_attention_heads", std::max<std::int64_t>(width / kHeadSize, 1)},
              {"max_position_embeddings", shapes.size(model + "embeddings.position_embedding.weight", 0)},
              {"hidden_act", place.openclip ? "gelu" : "quick_gelu"},
              {"layer_norm_eps", 1e-5},
              {"bos_token_id", 0},
              {"eos_token_id", 2},  // as published: the pooled state is taken at the largest id
              {"pad_token_id", 1},
              {"projection_dim", width}};
  if (place.with_projection) config["projection_dim"] = shapes.size("text_projection.weight", 0);
  return config;
}

Json vae_config_of(const AssembledTensors& tensors, const Json& base, const std::string& file) {
  const TensorShapes shapes(tensors, file + ": its VAE");
  const auto levels = shapes.count("encoder.down_blocks");
  check(levels > 0 && shapes.count("decoder.up_blocks") == levels, ErrorCode::kBadFile, shapes.where(),
        " is not whole: it has ", levels, " levels in the encoder and ", shapes.count("decoder.up_blocks"),
        " in the decoder");
  Json channels = Json::array();
  for (std::int64_t level = 0; level < levels; ++level) {
    channels.push_back(shapes.size(at("encoder.down_blocks", level) + ".resnets.0.conv1.weight", 0));
  }
  auto config = base;
  config.update({{"_class_name", "AutoencoderKL"},
                 {"in_channels", shapes.size("encoder.conv_in.weight", 1)},
                 {"out_channels", shapes.size("decoder.conv_out.weight", 0)},
                 {"latent_channels", shapes.size("decoder.conv_in.weight", 1)},
                 {"block_out_channels", channels},
                 {"layers_per_block", shapes.count("encoder.down_blocks.0.resnets")},
                 {"down_block_types", Json(static_cast<size_t>(levels), "DownEncoderBlock2D")},
                 {"up_block_types", Json(static_cast<size_t>(levels), "UpDecoderBlock2D")},
                 {"norm_num_groups", 32},
                 {"act_fn", "silu"},
                 {"mid_block_add_attention", shapes.has("encoder.mid_block.attentions.")},
                 {"use_quant_conv", shapes.has("quant_conv.")},
                 {"use_post_quant_conv", shapes.has("post_quant_conv.")}});
  return config;
}

}  // namespace fjord::loading
