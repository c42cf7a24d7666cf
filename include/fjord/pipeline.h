// Pipeline: a text-to-image model held once in memory, shared by any number of threads.
// Generation: one running request, advanced step by step.
#pragma once

#include <fjord/adapters.h>
#include <fjord/control.h>
#include <fjord/error.h>
#include <fjord/export.h>
#include <fjord/heat_map.h>
#include <fjord/image.h>
#include <fjord/image_prompt.h>
#include <fjord/memory_plan.h>
#include <fjord/model_files.h>
#include <fjord/progress.h>
#include <fjord/request.h>
#include <fjord/storage.h>
#include <fjord/texture.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fjord {

enum class Precision { kFloat32, kBFloat16, kFloat16, kAuto };

// How a model is loaded.
struct LoadOptions {
  // Of weights and arithmetic; kFloat16 needs a GPU. kAuto: float32 on the CPU, bfloat16 on a GPU.
  Precision precision = Precision::kAuto;
  std::string device = "auto";  // "auto" (a GPU if there is one that fjord can use), "cpu", "cuda" or "cuda:<index>"
  int threads = 0;              // CPU threads of a request, 1..1024; 0: LibTorch's default
  // What computes on a CPU: "auto" (fjord's kernels for the best instruction set of this processor), one of
  // cpu_kernel_names() in fjord/inspect.h, or "reference" (LibTorch's plain operators, for comparison).
  std::string cpu_kernels = "auto";
  // What computes the U-Net's attention on a GPU: "auto", or one of own, own-hopper, cudnn, flash, mem-efficient,
  // chunked, math (docs/cuda.md). One that cannot serve a layer is an error when that layer runs.
  std::string attention = "auto";
  // Which of the faster ways to compute on a GPU are taken: "auto" (all), "none", or names separated by commas: graph,
  // update, sums, projections, upsampling, products, convolutions (docs/cuda.md). Where one of graph, update, sums,
  // products and convolutions cannot serve, or does not give what the plain way gives, the plain way is taken and
  // Result::notes says why.
  std::string cuda_paths = "auto";
  // Of a GPU's memory, in bytes, for the model and one request of the model's own size; 0: no limit. What does not fit
  // rests in main memory and is brought when it is needed: see Offload in fjord/memory_plan.h. Requests without a
  // budget of their own keep to it. kOutOfMemory if nothing helps. Ignored on a CPU.
  std::uint64_t memory_budget = 0;
  // The text encoder is read anew for every request and its memory given back before the first step. The folder must
  // then stay where it is.
  bool drop_text_encoder = false;
  // The weights of the text encoders are not read and may be missing; their configurations and tokenizers must be
  // there. Requests must then bring embeddings (fjord/embeddings.h) for every prompt that is used, or end with
  // kInvalidArgument.
  bool without_text_encoder = false;
  // Folder of a small autoencoder (AutoencoderTiny, "TAESD") that decodes previews in a fraction of the time; empty:
  // the model's own VAE does.
  std::string preview_vae = {};
  // Merged into the weights for good: costs time while loading and none afterwards. The folder must stay where it is.
  std::vector<FusedAdapter> adapters = {};
  ModelFiles files = {};  // where its parts come from
};

// Defaults and limits of a loaded model.
struct PipelineInfo {
  std::string pipeline;   // class name in model_index.json, e.g. "StableDiffusionXLPipeline"
  std::string device;     // where the weights are, e.g. "cpu"
  std::string kernels;    // what computes there, e.g. "avx512", "reference" or "cuda"
  int width = 0;          // default picture size in pixels
  int height = 0;         //
  int size_multiple = 0;  // width and height must be multiples of this (the VAE's factor)
  int max_size = 0;       // largest width or height
  int steps = 0;          // default number of steps
  int max_steps = 0;      // training steps of the model
  double guidance = 0.0;  // default guidance scale
  std::string scheduler;  // class name in the folder's scheduler_config.json
  int latent_channels = 0;
  bool needs_mask = false;         // the U-Net sees mask and masked picture: it serves inpainting alone
  bool needs_image = false;        // the U-Net sees the picture that the prompt tells to change (InstructPix2Pix)
  int max_tokens = 0;              // window of the text encoder, begin and end tokens included
  int text_encoders = 0;           // 1 or 2
  int max_clip_skip = 0;           // largest Prompting::clip_skip
  bool size_conditions = false;    // knows MicroConditions and pooled text
  bool aesthetic_score = false;    // among them the aesthetic score, in place of the target size
  int skip_connections = 0;        // of the U-Net; Approximation::cache_branch names one
  std::vector<std::string> notes;  // what the model's files do not say and was assumed, a sentence each
};

// What a request gives.
struct Result {
  std::vector<Image> images;
  Array latents;    // [images, channels, height/8, width/8], as the VAE decoder takes them after un-scaling
  Request request;  // the request with every default filled in: running it again gives the same pictures
  std::vector<HeatMap> heat_maps;     // one a word of the prompt, where Guidance::heat_maps asks for them
  std::vector<std::string> warnings;  // for example: the prompt was cut to 77 tokens
  std::vector<std::string> notes;     // on a GPU: why a faster way of LoadOptions::cuda_paths did not serve
  double seconds = 0.0;               // wall time of the whole request
};

// One running request. Owned by one thread at a time; cancel() may be called from any thread.
class FJORD_API Generation {
 public:
  ~Generation();
  Generation(Generation&&) noexcept;
  Generation& operator=(Generation&&) noexcept;

  // Does one denoising step. Returns true while steps remain. Throws Error (kCancelled, kNonFinite, kOutOfMemory, ...).
  bool advance();
  // Decodes the latents and ends the request; the steps that remain are done first. Call once.
  Result finish();
  // The picture as it stands: decodes the model's present estimate of the clean image. Costs one VAE decode.
  std::vector<Image> preview() const;
  // The same at one pixel for each pixel of the latents, [width/8, height/8], and coarse: a linear map of the latents
  // to colours stands for the VAE. Costs next to nothing; the map is fitted to the VAE at the first call for a model.
  std::vector<RgbaImage> latent_preview() const;
  // The latents as they stand, [images, channels, height/8, width/8].
  Array latents() const;
  Progress progress() const;
  // Asks the request to end; takes effect before the next layer of the network. Never blocks, never throws.
  void cancel() noexcept;

  // Works for about so long on a thread of its own, in pieces as small as a network's layer, and returns true while
  // work remains; then finish() hands the result over, or throws what ended the work. A layer that would not end in
  // time, as it took the last time, waits for the next call; one is always done. Do not mix with advance(). 0 to
  // 86400000.
  bool advance_for(double milliseconds);

 private:
  friend class Pipeline;
  class FJORD_LOCAL Impl;
  explicit Generation(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A model: text encoder, U-Net, VAE and their tokenizer and scheduler configuration. Immutable and cheap to copy
// (copies share the weights); every method may be called from several threads at once.
class FJORD_API Pipeline {
 public:
  // Loads a model folder in diffusers' layout, or a single safetensors file in the original layout (ModelFiles).
  // Throws Error: kNotFound, kBadFile, kUnsupported, kDeviceUnavailable...
  static Pipeline load(const std::string& path, const LoadOptions& options = {});
  // Likewise from the host's own storage; with drop_text_encoder it is asked again at every request.
  static Pipeline load(std::shared_ptr<const Storage> storage, const LoadOptions& options = {});

  // Runs a request to its end.
  Result generate(const Request& request, const Observer& observer = {}) const;
  // Checks a request, encodes its prompt and returns it ready for advance().
  Generation start(const Request& request) const;
  // Runs the text encoders alone; the result may be kept and put into Request::embeddings.
  PromptEmbeddings encode_prompt(const std::string& prompt, const std::string& negative_prompt = "",
                                 const Prompting& prompting = {}) const;

  // What the request will take of memory. Within request.memory_budget where that is not 0: the VAE decodes in tiles if
  // nothing else fits. Throws Error: kOutOfMemory if even that does not, and what start() throws for a bad request.
  MemoryPlan plan(const Request& request) const;
  // Reads an adapter for Request::adapters: a safetensors file with a LoRA, LoHa, LoKr or DoRA in the naming of
  // kohya-ss (LyCORIS), diffusers or peft, or the folder that peft or diffusers wrote. Nothing of the file is needed
  // afterwards. Throws Error: kNotFound; kBadFile naming keys that are no layer of this model, factors that are
  // missing, do not fit or have rank 0; kNonFinite for NaN and infinity; kUnsupported for another kind of file, saying
  // which.
  Adapter load_adapter(const std::string& path) const;
  // Likewise a textual inversion (safetensors of diffusers, kohya-ss, AUTOMATIC1111, or clip_l and clip_g for two text
  // encoders). `tokens`: what stands for it in a prompt: one word for all its vectors, or one for each; empty: the name
  // inside the file, else the file's own. Throws as load_adapter.
  Adapter load_embedding(const std::string& path, const std::vector<std::string>& tokens = {}) const;
  // Reads an adapter for Request::image_prompts: a safetensors file of IP-Adapter (keys "image_proj." and
  // "ip_adapter."), and the folder of the image encoder that it was trained with (transformers'
  // CLIPVisionModelWithProjection); empty: the folder "image_encoder" beside the file. An encoder that another adapter
  // in memory has from the same folder is shared. Throws Error: kNotFound; kBadFile naming keys and shapes that do not
  // fit this model or the encoder, and weights that are not finite; kUnsupported for other kinds of files, saying
  // which.
  ImageAdapter load_image_adapter(const std::string& path, const std::string& encoder = "") const;

  // Reads a control network for Request::controls: the folder of a ControlNetModel or T2IAdapter in diffusers' layout,
  // or a safetensors file with one of these in diffusers' names or in the original ones (docs/control.md). Nothing of
  // the file is needed afterwards. Throws Error: kNotFound; kBadFile for keys and shapes that are not those of a
  // control network of this model's U-Net; kUnsupported for another kind of file, saying which.
  Control load_control(const std::string& path) const;
  // Likewise from the host's own storage: "config.json" and "diffusion_pytorch_model.safetensors".
  Control load_control(std::shared_ptr<const Storage> storage) const;

  const PipelineInfo& info() const;

 private:
  friend class Generation;
  class FJORD_LOCAL Impl;
  explicit Pipeline(std::shared_ptr<const Impl> impl);
  template <typename Open>
  FJORD_LOCAL static Pipeline load_from(const Open& open, const LoadOptions& options);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fjord
