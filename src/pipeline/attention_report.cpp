// attention_layers() of the public interface: the layers of U-Net and VAE from their configurations alone.
#include <fjord/attention.h>

#include "core/check.h"
#include "core/cuda_plugin.h"
#include "kernels/cuda/attention_choice.h"
#include "loading/config_json.h"
#include "loading/source.h"
#include "pipeline/error_translation.h"

#include <algorithm>

namespace fjord {
namespace {

namespace choice = kernels::cuda;

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr int kMaxSize = 8192;
constexpr int kMaxImages = 1024;

struct Latents {
  int height = 0, width = 0;
};

struct Configs {
  config::UNet unet;
  config::Vae vae;
  int text_tokens = 77;
};

Configs read_configs(const std::string& path) {
  const auto source = loading::open_folder(path);
  const auto text = [&](const char* name) { return loading::read_text(*source, name, kMaxConfigSize); };
  Configs configs;
  configs.unet = loading::read_unet_config(text("unet/config.json"), source->describe("unet/config.json"));
  configs.vae = loading::read_vae_config(text("vae/config.json"), source->describe("vae/config.json"));
  constexpr const char* kText = "text_encoder/config.json";
  if (source->exists(kText))
    configs.text_tokens =
        static_cast<int>(loading::read_clip_text_config(text(kText), source->describe(kText)).max_position_embeddings);
  return configs;
}

class Report {
 public:
  Report(const AttentionQuery& query, const Configs& configs, int capability)
      : query_(query), configs_(configs), forced_(choice::parse_attention(query.attention)) {
    machine_.capability = capability;
    machine_.hopper_kernels = choice::kHopperKernels;
    const auto factor = 1 << (configs.vae.block_out_channels.size() - 1);
    const auto& size = configs.unet.sample_size;
    const auto latent = [&](int pixels, size_t dimension) {
      if (pixels > 0) return pixels / factor;
      return size.empty() ? 64 : static_cast<int>(size[std::min(dimension, size.size() - 1)]);
    };
    latents_ = {latent(query.height, 0), latent(query.width, 1)};
  }

  std::vector<AttentionLayer> layers() {
    const auto& unet = configs_.unet;
    const auto levels = unet.block_out_channels.size();
    for (size_t level = 0; level < levels; ++level) {
      if (unet.down_block_types[level] == "CrossAttnDownBlock2D")
        add_block(concat("unet.down_blocks.", level), level, unet.layers_per_block[level],
                  unet.transformer_layers_per_block[level]);
    }
    if (unet.mid_block_type == "UNetMidBlock2DCrossAttn")
      add_block("unet.mid_block", levels - 1, 1, {unet.transformer_layers_per_block.back().back()});
    for (size_t step = 0; step < levels; ++step) {
      const auto level = levels - 1 - step;
      if (unet.up_block_types[step] == "CrossAttnUpBlock2D")
        add_block(concat("unet.up_blocks.", step), level, unet.layers_per_block[level] + 1,
                  unet.reverse_transformer_layers_per_block.empty() ? unet.transformer_layers_per_block[level]
                                                                    : unet.reverse_transformer_layers_per_block[step]);
    }
    const auto width = static_cast<int>(configs_.vae.block_out_channels.back());
    if (configs_.vae.mid_block_add_attention) {
      const int pixels = latents_.height * latents_.width;
      add("vae.decoder.mid_block.attentions.0", {element(), 1, 1, width, pixels, pixels}, {});
    }
    return std::move(layers_);
  }

 private:
  choice::Element element() const {
    switch (query_.precision) {
      case Precision::kFloat32: return choice::Element::kFloat32;
      case Precision::kFloat16: return choice::Element::kFloat16;
      default: return choice::Element::kBFloat16;
    }
  }

  // Every level halves the sides, rounded up.
  int pixels_at(size_t level) const {
    auto [height, width] = latents_;
    for (size_t i = 0; i < level; ++i) {
      height = (height + 1) / 2;
      width = (width + 1) / 2;
    }
    return height * width;
  }

  void add_block(const std::string& block, size_t level, std::int64_t count, const std::vector<std::int64_t>& depths) {
    const auto& unet = configs_.unet;
    const auto heads = static_cast<int>(unet.num_attention_heads[level]);
    const auto head_dim = static_cast<int>(unet.block_out_channels[level]) / heads;
    const int batch = 2 * query_.images, pixels = pixels_at(level);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto depth = depths.size() == 1 ? depths.front() : depths.at(static_cast<size_t>(i));
      for (std::int64_t j = 0; j < depth; ++j) {
        const auto name = concat(block, ".attentions.", i, ".transformer_blocks.", j);
        const int self_keys = unet.only_cross_attention[level] ? configs_.text_tokens : pixels;
        add(name + ".attn1", {element(), batch, heads, head_dim, pixels, self_keys}, forced_);
        add(name + ".attn2", {element(), batch, heads, head_dim, pixels, configs_.text_tokens}, forced_);
      }
    }
  }

  void add(const std::string& name, const choice::AttentionShape& shape,
           const std::optional<choice::AttentionKind>& forced) {
    const auto chosen = choice::choose_attention(shape, machine_, forced);
    AttentionLayer layer{name,
                         shape.batch,
                         shape.heads,
                         shape.head_dim,
                         shape.queries,
                         shape.keys,
                         choice::to_string(chosen.kind),
                         chosen.reason,
                         {}};
    for (const auto& [kind, reason] : chosen.refused) layer.refused.emplace_back(choice::to_string(kind), reason);
    layers_.push_back(std::move(layer));
  }

  const AttentionQuery& query_;
  const Configs& configs_;
  std::optional<choice::AttentionKind> forced_;
  choice::AttentionMachine machine_;
  Latents latents_;
  std::vector<AttentionLayer> layers_;
};

int capability_of(const std::string& gpu) {
  if (!gpu.empty()) return choice::parse_capability(gpu);
  const auto driver = probe_cuda_driver();
  int best = 0;
  for (const auto& found : driver.gpus) best = std::max(best, found.capability);
  check(best > 0, ErrorCode::kDeviceUnavailable,
        "this machine has no GPU to ask about, name one (sm_90): ", driver.fault);
  return best;
}

}  // namespace

std::vector<AttentionLayer> attention_layers(const AttentionQuery& query) {
  return pipeline::translated([&] {
    for (const int side : {query.width, query.height})
      check(side >= 0 && side <= kMaxSize, ErrorCode::kInvalidArgument, "width and height must be from 0 to ", kMaxSize,
            " pixels, got ", side);
    check(query.images >= 1 && query.images <= kMaxImages, ErrorCode::kInvalidArgument, "images must be from 1 to ",
          kMaxImages, ", got ", query.images);
    const auto capability = capability_of(query.gpu);
    const auto configs = read_configs(query.model);
    return Report(query, configs, capability).layers();
  });
}

}  // namespace fjord
