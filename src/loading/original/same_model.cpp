#include "loading/original/same_model.h"

#include "core/check.h"
#include "loading/config_json.h"

#include <vector>

namespace fjord::loading {
namespace {

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;

std::string text_of(const Source& source, const std::string& name) { return read_text(source, name, kMaxConfigSize); }

config::UNet unet_of(const Source& source) {
  return read_unet_config(text_of(source, "unet/config.json"), source.describe("unet/config.json"));
}

config::Vae vae_of(const Source& source) {
  return read_vae_config(text_of(source, "vae/config.json"), source.describe("vae/config.json"));
}

// Collects the fields in which two configurations differ.
class Differences {
 public:
  template <typename T>
  void compare(const char* field, const T& wanted, const T& got) {
    if (wanted == got) return;
    text_ += (text_.empty() ? "" : ", ") + std::string(field);
  }
  void check_none(const std::string& where) const {
    check(text_.empty(), ErrorCode::kUnsupported, where,
          ": a single file in the original layout cannot say what this model has for ", text_);
  }

 private:
  std::string text_;
};

// What names and shapes do not tell, of a U-Net: the readers of single files take it for granted.
void check_unet(const config::UNet& wanted, const config::UNet& got, const std::string& where) {
  Differences differences;
  std::vector<std::int64_t> heads, other_heads;  // of levels that attend
  for (size_t level = 0; level < wanted.block_out_channels.size(); ++level) {
    const bool attends =
        wanted.down_block_types[level].starts_with("CrossAttn") || level + 1 == wanted.block_out_channels.size();
    if (!attends) continue;
    heads.push_back(wanted.num_attention_heads[level]);
    other_heads.push_back(got.num_attention_heads.at(level));
  }
  differences.compare("attention_head_dim", heads, other_heads);
  differences.compare("only_cross_attention", wanted.only_cross_attention, got.only_cross_attention);
  differences.compare("norm_num_groups", wanted.norm_num_groups, got.norm_num_groups);
  differences.compare("norm_eps", wanted.norm_eps, got.norm_eps);
  differences.compare("act_fn", wanted.act_fn, got.act_fn);
  differences.compare("down_block_types", wanted.down_block_types, got.down_block_types);
  differences.compare("up_block_types", wanted.up_block_types, got.up_block_types);
  differences.compare("mid_block_type", wanted.mid_block_type, got.mid_block_type);
  differences.compare("mid_block_scale_factor", wanted.mid_block_scale_factor, got.mid_block_scale_factor);
  differences.compare("resnet_time_scale_shift", wanted.resnet_time_scale_shift, got.resnet_time_scale_shift);
  differences.compare("downsample_padding", wanted.downsample_padding, got.downsample_padding);
  differences.compare("center_input_sample", wanted.center_input_sample, got.center_input_sample);
  differences.compare("flip_sin_to_cos", wanted.flip_sin_to_cos, got.flip_sin_to_cos);
  differences.compare("freq_shift", wanted.freq_shift, got.freq_shift);
  differences.compare("time_embedding_type", wanted.time_embedding_type, got.time_embedding_type);
  differences.compare("time_embedding_act_fn", wanted.time_embedding_act_fn, got.time_embedding_act_fn);
  differences.compare("timestep_post_act", wanted.timestep_post_act, got.timestep_post_act);
  differences.compare("time_cond_proj_dim", wanted.time_cond_proj_dim, got.time_cond_proj_dim);
  differences.compare("class_embed_type", wanted.class_embed_type, got.class_embed_type);
  differences.compare("num_class_embeds", wanted.num_class_embeds, got.num_class_embeds);
  differences.compare("encoder_hid_dim_type", wanted.encoder_hid_dim_type, got.encoder_hid_dim_type);
  differences.compare("addition_embed_type", wanted.addition_embed_type, got.addition_embed_type);
  differences.compare("addition_time_embed_dim", wanted.addition_time_embed_dim, got.addition_time_embed_dim);
  differences.check_none(where);
}

void check_vae(const config::Vae& wanted, const config::Vae& got, const std::string& where) {
  Differences differences;
  differences.compare("norm_num_groups", wanted.norm_num_groups, got.norm_num_groups);
  differences.compare("act_fn", wanted.act_fn, got.act_fn);
  differences.compare("scaling_factor", wanted.scaling_factor, got.scaling_factor);
  differences.compare("shift_factor", wanted.shift_factor, got.shift_factor);
  differences.compare("latents_mean", wanted.latents_mean, got.latents_mean);
  differences.compare("latents_std", wanted.latents_std, got.latents_std);
  differences.check_none(where);
}

void check_encoder(const config::ClipText& wanted, const config::ClipText& got, const std::string& where) {
  Differences differences;
  differences.compare("num_attention_heads", wanted.num_attention_heads, got.num_attention_heads);
  differences.compare("hidden_act", wanted.hidden_act, got.hidden_act);
  differences.compare("layer_norm_eps", wanted.layer_norm_eps, got.layer_norm_eps);
  differences.check_none(where);
}

}  // namespace

config::ClipText encoder_config(const Source& source, const std::string& folder) {
  const auto name = folder + "/config.json";
  return read_clip_text_config(text_of(source, name), source.describe(name));
}

void check_same_model(const Source& folder, const Source& single, const Family& family) {
  check_unet(unet_of(folder), unet_of(single), folder.describe("unet/config.json"));
  check_vae(vae_of(folder), vae_of(single), folder.describe("vae/config.json"));
  for (const auto& place : family.encoders) {
    check_encoder(encoder_config(folder, place.folder), encoder_config(single, place.folder),
                  folder.describe(place.folder + "/config.json"));
  }
}

}  // namespace fjord::loading
