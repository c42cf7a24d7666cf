// Reference: diffusers UNet2DConditionModel.__init__ for defaults and for what a single number stands for.
#include "config/int4.h"
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"

namespace fjord::loading {
namespace {

// One value stands for every level of the U.
template <typename T>
void expand(std::vector<T>& values, size_t levels, const char* key, const std::string& where) {
  if (values.size() == 1) values.assign(levels, T(values.front()));
  check(values.size() == levels, ErrorCode::kBadFile, where, ": expected ", key, " as one value or ", levels,
        ", one for each of block_out_channels, got ", values.size());
}

void read_structure(ConfigReader& reader, config::UNet& unet) {
  reader.integers("sample_size", unet.sample_size, kSize);
  reader.integer("in_channels", unet.in_channels, kSize);
  reader.integer("out_channels", unet.out_channels, kSize);
  reader.flag("center_input_sample", unet.center_input_sample);
  reader.texts("down_block_types", unet.down_block_types);
  if (reader.is_null("mid_block_type")) unet.mid_block_type.reset();
  reader.text("mid_block_type", unet.mid_block_type);
  reader.texts("up_block_types", unet.up_block_types);
  reader.integers("block_out_channels", unet.block_out_channels, kSize);
  reader.integers("layers_per_block", unet.layers_per_block, kCount);
  reader.integer("downsample_padding", unet.downsample_padding, {0, 1});
  reader.number("mid_block_scale_factor", unet.mid_block_scale_factor, {1e-3, 1e3});
  reader.text("act_fn", unet.act_fn);
  if (reader.is_null("norm_num_groups")) unet.norm_num_groups.reset();
  reader.integer("norm_num_groups", unet.norm_num_groups, kSize);
  reader.number("norm_eps", unet.norm_eps, {0, 1});
  reader.text("resnet_time_scale_shift", unet.resnet_time_scale_shift);
  reader.integer("conv_in_kernel", unet.conv_in_kernel, {1, 31});
  reader.integer("conv_out_kernel", unet.conv_out_kernel, {1, 31});
}

void read_attention(ConfigReader& reader, config::UNet& unet) {
  reader.flags("only_cross_attention", unet.only_cross_attention);
  reader.integers("cross_attention_dim", unet.cross_attention_dim, kSize);
  reader.nested_integers("transformer_layers_per_block", unet.transformer_layers_per_block, kCount);
  reader.nested_integers("reverse_transformer_layers_per_block", unet.reverse_transformer_layers_per_block, kCount);
  // The reference's name is wrong for historic reasons: the field holds the number of heads.
  reader.integers("attention_head_dim", unet.num_attention_heads, kSize);
  reader.flag("use_linear_projection", unet.use_linear_projection);
  reader.flag("upcast_attention", unet.upcast_attention);
  reader.integer("encoder_hid_dim", unet.encoder_hid_dim, kSize);
  reader.text("encoder_hid_dim_type", unet.encoder_hid_dim_type);
  if (unet.encoder_hid_dim && !unet.encoder_hid_dim_type) unet.encoder_hid_dim_type = "text_proj";
}

void read_conditions(ConfigReader& reader, config::UNet& unet) {
  reader.flag("flip_sin_to_cos", unet.flip_sin_to_cos);
  reader.number("freq_shift", unet.freq_shift, {0, 1});
  reader.text("class_embed_type", unet.class_embed_type);
  reader.text("addition_embed_type", unet.addition_embed_type);
  reader.integer("addition_time_embed_dim", unet.addition_time_embed_dim, kSize);
  reader.integer("num_class_embeds", unet.num_class_embeds, kSize);
  reader.text("time_embedding_type", unet.time_embedding_type);
  reader.integer("time_embedding_dim", unet.time_embedding_dim, kSize);
  reader.text("time_embedding_act_fn", unet.time_embedding_act_fn);
  reader.text("timestep_post_act", unet.timestep_post_act);
  reader.integer("time_cond_proj_dim", unet.time_cond_proj_dim, kSize);
  reader.integer("projection_class_embeddings_input_dim", unet.projection_class_embeddings_input_dim, kSize);
  reader.flag("class_embeddings_concat", unet.class_embeddings_concat);
}

// What `fjord quantize` writes (docs/quantization.md).
void read_quantization(ConfigReader& reader, config::UNet& unet) {
  std::map<std::string, std::string> fields;
  reader.texts_by_name("quantization_config", fields);
  if (fields.empty()) return;
  const auto where = reader.where() + ": quantization_config";
  const auto expect = [&](bool fits, const char* field, const std::string& known) {
    check(fits, ErrorCode::kUnsupported, where, ": expected ", field, " ", known, ", got ",
          fjord::quoted(fields[field]));
  };
  const auto &weights = fields["weights"], &inputs = fields["inputs"];
  const bool int4 = weights == "int4";
  expect(fields["quant_method"] == "fjord", "quant_method", "fjord");
  expect(int4 || weights == "int8", "weights", "int8 or int4");
  expect(inputs == "unchanged" || (inputs == "int8" && !int4), "inputs", int4 ? "unchanged" : "int8 or unchanged");
  const auto group = std::to_string(config::kInt4Group);
  expect(!int4 || fields["group_size"] == group, "group_size", group);
  unet.round_inputs = inputs == "int8";
}

// Fields of blocks and attentions that fjord does not have: only their neutral values pass.
void refuse_unsupported(ConfigReader& reader) {
  reader.only("num_attention_heads", nullptr);
  reader.only("dual_cross_attention", false);
  reader.only("attention_type", "default");
  reader.only("cross_attention_norm", nullptr);
  reader.only("mid_block_only_cross_attention", false);
  reader.only("resnet_skip_time_act", false);
  reader.only("resnet_out_scale_factor", 1.0);
  reader.ignore("addition_embed_type_num_heads");
  reader.ignore("dropout");
  reader.refuse_others();
}

void check_divisibility(const config::UNet& unet, const std::string& where) {
  for (size_t level = 0; level < unet.block_out_channels.size(); ++level) {
    const auto channels = unet.block_out_channels[level];
    const auto groups = unet.norm_num_groups.value_or(32);
    const auto heads = unet.num_attention_heads[level];
    check(channels % groups == 0, ErrorCode::kBadFile, where, ": expected block_out_channels divisible by ",
          "norm_num_groups = ", groups, ", got ", channels);
    const bool attends = unet.down_block_types[level].starts_with("CrossAttn");
    check(!attends || channels % heads == 0, ErrorCode::kBadFile, where,
          ": expected block_out_channels divisible by the number of heads (attention_head_dim) = ", heads, ", got ",
          channels);
  }
}

void expand_levels(config::UNet& unet, const std::string& where) {
  const auto levels = unet.block_out_channels.size();
  for (const auto* types : {&unet.down_block_types, &unet.up_block_types}) {
    check(types->size() == levels, ErrorCode::kBadFile, where, ": expected ", levels,
          " down_block_types and up_block_types, one for each of block_out_channels, got ", types->size());
  }
  check(unet.sample_size.size() <= 2, ErrorCode::kBadFile, where, ": expected sample_size as one or two numbers");
  expand(unet.layers_per_block, levels, "layers_per_block", where);
  expand(unet.cross_attention_dim, levels, "cross_attention_dim", where);
  expand(unet.only_cross_attention, levels, "only_cross_attention", where);
  expand(unet.num_attention_heads, levels, "attention_head_dim", where);
  expand(unet.transformer_layers_per_block, levels, "transformer_layers_per_block", where);
  auto& reversed = unet.reverse_transformer_layers_per_block;
  if (!reversed.empty()) expand(reversed, levels, "reverse_transformer_layers_per_block", where);
}

// The defaults with one value for all levels.
config::UNet unexpanded() {
  config::UNet unet;
  unet.layers_per_block = {2};
  unet.cross_attention_dim = {1280};
  unet.only_cross_attention = {false};
  unet.num_attention_heads = {8};
  unet.transformer_layers_per_block = {{1}};
  return unet;
}

void read_control(ConfigReader& reader, config::ControlNet& control) {
  reader.integer("conditioning_channels", control.conditioning_channels, kSize);
  reader.integers("conditioning_embedding_out_channels", control.conditioning_embedding_out_channels, kSize);
  reader.flag("global_pool_conditions", control.global_pool_conditions);
  std::string order = "rgb";
  reader.text("controlnet_conditioning_channel_order", order);
  control.reversed_channels = order == "bgr";
  check(control.reversed_channels || order == "rgb", ErrorCode::kUnsupported, reader.where(),
        ": expected controlnet_conditioning_channel_order rgb or bgr, got ", fjord::quoted(order));
  check(!control.conditioning_embedding_out_channels.empty(), ErrorCode::kBadFile, reader.where(),
        ": expected conditioning_embedding_out_channels, got an empty list");
}

}  // namespace

config::ControlNet read_controlnet_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  config::ControlNet control;
  auto& unet = control.unet;
  unet = unexpanded();
  read_structure(reader, unet);
  read_attention(reader, unet);
  reader.integers("num_attention_heads", unet.num_attention_heads, kSize);  // in attention_head_dim's stead
  read_conditions(reader, unet);
  read_control(reader, control);
  reader.ignore("addition_embed_type_num_heads");
  reader.refuse_others();
  check(unet.mid_block_type.has_value(), ErrorCode::kBadFile, where, ": expected a mid_block_type, got null");
  unet.up_block_types.assign(unet.block_out_channels.size(), "UpBlock2D");  // there is no way up
  expand_levels(unet, where);
  check_divisibility(unet, where);
  return control;
}

config::UNet read_unet_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  auto unet = unexpanded();
  read_structure(reader, unet);
  read_attention(reader, unet);
  read_conditions(reader, unet);
  read_quantization(reader, unet);
  refuse_unsupported(reader);
  expand_levels(unet, where);
  check_divisibility(unet, where);
  return unet;
}

}  // namespace fjord::loading
