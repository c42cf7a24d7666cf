#include "peers/parts.h"

#include "core/check.h"
#include "core/device.h"
#include "core/memory_pool.h"
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/load_into.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "pipeline/cpu_kernels.h"

#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <memory>

namespace fjord::bench {
namespace {

constexpr std::int64_t kBatch = 2;
constexpr std::int64_t kTokens = 77;
constexpr std::int64_t kSizeNumbers = 6;  // sizes and crops that a U-Net with size conditions looks at
constexpr std::int64_t kDefaultLatentSize = 64;

// Where a part lies in the folder, and how it is read.
template <typename Config>
struct Layout {
  const char* folder;
  const char* stem;
  Config (*read)(std::string_view text, const std::string& where);
  const loading::KeyRules& (*rules)();
};

bool rounds_inputs(const config::UNet& config) { return config.round_inputs; }
bool rounds_inputs(const auto&) { return false; }

template <typename Part, typename Config>
std::shared_ptr<const Part> load(const std::string& folder, const Layout<Config>& layout, const LoadOptions& options) {
  const auto source = loading::open_folder(folder);
  const auto name = std::string(layout.folder) + "/config.json";
  const auto config = layout.read(loading::read_text(*source, name, 1 << 20), source->describe(name));
  const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);
  const PoolScope scope(pool.get());
  auto part = std::make_shared<Part>(config, at::TensorOptions().dtype(to_scalar_type(options.precision, at::kCPU)));
  const loading::Checkpoint checkpoint(*source, layout.folder, layout.stem);
  loading::load_into(*part, checkpoint, layout.rules(), source->describe(layout.folder),
                     {pipeline::choose_cpu_kernels(options.cpu_kernels), rounds_inputs(config)});
  return part;
}

models::UNetInput unet_input(const config::UNet& config, const at::TensorOptions& options) {
  const auto& size = config.sample_size;
  const auto height = size.empty() ? kDefaultLatentSize : size.front();
  const auto width = size.empty() ? kDefaultLatentSize : size.back();
  models::UNetInput input;
  input.sample = at::randn({kBatch, config.in_channels, height, width}, options);
  input.timesteps = at::full({kBatch}, 500.0, at::kFloat);
  const auto text = config.encoder_hid_dim.value_or(config.cross_attention_dim.front());
  input.encoder_hidden_states = at::randn({kBatch, kTokens, text}, options);
  if (!config.addition_embed_type) return input;
  const auto size_features = kSizeNumbers * config.addition_time_embed_dim.value();
  const auto pooled = config.projection_class_embeddings_input_dim.value() - size_features;
  input.text_embeds = at::randn({kBatch, pooled}, options);
  input.time_ids = at::full({kBatch, kSizeNumbers}, 1024.0, at::kFloat);
  return input;
}

std::function<void()> load_unet(const std::string& folder, const LoadOptions& options) {
  const Layout<config::UNet> layout{"unet", "diffusion_pytorch_model", loading::read_unet_config, loading::unet_rules};
  const auto unet = load<models::UNet2DConditionModel>(folder, layout, options);
  const auto input = unet_input(unet->config(), at::TensorOptions().dtype(to_scalar_type(options.precision, at::kCPU)));
  return [unet, input] { unet->forward(input); };
}

std::function<void()> load_vae(const std::string& folder, const LoadOptions& options) {
  const Layout<config::Vae> layout{"vae", "diffusion_pytorch_model", loading::read_vae_config, loading::vae_rules};
  const auto vae = load<models::AutoencoderKL>(folder, layout, options);
  const auto size = vae->config().sample_size / vae->factor();
  const auto latents = at::randn({1, vae->config().latent_channels, size, size},
                                 at::TensorOptions().dtype(to_scalar_type(options.precision, at::kCPU)));
  return [vae, latents] { vae->decode(latents); };
}

std::function<void()> load_text(const std::string& folder, const LoadOptions& options) {
  const Layout<config::ClipText> layout{"text_encoder", "model", loading::read_clip_text_config,
                                        loading::clip_text_rules};
  const auto text = load<models::ClipTextModel>(folder, layout, options);
  const auto ids = at::randint(0, 1000, {kBatch, kTokens}, at::TensorOptions().dtype(at::kLong));
  return [text, ids] { text->forward(ids); };
}

}  // namespace

std::function<void()> load_part(const std::string& folder, const std::string& name, const LoadOptions& options) {
  if (name == "unet") return load_unet(folder, options);
  if (name == "vae") return load_vae(folder, options);
  if (name == "text") return load_text(folder, options);
  fail(ErrorCode::kInvalidArgument, "the part must be unet, vae, text or image, got ", quoted(name));
}

}  // namespace fjord::bench
