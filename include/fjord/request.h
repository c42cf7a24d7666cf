// What the caller asks of a pipeline: one plain struct, every field with its default.
#pragma once

#include <fjord/adapters.h>
#include <fjord/approximation.h>
#include <fjord/control.h>
#include <fjord/denoising_range.h>
#include <fjord/export.h>
#include <fjord/guidance.h>
#include <fjord/hires.h>
#include <fjord/image_input.h>
#include <fjord/image_prompt.h>
#include <fjord/micro_conditions.h>
#include <fjord/prompting.h>
#include <fjord/reproduction.h>
#include <fjord/seamless.h>
#include <fjord/variation.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fjord {

class Scheduler;  // fjord/torch/scheduler.h, only for those who bring a scheduler of their own

// A float32 tensor in plain memory, row-major: the currency for latents and embeddings in this torch-free interface.
struct Array {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// What the text encoders make of a prompt and of a negative prompt: [batch or 1, tokens, features] each.
struct PromptEmbeddings {
  Array positive;
  Array negative;  // may be empty when guidance is off
  // [batch or 1, features]: pooled text, for models that take it (PipelineInfo::size_conditions), else empty.
  Array pooled_positive;
  Array pooled_negative;
};

// A text-to-image request. Zero or empty means: the model's own default (Pipeline::info() tells which).
struct Request {
  std::string prompt;  // UTF-8, at most 64 KiB; tokens past the encoder's window are cut (Result::warnings says so)
  std::string negative_prompt;     // UTF-8; used only when guidance > 1
  int width = 0;                   // pixels, a multiple of the VAE's factor (8); 0: the model's size, or with pictures
                                   // to start from theirs, rounded down (PaintRegion tells of others)
  int height = 0;                  // pixels, likewise
  int steps = 0;                   // denoising steps, 1..the training steps of the model; 0: the model's default
  std::optional<double> guidance;  // classifier-free guidance scale (arXiv:2207.12598), finite, >= 0; on when > 1
  double guidance_rescale = 0.0;   // 0..1, section 3.4 of arXiv:2305.08891
  std::uint64_t seed = 0;          // seed of the random stream (that of torch.Generator("cpu").manual_seed)
  bool per_image_seeds = false;    // false: one stream for the whole batch, as diffusers; true: image i uses seed + i
  int images = 1;                  // pictures of this prompt, computed as one batch

  std::string scheduler;  // class name, e.g. "DPMSolverMultistepScheduler"; empty: the model folder's own
  std::map<std::string, std::string> scheduler_options;  // fields of scheduler_config.json, and "eta" and its kin
  std::vector<double> timesteps;                         // custom timesteps, falling; empty: by `steps`
  std::vector<double> sigmas;  // custom noise-to-signal ratios, falling, one more than steps; in place of `timesteps`
  std::shared_ptr<const Scheduler> custom_scheduler;  // a scheduler of the caller's own; overrides the names above it

  Array latents;  // initial noise [images, channels, height/8, width/8], unit variance; empty: drawn from `seed`
  PromptEmbeddings embeddings;  // replaces prompt and negative_prompt where not empty
  bool vae_tiling = false;  // decode pictures larger than the VAE's sample_size in tiles: less memory, near the same
  // Bytes that weights and request may take on the pipeline's device; 0: no limit. To stay within it the VAE decodes in
  // tiles; a request that cannot is refused (kOutOfMemory) before it runs. See Pipeline::plan.
  std::uint64_t memory_budget = 0;
  bool decode = true;  // false: stop at the latents (Result::images stays empty)

  ImageInput image_input;       // pictures to start from, masks to paint into
  Variation variation;          // noise between that of two seeds
  Hires hires;                  // a second, larger pass
  Seamless seamless;            // textures
  Prompting prompting;          // second prompts, weights, clip skip
  MicroConditions micro;        // sizes and scores that some models are told
  DenoisingRange range;         // a part of the way only, for two models in a row
  Reproduction reproduction;    // other programs' ways; see fjord/preset.h
  Guidance guidance_options;    // how the prompt steers, beyond one scale; off
  Approximation approximation;  // speed for a picture that differs a little; off

  std::vector<AdapterUse> adapters = {};  // LoRAs and textual inversions for this request, at most 64

  std::vector<ImagePrompt> image_prompts = {};  // pictures to resemble (IP-Adapter), at most 16

  std::vector<ControlUse> controls = {};  // ControlNets and T2I-Adapters for this request, at most 8; their sums steer
  // ControlNets see the branch with the prompt alone and are heard softly in the outer layers, so that they guess what
  // the picture shows; made for an empty prompt and guidance of 3 to 5. Always so with global_pool_conditions.
  bool guess_mode = false;
};

}  // namespace fjord
