// What of a model rests in main memory while it is not needed, so that a GPU with less memory serves: chosen when a
// model is loaded, from what its parts and one request take. Weights that rest are brought by the layer that needs
// them.
#pragma once

#include <fjord/memory_plan.h>

#include <cstdint>

namespace fjord::pipeline {

// Bytes of a part's weights.
struct WeightBytes {
  std::uint64_t all = 0;
  std::uint64_t staying = 0;  // on the GPU although the part rests: biases, norms, tables
  std::uint64_t largest = 0;  // tensor of those that rest

  // On the GPU for good.
  std::uint64_t kept(bool rests) const { return rests ? staying : all; }
  // While it computes, at most: a weight, and the one before that has not been given back.
  std::uint64_t brought(bool rests) const { return rests ? 2 * largest : 0; }
};

struct ModelBytes {
  WeightBytes text, unet, vae;

  std::uint64_t kept(Offload offload) const {
    return text.kept(offload != Offload::kNone) + vae.kept(offload != Offload::kNone) +
           unet.kept(offload == Offload::kLayers);
  }
  std::uint64_t brought_to_denoise(Offload offload) const { return unet.brought(offload == Offload::kLayers); }
  std::uint64_t brought_to_decode(Offload offload) const { return vae.brought(offload != Offload::kNone); }
};

// What one request takes besides weights, in bytes.
struct RequestBytes {
  std::uint64_t denoising = 0;
  std::uint64_t decoding = 0;  // in tiles
};

// The least that keeps everything within `budget` bytes; kNone where that is 0. Throws Error(kOutOfMemory) if nothing
// does.
Offload choose_offload(std::uint64_t budget, const ModelBytes& model, const RequestBytes& request);

}  // namespace fjord::pipeline
