// Reference: diffusers AutoencoderKL.__init__.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"

namespace fjord::loading {
namespace {

void check_consistency(const config::Vae& vae, const std::string& where) {
  const auto levels = vae.block_out_channels.size();
  check(vae.down_block_types.size() == levels && vae.up_block_types.size() == levels, ErrorCode::kBadFile, where,
        ": expected ", levels, " down_block_types and up_block_types, one for each of block_out_channels, got ",
        vae.down_block_types.size(), " and ", vae.up_block_types.size());
  for (const auto channels : vae.block_out_channels) {
    check(channels % vae.norm_num_groups == 0, ErrorCode::kBadFile, where,
          ": expected block_out_channels divisible by norm_num_groups = ", vae.norm_num_groups, ", got ", channels);
  }
  for (const auto& list : {vae.latents_mean, vae.latents_std}) {
    check(list.empty() || list.size() == static_cast<size_t>(vae.latent_channels), ErrorCode::kBadFile, where,
          ": expected latents_mean and latents_std with ", vae.latent_channels, " numbers, got ", list.size());
  }
}

}  // namespace

config::Vae read_vae_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  config::Vae vae;
  reader.integer("in_channels", vae.in_channels, kSize);
  reader.integer("out_channels", vae.out_channels, kSize);
  reader.texts("down_block_types", vae.down_block_types);
  reader.texts("up_block_types", vae.up_block_types);
  reader.integers("block_out_channels", vae.block_out_channels, kSize);
  reader.integer("layers_per_block", vae.layers_per_block, kCount);
  reader.text("act_fn", vae.act_fn);
  reader.integer("latent_channels", vae.latent_channels, kSize);
  reader.integer("norm_num_groups", vae.norm_num_groups, kSize);
  reader.integer("sample_size", vae.sample_size, kSize);
  reader.number("scaling_factor", vae.scaling_factor, {1e-6, 1e6});
  reader.number("shift_factor", vae.shift_factor, kAnyNumber);
  reader.numbers("latents_mean", vae.latents_mean, kAnyNumber);
  reader.numbers("latents_std", vae.latents_std, {1e-6, 1e6});
  reader.flag("force_upcast", vae.force_upcast);
  reader.flag("use_quant_conv", vae.use_quant_conv);
  reader.flag("use_post_quant_conv", vae.use_post_quant_conv);
  reader.flag("mid_block_add_attention", vae.mid_block_add_attention);
  reader.refuse_others();
  check_consistency(vae, where);
  return vae;
}

}  // namespace fjord::loading
