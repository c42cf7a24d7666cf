// Counts follow the code of src/models line by line: what is named in a function lives until its end, arguments of a
// call as long as the call.
#include "pipeline/memory_plan.h"

#include "core/check.h"
#include "core/parallel.h"
#include "loading/checkpoint.h"
#include "models/vae/autoencoder_kl.h"
#include "models/vae/autoencoder_tiny.h"
#include "pipeline/control_set.h"
#include "pipeline/passes.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace fjord::pipeline {
namespace {

constexpr std::int64_t kPoolSlack = 16;  // of what a pool holds a sixteenth lies idle between blocks
constexpr std::int64_t kTransformedBytes =
    9;  // a pixel and channel: 36 floats for a tile of 16 pixels, ops/winograd.cpp
constexpr std::int64_t kTransformedShare = 8;  // MiB a thread at most, likewise

// The largest sum of what lives at once, in elements.
class Peak {
 public:
  void at_least(std::int64_t elements) { most_ = std::max(most_, elements); }
  std::int64_t most() const { return most_; }

 private:
  std::int64_t most_ = 0;
};

struct Level {
  std::int64_t pixels = 0;  // of the whole batch
  std::int64_t channels = 0;
};

// What a 3x3 convolution holds besides input and output, in elements.
std::int64_t transformed(std::int64_t pixels, std::int64_t in, const Compute& compute) {
  return std::min(kTransformedBytes * pixels * in, compute.transformed_bytes) / compute.element_bytes;
}

// models::ResnetBlock2D. The input lives through it, and the shortcut that is taken from it first: with the normed
// input and conv1's output, then with that, normed in place, and conv2's output.
std::int64_t resnet(std::int64_t pixels, std::int64_t in, std::int64_t out, const Compute& compute) {
  const std::int64_t shortcut = in == out ? 0 : out;
  return std::max(pixels * (2 * in + out + shortcut) + transformed(pixels, in, compute),
                  pixels * (in + 2 * out + shortcut) + transformed(pixels, out, compute));
}

// The same on an input that nobody else holds: it is normed in place once the shortcut has been taken from it.
std::int64_t resnet_in_place(std::int64_t pixels, std::int64_t in, std::int64_t out, const Compute& compute) {
  return std::max(pixels * (in + 2 * out) + transformed(pixels, in, compute),
                  pixels * 3 * out + transformed(pixels, out, compute));
}

// models::Transformer2DModel: input and normed map; then the block with its widest moment, the feed-forward.
std::int64_t transformer(std::int64_t pixels, std::int64_t channels, const Compute& compute) {
  const std::int64_t attention = 6 * channels;
  const std::int64_t feed_forward = (compute.fused ? 7 : 14) * channels;  // plain: 8 for both halves, 4 for the result
  return pixels * (2 * channels + std::max(attention, feed_forward));
}

class UNetWalk {
 public:
  UNetWalk(const config::UNet& unet, std::int64_t batch, const MapSize& latents, const Compute& compute)
      : unet_(unet), compute_(compute) {
    auto size = latents;
    for (const auto channels : unet.block_out_channels) {
      levels_.push_back({batch * size.height * size.width, channels});
      size = {(size.height + 1) / 2, (size.width + 1) / 2};
    }
  }

  std::int64_t peak() {
    go_to_the_bottom();
    for (size_t step = 0; step < levels_.size(); ++step) go_up(step);
    return peak_.most();
  }

  // models::ControlNetModel: every map of the way down and the bottom's stay until all are mixed.
  std::int64_t control_peak() {
    go_to_the_bottom();
    peak_.at_least(2 * maps());
    return peak_.most();
  }
  // Of the way down and the bottom; once one has gone there.
  std::int64_t maps() const { return kept_ + levels_.back().pixels * levels_.back().channels; }

 private:
  struct Skip {
    std::int64_t pixels, channels;
  };

  void keep(std::int64_t pixels, std::int64_t channels) {
    skips_.push_back({pixels, channels});
    kept_ += pixels * channels;
  }

  void go_to_the_bottom() {
    keep(levels_.front().pixels, levels_.front().channels);
    for (size_t level = 0; level < levels_.size(); ++level) go_down(level);
    const auto& deepest = levels_.back();
    if (!unet_.mid_block_type) return;
    peak_.at_least(kept_ + resnet(deepest.pixels, deepest.channels, deepest.channels, compute_));
    if (*unet_.mid_block_type == "UNetMidBlock2DCrossAttn")
      peak_.at_least(kept_ + transformer(deepest.pixels, deepest.channels, compute_));
  }

  // The map at hand is the latest skip connection.
  void go_down(size_t level) {
    const auto [pixels, channels] = levels_[level];
    const bool attends = unet_.down_block_types[level] == "CrossAttnDownBlock2D";
    for (std::int64_t i = 0; i < unet_.layers_per_block[level]; ++i) {
      const auto in = skips_.back().channels;
      peak_.at_least(kept_ - pixels * in + resnet(pixels, in, channels, compute_));
      if (attends) peak_.at_least(kept_ + transformer(pixels, channels, compute_));
      keep(pixels, channels);
    }
    if (level + 1 < levels_.size()) keep(levels_[level + 1].pixels, channels);
  }

  void go_up(size_t step) {
    const auto level = levels_.size() - 1 - step;
    const auto [pixels, channels] = levels_[level];
    const bool attends = unet_.up_block_types[step] == "CrossAttnUpBlock2D";
    for (std::int64_t i = 0; i <= unet_.layers_per_block[level]; ++i) {
      const auto skip = skips_.back();
      const auto hidden = i == 0 && step > 0 ? levels_[level + 1].channels : channels;
      // Map and skip connection stay while both lie joined before the residual block.
      peak_.at_least(kept_ + pixels * hidden + resnet(pixels, hidden + skip.channels, channels, compute_));
      kept_ -= skip.pixels * skip.channels;
      skips_.pop_back();
      if (attends) peak_.at_least(kept_ + transformer(pixels, channels, compute_));
    }
    if (level == 0) return peak_.at_least(kept_ + 2 * pixels * channels);
    const auto larger = levels_[level - 1].pixels;
    peak_.at_least(kept_ + pixels * channels + (compute_.fused ? 1 : 2) * larger * channels +
                   transformed(larger, channels, compute_));
  }

  const config::UNet& unet_;
  const Compute& compute_;
  std::vector<Level> levels_;
  std::vector<Skip> skips_;
  std::int64_t kept_ = 0;
  Peak peak_;
};

// Keys and values of the text at every layer that attends, kept by the request.
std::int64_t text_keys(const config::UNet& unet, std::int64_t batch, std::int64_t tokens) {
  std::int64_t features = 0;
  const auto depth_of = [](const std::vector<std::int64_t>& depths, std::int64_t layer) {
    return depths.size() == 1 ? depths.front() : depths.at(static_cast<size_t>(layer));
  };
  const auto levels = unet.block_out_channels.size();
  for (size_t level = 0; level < levels; ++level) {
    const auto& depths = unet.transformer_layers_per_block[level];
    const auto layers = unet.layers_per_block[level];
    const bool down = unet.down_block_types[level] == "CrossAttnDownBlock2D";
    const bool up = unet.up_block_types[levels - 1 - level] == "CrossAttnUpBlock2D";
    for (std::int64_t i = 0; i < layers && down; ++i) features += unet.block_out_channels[level] * depth_of(depths, i);
    for (std::int64_t i = 0; i <= layers && up; ++i)
      features += unet.block_out_channels[level] * depth_of(depths, std::min(i, layers - 1));
  }
  if (unet.mid_block_type == "UNetMidBlock2DCrossAttn")
    features += unet.block_out_channels.back() * unet.transformer_layers_per_block.back().back();
  return 2 * batch * tokens * features;
}

std::uint64_t in_bytes(std::int64_t elements, const Compute& compute) {
  const auto bytes = elements * compute.element_bytes;
  return static_cast<std::uint64_t>(bytes + bytes / kPoolSlack);
}

Compute compute_of(const Model& model) {
  const bool own = model.device.is_cpu() && model.info.kernels != "reference";
  return {static_cast<std::int64_t>(c10::elementSize(model.dtype)), own,
          own ? (kTransformedShare << 20) * parallel_workers() : 0};
}

struct Decoding {
  std::uint64_t whole = 0;
  std::uint64_t tiled = 0;  // a tile, and the whole picture that the tiles become
};

Decoding full_decoding(const config::Vae& vae, const MapSize& latents, const Compute& compute) {
  const auto factor = std::int64_t{1} << (vae.block_out_channels.size() - 1);
  const auto tile = std::max<std::int64_t>(1, vae.sample_size / factor);
  const MapSize one{std::min(tile, latents.height), std::min(tile, latents.width)};
  const auto picture = vae.out_channels * latents.height * latents.width * factor * factor;
  const auto whole = decoder_memory(vae, latents, compute);
  const auto tiled =
      decoder_memory(vae, one, compute) + static_cast<std::uint64_t>(3 * picture * compute.element_bytes);
  return {whole, std::min(whole, tiled)};
}

Decoding decoding(const models::Autoencoder& vae, const MapSize& latents, const Compute& compute) {
  const auto* full = dynamic_cast<const models::AutoencoderKL*>(&vae);
  if (full != nullptr) return full_decoding(full->config(), latents, compute);
  const auto bytes = decoder_memory(dynamic_cast<const models::AutoencoderTiny&>(vae).config(), latents, compute);
  return {bytes, bytes};  // has no tiles
}

struct Controls {
  ControlMemory sum;  // running: the most of one
  std::uint64_t weights = 0;
};

Controls controls_of(const Model& model, const Request& request, const ControlBatch& batch, const MapSize& latents,
                     const Compute& compute) {
  Controls out;
  std::set<const void*> counted;
  const auto factor = model.vae->factor();
  for (const auto& use : request.controls) {
    const auto& control = *ControlAccess::get(use.control);
    if (counted.insert(&control).second) out.weights += control.weight_bytes;
    if (use.scale == 0) continue;
    const auto needs =
        control.net ? control_memory(control.net->control_config(), batch, latents, model.info.max_tokens, compute)
                    : control_memory(control.adapter->config(), batch,
                                     {latents.height * factor, latents.width * factor}, compute);
    out.sum.running = std::max(out.sum.running, needs.running);
    out.sum.said = std::max(out.sum.said, needs.said);  // they are added up
    out.sum.kept += needs.kept;
  }
  return out;
}

}  // namespace

ControlMemory control_memory(const config::ControlNet& control, const ControlBatch& batch, const MapSize& latents,
                             std::int64_t tokens, const Compute& compute) {
  const auto pixels = latents.height * latents.width;
  const auto halvings = control.conditioning_embedding_out_channels.size() - 1;
  const auto seen = batch.pictures * (pixels << (2 * halvings));  // pixels of the pictures
  const auto embedding =
      seen * (2 * control.conditioning_embedding_out_channels.front() + control.conditioning_channels);
  UNetWalk walk(control.unet, batch.rows, latents, compute);
  ControlMemory out;
  out.running = in_bytes(std::max(walk.control_peak(), embedding), compute);
  out.said = in_bytes(walk.maps(), compute);
  out.kept = in_bytes(
      text_keys(control.unet, batch.rows, tokens) + batch.pictures * pixels * control.unet.block_out_channels.front(),
      compute);
  return out;
}

ControlMemory control_memory(const config::T2IAdapter& adapter, const ControlBatch& batch, const MapSize& picture,
                             const Compute& compute) {
  std::int64_t kept = 0, layer = 0;
  for (const auto& map : models::T2IAdapter::maps(adapter)) {
    const auto pixels =
        ((picture.height + map.factor - 1) / map.factor) * ((picture.width + map.factor - 1) / map.factor);
    kept += batch.pictures * pixels * map.channels;
    layer = std::max(layer, 4 * batch.pictures * pixels * map.channels);
  }
  const auto squares = 2 * batch.pictures * picture.height * picture.width * adapter.in_channels;
  ControlMemory out;
  out.running = in_bytes(kept + layer + squares, compute);
  out.kept = in_bytes(kept, compute);
  return out;
}

std::uint64_t unet_memory(const config::UNet& unet, std::int64_t batch, const MapSize& latents, std::int64_t tokens,
                          const Compute& compute) {
  return in_bytes(UNetWalk(unet, batch, latents, compute).peak() + text_keys(unet, batch, tokens), compute);
}

std::uint64_t decoder_memory(const config::Vae& vae, const MapSize& latents, const Compute& compute) {
  const auto levels = vae.block_out_channels.size();
  auto pixels = latents.height * latents.width;
  auto in = vae.block_out_channels.back();
  Peak peak;
  peak.at_least(resnet_in_place(pixels, in, in, compute));
  if (vae.mid_block_add_attention) {
    // Map, normed map, keys, values, queries, answer. LibTorch's plain attention also holds the scores.
    const auto scores = compute.fused ? 0 : pixels * std::min<std::int64_t>(pixels, 1024);
    peak.at_least(7 * pixels * in + scores);
  }
  for (size_t step = 0; step < levels; ++step) {
    const auto out = vae.block_out_channels[levels - 1 - step];
    for (std::int64_t i = 0; i <= vae.layers_per_block; ++i, in = out)
      peak.at_least(resnet_in_place(pixels, in, out, compute));
    if (step + 1 == levels) break;
    peak.at_least(pixels * out + (compute.fused ? 1 : 2) * 4 * pixels * out + transformed(4 * pixels, out, compute));
    pixels *= 4;
  }
  peak.at_least(2 * pixels * in + pixels * vae.out_channels);
  return in_bytes(peak.most(), compute);
}

std::uint64_t decoder_memory(const config::TinyVae& vae, const MapSize& latents, const Compute& compute) {
  const auto halvings = vae.decoder_block_out_channels.size() - 1;
  const auto pixels = (latents.height * latents.width) << (2 * halvings);
  const auto channels = vae.decoder_block_out_channels.back();
  // A block's input, what a convolution makes of it, its activation, and the next convolution's result.
  return in_bytes(4 * pixels * channels + transformed(pixels, channels, compute), compute);
}

namespace {

// Tables are looked up, not multiplied, and stay on a GPU as small tensors do.
bool rests(const std::string& name, const std::vector<std::int64_t>& shape) {
  const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
  return shape.size() > 1 && !is("token_embedding") && !is("position_embedding") && !is("class_embedding");
}

void add_weights(WeightBytes& sum, const loading::Checkpoint& checkpoint, at::ScalarType dtype) {
  for (const auto& name : checkpoint.names()) {
    const auto& entry = *checkpoint.find(name);
    auto size = static_cast<std::uint64_t>(entry.type == at::kChar ? 1 : c10::elementSize(dtype));
    for (const auto extent : entry.shape) size *= static_cast<std::uint64_t>(extent);
    sum.all += size;
    if (!rests(name, entry.shape)) sum.staying += size;
    if (rests(name, entry.shape)) sum.largest = std::max(sum.largest, size);
  }
}

}  // namespace

ModelBytes stored_weights(const loading::Source& source, const std::vector<std::string>& text_encoders,
                          at::ScalarType dtype) {
  ModelBytes bytes;
  add_weights(bytes.unet, loading::Checkpoint(source, "unet", "diffusion_pytorch_model"), dtype);
  add_weights(bytes.vae, loading::Checkpoint(source, "vae", "diffusion_pytorch_model"), dtype);
  for (const auto& folder : text_encoders) add_weights(bytes.text, loading::Checkpoint(source, folder, "model"), dtype);
  return bytes;
}

RequestBytes usual_request(const config::UNet& unet, const config::Vae& vae, at::ScalarType dtype) {
  constexpr std::int64_t kBranches = 2, kTokens = 77;
  const Compute compute{static_cast<std::int64_t>(c10::elementSize(dtype)), false, 0};
  const auto& size = unet.sample_size;
  const MapSize latents = size.empty() ? MapSize{64, 64} : MapSize{size.front(), size.back()};
  return {unet_memory(unet, kBranches, latents, kTokens, compute), full_decoding(vae, latents, compute).tiled};
}

std::uint64_t budget_of(const Model& model, const Request& request) {
  return request.memory_budget != 0 ? request.memory_budget : model.memory_budget;
}

MemoryPlan plan_memory(const Model& model, const Request& request) {
  const auto factor = model.vae->factor();
  const auto size = second_pass_size(request, model.info.size_multiple);  // the largest pass
  const MapSize latents{size.height / factor, size.width / factor};
  const auto compute = compute_of(model);
  const auto guided = model.info.needs_image ? 3 : 2;
  const auto branches = *request.guidance > 1 && !model.unet->config().time_cond_proj_dim ? guided : 1;
  const auto budget = budget_of(model, request);
  MemoryPlan plan{.device = model.info.device,
                  .weights = model.weight_bytes.kept(model.offload),
                  .offload = model.offload,
                  .vae_tiling = request.vae_tiling};
  const auto pictures = static_cast<std::int64_t>(std::max<size_t>(1, request.image_input.images.size()));
  const auto controls = controls_of(model, request, {branches * request.images, pictures}, latents, compute);
  plan.weights += controls.weights;
  const auto unet =
      unet_memory(model.unet->config(), branches * request.images, latents, model.info.max_tokens, compute);
  // While a ControlNet runs, what those before it said is there.
  plan.denoising = controls.sum.kept + controls.sum.said + std::max(unet, controls.sum.running) +
                   model.weight_bytes.brought_to_denoise(model.offload);
  const auto brought = model.weight_bytes.brought_to_decode(model.offload);
  const auto all = decoding(*model.vae, latents, compute);
  const auto whole = all.whole + brought, tiled = all.tiled + brought;
  const auto fits = [&](std::uint64_t bytes) { return budget == 0 || plan.weights + bytes <= budget; };
  plan.vae_tiling = request.vae_tiling || !fits(whole);
  if (request.decode) plan.decoding = plan.vae_tiling ? tiled : whole;
  plan.peak = plan.weights + std::max(plan.denoising, plan.decoding);
  plan.graph = model.graphs != nullptr && fits(plan.peak - plan.weights + plan.denoising);
  if (plan.graph) plan.peak += plan.denoising;
  check(fits(std::max(plan.denoising, plan.decoding)), ErrorCode::kOutOfMemory, "the request needs about ",
        plan.peak >> 20, " MiB on ", plan.device, ", memory_budget allows ", budget >> 20,
        " MiB; fewer images at once, a smaller picture or a model in bfloat16 need less");
  return plan;
}

}  // namespace fjord::pipeline
