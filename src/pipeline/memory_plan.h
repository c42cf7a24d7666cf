// Pipeline::plan in closed form: the largest set of tensors that live at once on the way through a network, from its
// configuration.
#pragma once

#include "config/control.h"
#include "config/tiny_vae.h"
#include "config/unet.h"
#include "config/vae.h"
#include "pipeline/model.h"

#include <fjord/memory_plan.h>
#include <fjord/request.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fjord::pipeline {

struct MapSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// How a network computes, as far as memory goes.
struct Compute {
  std::int64_t element_bytes = 4;
  bool fused = true;  // kernels that gate, convolve and add without tensors in between (ours for the CPU)
  std::int64_t transformed_bytes = 0;  // at most, of the tiles that our convolution holds transformed at once
};

// Bytes of the tensors that live at once at most while the U-Net runs on a batch of maps of latents, the request's
// memory (text keys and values) included.
std::uint64_t unet_memory(const config::UNet& unet, std::int64_t batch, const MapSize& latents, std::int64_t tokens,
                          const Compute& compute);
// The same of the VAE's decoder on one map of latents, without tiles.
std::uint64_t decoder_memory(const config::Vae& vae, const MapSize& latents, const Compute& compute);
std::uint64_t decoder_memory(const config::TinyVae& vae, const MapSize& latents, const Compute& compute);

// The same of a ControlNet and of a T2I-Adapter for a batch that has `pictures` pictures to see.
struct ControlMemory {
  std::uint64_t running = 0;  // at most while it runs; what it says is in it
  std::uint64_t said = 0;     // what it says, held while the U-Net runs
  std::uint64_t kept = 0;     // held for the whole request
};
struct ControlBatch {
  std::int64_t rows = 1;
  std::int64_t pictures = 1;
};
ControlMemory control_memory(const config::ControlNet& control, const ControlBatch& batch, const MapSize& latents,
                             std::int64_t tokens, const Compute& compute);
ControlMemory control_memory(const config::T2IAdapter& adapter, const ControlBatch& batch, const MapSize& picture,
                             const Compute& compute);

// Bytes of the weights of U-Net, autoencoder and the text encoders in these folders of the source once they are loaded
// in `dtype`; int8 stays int8.
ModelBytes stored_weights(const loading::Source& source, const std::vector<std::string>& text_encoders,
                          at::ScalarType dtype);

// Of a guided request for one picture of the U-Net's own size and a usual text, on a device without kernels that fuse.
RequestBytes usual_request(const config::UNet& unet, const config::Vae& vae, at::ScalarType dtype);

// The budget of a request: its own or the model's; 0: none.
std::uint64_t budget_of(const Model& model, const Request& request);

// Throws kOutOfMemory where the budget cannot be kept. `request` has passed checked_request. Throws kOutOfMemory where
// request.memory_budget cannot be kept.
MemoryPlan plan_memory(const Model& model, const Request& request);

}  // namespace fjord::pipeline
