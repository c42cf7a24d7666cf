// A model as it lies in a folder: the parts, loaded and checked against each other.
#pragma once

#include "config/scheduler.h"
#include "core/cuda_paths.h"
#include "loading/source.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder.h"
#include "pipeline/family.h"
#include "pipeline/image_encoders.h"
#include "pipeline/latent_colors.h"
#include "pipeline/offload.h"
#include "text/clip_tokenizer.h"

#include <fjord/pipeline.h>

#include <functional>
#include <memory>
#include <vector>

namespace fjord::pipeline {

struct AdapterHome;  // pipeline/adapter_set.h
class StepGraphs;    // pipeline/step_graphs.h

// A text encoder with the tokenizer that belongs to it.
struct TextEncoder {
  std::shared_ptr<const text::ClipTokenizer> tokenizer;
  config::ClipText config;
  // Gives the network, which may have to be read first; it is there for as long as the pointer is held.
  std::function<std::shared_ptr<const models::ClipTextModel>()> network;
};

// Cheap to copy; copies share the parts.
struct Model {
  Family family;
  std::vector<TextEncoder> text_encoders;  // one or two
  std::shared_ptr<const models::UNet2DConditionModel> unet;
  std::shared_ptr<const models::Autoencoder> vae;
  // Reads the VAE once more, in float32; empty where it is in float32 already or cannot be read again.
  std::function<std::unique_ptr<const models::Autoencoder>()> float32_vae;
  std::shared_ptr<const models::Autoencoder> preview_vae;                          // null: previews come from `vae`
  std::shared_ptr<LatentColors> latent_colors = std::make_shared<LatentColors>();  // made when first asked for
  std::shared_ptr<const AdapterHome> adapters;
  std::shared_ptr<ImageEncoders> image_encoders = std::make_shared<ImageEncoders>();  // of image adapters
  config::Scheduler scheduler;
  PipelineInfo info;
  ModelBytes weight_bytes;
  Offload offload = Offload::kNone;
  std::uint64_t memory_budget = 0;     // of requests that have none of their own; 0: no limit
  CudaPaths cuda_paths;                // of a GPU
  std::shared_ptr<StepGraphs> graphs;  // null: the U-Net is not recorded
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
};

// Reads a folder in diffusers' layout (model_index.json and one folder a component). An optional fjord.json holds the
// model's own defaults: {"steps": 25, "guidance": 4.0}. Throws Error.
Model load_model(std::shared_ptr<const loading::Source> source, const LoadOptions& options);

// Features of the text states that the U-Net takes, and of pooled text (0 without).
std::int64_t text_features(const Model& model);
std::int64_t pooled_features(const Model& model);

// Throws Error: kBadFile or kUnsupported if the parts do not belong together.
void check_fit(const Model& model);

// Defaults and limits, but for what fjord.json says.
PipelineInfo describe(const Model& model);

}  // namespace fjord::pipeline
