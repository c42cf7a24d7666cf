#include "pipeline/model.h"

#include "core/check.h"
#include "core/device.h"
#include "core/memory_pool.h"
#include "kernels/cuda/attention_choice.h"
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"
#include "loading/load_into.h"
#include "loading/scheduler_config.h"
#include "loading/tokenizer_files.h"
#include "pipeline/cpu_kernels.h"
#include "schedulers/make_scheduler.h"

#include <algorithm>

namespace fjord::pipeline {
namespace {

using loading::Source;

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr int kMaxSize = 8192;  // pixels a side

std::string config_text(const Source& source, const std::string& name) {
  return loading::read_text(source, name, kMaxConfigSize);
}

void check_class(const Source& source) {
  const auto where = source.describe("model_index.json");
  const auto index = loading::read_model_index(config_text(source, "model_index.json"), where);
  const bool known = index.class_name == "StableDiffusionPipeline" ||
                     index.class_name == "StableDiffusionImg2ImgPipeline" ||
                     index.class_name == "StableDiffusionInpaintPipeline";
  check(known, ErrorCode::kUnsupported, where, ": expected a StableDiffusionPipeline, got ",
        fjord::quoted(index.class_name));
  for (const char* part : {"tokenizer", "text_encoder", "unet", "vae", "scheduler"}) {
    check(index.components.contains(part), ErrorCode::kBadFile, where, ": expected the component ", part);
  }
}

std::unique_ptr<const text::ClipTokenizer> load_tokenizer(const Source& source, std::int64_t max_tokens) {
  loading::TokenizerFiles files;
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json"}) {
    const auto path = std::string("tokenizer/") + name;
    if (source.exists(path)) files.emplace(name, loading::read_text(source, path, std::uint64_t{16} << 20));
  }
  return std::make_unique<const text::ClipTokenizer>(loading::read_tokenizer(files, max_tokens));
}

// Where and how the networks compute.
struct Engine {
  at::TensorOptions tensors;
  loading::Keeping keeping;
};

// Builds a module from its configuration, fills it with its weights and packs them.
template <typename ModuleType, typename Config>
std::unique_ptr<ModuleType> load_component(const Source& source, const std::string& folder, const std::string& stem,
                                           const Config& config, const loading::KeyRules& rules, const Engine& engine) {
  const loading::Checkpoint checkpoint(source, folder, stem);
  auto module = std::make_unique<ModuleType>(config, engine.tensors);
  loading::load_into(*module, checkpoint, rules, source.describe(folder), engine.keeping);
  return module;
}

// A name of LoadOptions::attention for every layer of the U-Net that attends.
void use_attention(models::UNet2DConditionModel& unet, const std::string& name) {
  kernels::cuda::parse_attention(name);  // throws for one that is unknown
  for (const auto& [key, module] : unet.modules()) {
    if (auto* attention = dynamic_cast<models::Attention*>(module)) attention->use_cuda_kernel(name);
  }
}

// Read now, so that a bad file is known; kept, or read again whenever it is asked for, into memory of its own.
void load_text_encoder(Model& model, const std::shared_ptr<const Source>& source, const config::ClipText& config,
                       const Engine& engine, bool drop) {
  const auto load = [source, config, engine] {
    const auto weights = MemoryPool::create(MemoryPool::Pages::kSmall);
    const PoolScope scope(weights.get());
    return std::shared_ptr<const models::ClipTextModel>(load_component<models::ClipTextModel>(
        *source, "text_encoder", "model", config, loading::clip_text_rules(), engine));
  };
  model.text_encoder = load;
  if (auto encoder = load(); !drop) model.text_encoder = [encoder = std::move(encoder)] { return encoder; };
}

// Inpainting U-Nets take the latents, the mask and the latents of the masked picture.
bool sees_mask(const Model& model) {
  return model.unet->config().in_channels == 2 * model.vae->config().latent_channels + 1;
}

void check_fit(const Model& model, const config::ClipText& text) {
  const auto& unet = model.unet->config();
  const auto text_width = unet.encoder_hid_dim.value_or(unet.cross_attention_dim.front());
  check(text.hidden_size == text_width, ErrorCode::kBadFile, "the text encoder gives ", text.hidden_size,
        " features, the U-Net expects ", text_width);
  check(model.tokenizer->vocabulary_size() <= text.vocab_size, ErrorCode::kBadFile, "the tokenizer has ids up to ",
        model.tokenizer->vocabulary_size() - 1, ", the text encoder knows ", text.vocab_size);
  check(model.tokenizer->max_length() <= text.max_position_embeddings, ErrorCode::kBadFile, "the tokenizer gives ",
        model.tokenizer->max_length(), " tokens, the text encoder takes ", text.max_position_embeddings);
  const auto channels = model.vae->config().latent_channels;
  const bool fits = unet.in_channels == channels || sees_mask(model);
  check(fits && unet.out_channels == channels, ErrorCode::kUnsupported, "expected a U-Net with ", channels,
        " channels, as the VAE's latents have, or ", 2 * channels + 1, " in for inpainting, got ", unet.in_channels,
        " in and ", unet.out_channels, " out");
  check(!unet.class_embed_type && !unet.num_class_embeds && !unet.addition_embed_type, ErrorCode::kUnsupported,
        "text-to-image does not yet serve U-Nets with class or size conditions");
}

void read_own_defaults(const Source& source, PipelineInfo& info) {
  if (!source.exists("fjord.json")) return;
  loading::ConfigReader reader(config_text(source, "fjord.json"), source.describe("fjord.json"));
  std::int64_t steps = info.steps;
  reader.integer("steps", steps, {1, static_cast<double>(info.max_steps)});
  reader.number("guidance", info.guidance, {0, 1000});
  reader.refuse_others();
  info.steps = static_cast<int>(steps);
}

PipelineInfo describe(const Model& model) {
  PipelineInfo info;
  info.device = model.device.str();
  const auto factor = static_cast<int>(model.vae->factor());
  const auto& sample_size = model.unet->config().sample_size;
  info.height = factor * static_cast<int>(sample_size.empty() ? 64 : sample_size.front());
  info.width = factor * static_cast<int>(sample_size.empty() ? 64 : sample_size.back());
  info.size_multiple = factor;
  info.max_size = kMaxSize / factor * factor;
  info.max_steps = static_cast<int>(schedulers::make_scheduler(model.scheduler)->num_train_timesteps());
  info.steps = std::min(50, info.max_steps);
  info.guidance = 7.5;
  info.scheduler = model.scheduler.class_name;
  info.needs_mask = sees_mask(model);
  info.latent_channels = static_cast<int>(model.vae->config().latent_channels);
  info.skip_connections = static_cast<int>(model.unet->skip_connections());
  info.max_tokens = static_cast<int>(model.tokenizer->max_length());
  return info;
}

}  // namespace

Model load_model(std::shared_ptr<const Source> shared_source, const LoadOptions& options) {
  const auto& source = *shared_source;
  Model model;
  model.device = parse_device(options.device);
  model.dtype = to_scalar_type(options.precision, model.device);
  check(!model.device.is_cpu() || model.dtype != at::kHalf, ErrorCode::kUnsupported,
        "float16 needs a GPU; use float32 or bfloat16 on the CPU");
  check_class(source);
  const auto where = [&source](const char* name) { return source.describe(name); };

  const auto text = loading::read_clip_text_config(config_text(source, "text_encoder/config.json"),
                                                   where("text_encoder/config.json"));
  const auto unet = loading::read_unet_config(config_text(source, "unet/config.json"), where("unet/config.json"));
  const auto vae = loading::read_vae_config(config_text(source, "vae/config.json"), where("vae/config.json"));
  model.scheduler = loading::read_scheduler_config(config_text(source, "scheduler/scheduler_config.json"),
                                                   where("scheduler/scheduler_config.json"));
  const Engine engine{at::TensorOptions().device(model.device).dtype(model.dtype),
                      {model.device.is_cpu() ? choose_cpu_kernels(options.cpu_kernels) : nullptr, unet.round_inputs}};
  const auto weights = MemoryPool::create(MemoryPool::Pages::kSmall);  // lives as long as the tensors in it
  const PoolScope scope(weights.get());
  model.tokenizer = load_tokenizer(source, text.max_position_embeddings);
  load_text_encoder(model, shared_source, text, engine, options.drop_text_encoder);
  auto network = load_component<models::UNet2DConditionModel>(source, "unet", "diffusion_pytorch_model", unet,
                                                              loading::unet_rules(), engine);
  use_attention(*network, options.attention);
  model.unet = std::move(network);
  model.vae = load_component<models::AutoencoderKL>(source, "vae", "diffusion_pytorch_model", vae, loading::vae_rules(),
                                                    engine);
  check_fit(model, text);
  model.info = describe(model);
  model.info.kernels = model.device.is_cuda()              ? "cuda"
                       : engine.keeping.kernels != nullptr ? engine.keeping.kernels->name
                                                           : "reference";
  read_own_defaults(source, model.info);
  return model;
}

}  // namespace fjord::pipeline
