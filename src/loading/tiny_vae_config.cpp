// Reference: diffusers AutoencoderTiny.__init__.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"

namespace fjord::loading {

config::TinyVae read_tiny_vae_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  config::TinyVae vae;
  reader.integer("in_channels", vae.in_channels, kSize);
  reader.integer("out_channels", vae.out_channels, kSize);
  reader.integers("encoder_block_out_channels", vae.encoder_block_out_channels, kSize);
  reader.integers("decoder_block_out_channels", vae.decoder_block_out_channels, kSize);
  reader.integers("num_encoder_blocks", vae.num_encoder_blocks, kCount);
  reader.integers("num_decoder_blocks", vae.num_decoder_blocks, kCount);
  reader.text("act_fn", vae.act_fn);
  reader.integer("latent_channels", vae.latent_channels, kSize);
  reader.number("scaling_factor", vae.scaling_factor, {1e-6, 1e6});
  reader.only("upsample_fn", "nearest");
  reader.only("upsampling_scaling_factor", 2);
  reader.only("shift_factor", 0.0);
  for (const char* unused : {"block_out_channels", "latent_magnitude", "latent_shift", "force_upcast"}) {
    reader.ignore(unused);  // of AutoencoderTiny's own use as an image codec, or overwritten by the class
  }
  reader.refuse_others();
  const auto stages = vae.encoder_block_out_channels.size();
  for (const auto& list : {vae.decoder_block_out_channels, vae.num_encoder_blocks, vae.num_decoder_blocks}) {
    check(list.size() == stages, ErrorCode::kBadFile, where,
          ": expected equally many block_out_channels and num_blocks", " of encoder and decoder, got ", stages, " and ",
          list.size());
  }
  return vae;
}

}  // namespace fjord::loading
