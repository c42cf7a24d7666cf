// A text-to-image model as it lies in a folder: the parts, loaded and checked against each other.
#pragma once

#include "config/scheduler.h"
#include "loading/source.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "pipeline/latent_colors.h"
#include "text/clip_tokenizer.h"

#include <fjord/pipeline.h>

#include <functional>
#include <memory>

namespace fjord::pipeline {

struct Model {
  std::unique_ptr<const text::ClipTokenizer> tokenizer;
  // Gives the text encoder, which may have to be read first; it is there for as long as the pointer is held.
  std::function<std::shared_ptr<const models::ClipTextModel>()> text_encoder;
  std::unique_ptr<const models::UNet2DConditionModel> unet;
  std::unique_ptr<const models::AutoencoderKL> vae;
  std::unique_ptr<LatentColors> latent_colors = std::make_unique<LatentColors>();  // made when first asked for
  config::Scheduler scheduler;
  PipelineInfo info;
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
};

// Reads a folder in diffusers' layout (model_index.json and one folder a component). An optional fjord.json holds the
// model's own defaults: {"steps": 25, "guidance": 4.0}. Throws Error.
Model load_model(std::shared_ptr<const loading::Source> source, const LoadOptions& options);

}  // namespace fjord::pipeline
