// What a request will take of memory, worked out before it runs.
#pragma once

#include <cstdint>
#include <string>

namespace fjord {

// Whose weights rest in main memory; each layer then brings its own for as long as it computes.
enum class Offload {
  kNone,    // nobody's
  kParts,   // those of text encoders and VAE
  kLayers,  // and those of the U-Net
};

// Bytes on the pipeline's device: main memory, or that of the GPU.
struct MemoryPlan {
  std::string device;
  std::uint64_t weights = 0;         // kept as long as the pipeline lives, and those of control networks
  std::uint64_t denoising = 0;       // at most besides, while the U-Net runs
  std::uint64_t decoding = 0;        // at most besides, while the VAE decodes; one picture after another
  std::uint64_t peak = 0;            // weights, the larger of the two, and what a graph takes
  Offload offload = Offload::kNone;  // how the pipeline was loaded; in `weights` is what stays on the device
  bool graph = false;                // whether the U-Net is recorded on a GPU, which takes `denoising` once more
  bool vae_tiling = false;           // whether the decoder runs in tiles: as asked for, or to stay within the budget
};

}  // namespace fjord
