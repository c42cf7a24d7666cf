#include "pipeline/model.h"

#include "core/check.h"
#include "core/cuda_plugin.h"
#include "core/device.h"
#include "core/memory_pool.h"
#include "kernels/cuda/attention_choice.h"
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"
#include "loading/load_into.h"
#include "loading/scheduler_config.h"
#include "loading/tokenizer_files.h"
#include "models/vae/autoencoder_kl.h"
#include "models/vae/autoencoder_tiny.h"
#include "pipeline/adapted_model.h"
#include "pipeline/cpu_kernels.h"
#include "pipeline/cuda_setup.h"
#include "pipeline/memory_plan.h"
#include "pipeline/step_graphs.h"

namespace fjord::pipeline {
namespace {

using loading::Source;

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;

std::string config_text(const Source& source, const std::string& name) {
  return loading::read_text(source, name, kMaxConfigSize);
}

template <typename Read>
auto read_config(const Source& source, const std::string& name, const Read& read) {
  return read(config_text(source, name), source.describe(name));
}

std::unique_ptr<const text::ClipTokenizer> load_tokenizer(const Source& source, const std::string& folder,
                                                          std::int64_t max_tokens) {
  loading::TokenizerFiles files;
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json"}) {
    const auto path = folder + "/" + name;
    if (source.exists(path)) files.emplace(name, loading::read_text(source, path, std::uint64_t{16} << 20));
  }
  return std::make_unique<const text::ClipTokenizer>(loading::read_tokenizer(files, max_tokens));
}

// Where and how the networks compute.
struct Engine {
  at::TensorOptions tensors;
  loading::Keeping keeping;
  CudaPaths cuda_paths;

  // With weights that rest in main memory, if so.
  Engine resting(bool rests) const {
    auto out = *this;
    if (!rests) return out;
    out.keeping.rests_from = tensors.device();
    out.tensors = tensors.device(at::kCPU);
    return out;
  }
};

// Builds a module from its configuration, fills it with its weights and packs them.
template <typename ModuleType, typename Config>
std::unique_ptr<ModuleType> load_component(const Source& source, const std::string& folder, const std::string& stem,
                                           const Config& config, const loading::KeyRules& rules, const Engine& engine) {
  const loading::Checkpoint checkpoint(source, folder, stem);
  auto module = std::make_unique<ModuleType>(config, engine.tensors);
  loading::load_into(*module, checkpoint, rules, source.describe(folder), engine.keeping);
  prepare_for_gpu(*module, engine.cuda_paths);
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
TextEncoder load_text_encoder(const std::shared_ptr<const Source>& source, const std::string& folder,
                              const Engine& engine, const LoadOptions& options) {
  TextEncoder out;
  out.config = read_config(*source, folder + "/config.json", loading::read_clip_text_config);
  out.tokenizer = load_tokenizer(*source, tokenizer_folder(folder), out.config.max_position_embeddings);
  if (options.without_text_encoder) {
    out.network = []() -> std::shared_ptr<const models::ClipTextModel> {
      fail(ErrorCode::kInvalidArgument,
           "the model was loaded without its text encoder: the request needs embeddings in place of every prompt");
    };
    return out;
  }
  out.network = [source, folder, config = out.config, engine] {
    const auto weights = MemoryPool::create(MemoryPool::Pages::kSmall);
    const PoolScope scope(weights.get());
    return std::shared_ptr<const models::ClipTextModel>(
        load_component<models::ClipTextModel>(*source, folder, "model", config, loading::clip_text_rules(), engine));
  };
  if (auto network = out.network(); !options.drop_text_encoder)
    out.network = [network = std::move(network)] { return network; };
  return out;
}

// The dtype of an autoencoder that overflows in float16 is float32, as in the reference.
Engine for_autoencoder(const config::LatentSpace& space, Engine engine) {
  if (space.force_upcast && engine.tensors.dtype() == at::kHalf) engine.tensors = engine.tensors.dtype(at::kFloat);
  return engine;
}

template <typename ModuleType, typename Config>
std::unique_ptr<const models::Autoencoder> load_autoencoder_of(const Source& source, const std::string& folder,
                                                               const Config& config, const loading::KeyRules& rules,
                                                               const Engine& engine) {
  return load_component<ModuleType>(source, folder, "diffusion_pytorch_model", config, rules,
                                    for_autoencoder(config, engine));
}

// `folder` may be empty: the source is the autoencoder's own folder.
std::unique_ptr<const models::Autoencoder> load_autoencoder(const Source& source, const std::string& folder,
                                                            const Engine& engine) {
  const auto name = folder.empty() ? std::string("config.json") : folder + "/config.json";
  const auto kind = read_config(source, name, loading::class_name_of);
  if (kind == "AutoencoderTiny") {
    return load_autoencoder_of<models::AutoencoderTiny>(
        source, folder, read_config(source, name, loading::read_tiny_vae_config), loading::tiny_vae_rules(), engine);
  }
  check(kind.empty() || kind == "AutoencoderKL", ErrorCode::kUnsupported, source.describe(name),
        ": expected an AutoencoderKL or AutoencoderTiny, got ", fjord::quoted(kind));
  return load_autoencoder_of<models::AutoencoderKL>(source, folder, read_config(source, name, loading::read_vae_config),
                                                    loading::vae_rules(), engine);
}

void load_preview_vae(Model& model, const std::string& path, const Engine& engine) {
  if (path.empty()) return;
  model.preview_vae = load_autoencoder(*loading::open_folder(path), "", engine);
  const auto channels = model.preview_vae->config().latent_channels;
  check(channels == model.vae->config().latent_channels, ErrorCode::kBadFile, fjord::quoted(path, 300),
        ": expected an autoencoder of ", model.vae->config().latent_channels, " latent channels, got ", channels);
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

// What rests in main memory.
Offload offload_of(const Source& source, const Model& model, const config::UNet& unet) {
  if (model.memory_budget == 0) return Offload::kNone;
  const std::string name = "vae/config.json";
  const bool tiny = read_config(source, name, loading::class_name_of) == "AutoencoderTiny";
  const auto vae = tiny ? config::Vae() : read_config(source, name, loading::read_vae_config);
  return choose_offload(model.memory_budget, model.weight_bytes, usual_request(unet, vae, model.dtype));
}

}  // namespace

Model load_model(std::shared_ptr<const Source> shared_source, const LoadOptions& options) {
  const auto& source = *shared_source;
  Model model;
  model.device = parse_device(options.device);
  model.dtype = to_scalar_type(options.precision, model.device);
  check(!model.device.is_cpu() || model.dtype != at::kHalf, ErrorCode::kUnsupported,
        "float16 needs a GPU; use float32 or bfloat16 on the CPU");
  const auto index = read_config(source, "model_index.json", loading::read_model_index);
  model.family = family_of(index, source.describe("model_index.json"));
  const auto unet = read_config(source, "unet/config.json", loading::read_unet_config);
  model.scheduler = read_config(source, "scheduler/scheduler_config.json", loading::read_scheduler_config);
  model.cuda_paths = parse_cuda_paths(options.cuda_paths);
  model.memory_budget = cuda_ops(model.device) != nullptr ? options.memory_budget : 0;
  const bool keeps_text = !options.drop_text_encoder && !options.without_text_encoder;
  model.weight_bytes =
      stored_weights(source, keeps_text ? model.family.text_encoders : std::vector<std::string>(), model.dtype);
  model.offload = offload_of(source, model, unet);
  const bool parts_rest = model.offload != Offload::kNone, unet_rests = model.offload == Offload::kLayers;
  if (model.cuda_paths.graph && !unet_rests && cuda_ops(model.device) != nullptr)
    model.graphs = std::make_shared<StepGraphs>(/*lasting=*/true);
  const Engine engine{at::TensorOptions().device(model.device).dtype(model.dtype),
                      {model.device.is_cpu() ? choose_cpu_kernels(options.cpu_kernels) : nullptr, unet.round_inputs},
                      model.cuda_paths};
  const auto weights = MemoryPool::create(MemoryPool::Pages::kSmall);  // lives as long as the tensors in it
  const PoolScope scope(weights.get());
  for (const auto& folder : model.family.text_encoders) {
    model.text_encoders.push_back(
        load_text_encoder(shared_source, folder, engine.resting(parts_rest && keeps_text), options));
  }
  auto network = load_component<models::UNet2DConditionModel>(source, "unet", "diffusion_pytorch_model", unet,
                                                              loading::unet_rules(), engine.resting(unet_rests));
  use_attention(*network, options.attention);
  model.unet = std::move(network);
  model.vae = load_autoencoder(source, "vae", engine.resting(parts_rest));
  if (model.vae->options().dtype() != at::kFloat && (source.lasts() || options.drop_text_encoder)) {
    const Engine wide{engine.tensors.dtype(at::kFloat), engine.keeping, engine.cuda_paths};
    model.float32_vae = [shared_source, wide] { return load_autoencoder(*shared_source, "vae", wide); };
  }
  load_preview_vae(model, options.preview_vae, engine);
  check_fit(model);
  model.info = describe(model);
  model.info.pipeline = index.class_name;
  model.info.kernels = model.device.is_cuda()              ? "cuda"
                       : engine.keeping.kernels != nullptr ? engine.keeping.kernels->name
                                                           : "reference";
  read_own_defaults(source, model.info);
  const auto home = std::make_shared<AdapterHome>();
  home->options = engine.tensors;
  home->kernels = engine.keeping.kernels;
  home->attention = options.attention;
  home->keep_text = !options.drop_text_encoder;
  home->add_unet(unet, {shared_source, "unet", "diffusion_pytorch_model", &loading::unet_rules()});
  for (size_t i = 0; i < model.text_encoders.size(); ++i) {
    const auto& folder = model.family.text_encoders[i];
    home->add_text_encoder(text_part(model, i), model.text_encoders[i].config,
                           {shared_source, folder, "model", &loading::clip_text_rules()});
  }
  model.adapters = home;
  fuse_adapters(model, home, options.adapters);
  return model;
}

}  // namespace fjord::pipeline
