// The fields that every autoencoder's config.json shares, with AutoencoderKL's defaults.
#pragma once

#include <cstdint>
#include <vector>

namespace fjord::config {

struct LatentSpace {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::int64_t latent_channels = 4;
  double scaling_factor = 0.18215;   // latents of the U-Net = those of the autoencoder times this
  std::vector<double> latents_mean;  // per channel; empty: none
  std::vector<double> latents_std;
  bool force_upcast = true;  // overflows in float16: float32 is used instead
};

}  // namespace fjord::config
