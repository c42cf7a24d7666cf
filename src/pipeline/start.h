// Where a pass starts: from noise, from pictures, or from the latents of the pass before.
#pragma once

#include "core/random.h"
#include "pipeline/masked_blend.h"
#include "pipeline/model.h"
#include "pipeline/passes.h"

#include <optional>

namespace fjord::pipeline {

struct Start {
  at::Tensor latents;   // noisy, as the first evaluation takes them: [images, channels, height, width]
  at::Tensor channels;  // what the network sees besides, [images, more channels, height, width]; undefined for most
  std::optional<MaskedBlend> blend;  // what happens to latents after every step
};

// What all kinds of start need.
struct StartScene {
  const Model& model;
  const PassPlan& plan;
  const Canvas& canvas;
  NoiseStream& stream;
};

// The first pass: from the request's pictures, if it has any. Random numbers are drawn in the reference's order.
Start start_first_pass(const StartScene& scene);

// The second pass: from the latents that the first one ended with.
Start start_second_pass(const StartScene& scene, const at::Tensor& latents);

}  // namespace fjord::pipeline
