// Times kernels and networks on a GPU; prints one JSON object a line. What is timed runs inside a recorded graph, so no
// launch is waited for. Usage: bench_gpu kernels | unet | tiny      (tiny: every kernel once, for compute-sanitizer)
#include "gpu/timing.h"

#include "core/check.h"
#include "loading/config_json.h"
#include "loading/source.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "pipeline/cuda_setup.h"

#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <string>

namespace fjord::bench {
namespace {

struct Shape {
  const char* layer;
  std::int64_t batch, heads, head_dim, queries, keys;
};

constexpr Shape kShapes[] = {
    {"sd15-512-L0", 2, 8, 40, 4096, 4096},      {"sd15-512-L1", 2, 8, 80, 1024, 1024},
    {"sd15-512-L2", 2, 8, 160, 256, 256},       {"sd15-1024-L0", 2, 8, 40, 16384, 16384},
    {"sd15-1024-L1", 2, 8, 80, 4096, 4096},     {"sd21-768-L0", 2, 5, 64, 9216, 9216},
    {"sdxl-1024-L1", 2, 10, 64, 4096, 4096},    {"sdxl-1024-L2", 2, 20, 64, 1024, 1024},
    {"sd15-512-text-L0", 2, 8, 40, 4096, 77},   {"sd15-512-text-L1", 2, 8, 80, 1024, 77},
    {"sd15-512-text-L2", 2, 8, 160, 256, 77},   {"sdxl-1024-text-L1", 2, 10, 64, 4096, 77},
    {"sdxl-1024-text-L2", 2, 20, 64, 1024, 77}, {"vae-512", 1, 1, 512, 4096, 4096},
    {"vae-1024", 1, 1, 512, 16384, 16384},
};
constexpr Shape kTiny[] = {{"tiny", 1, 1, 40, 130, 70},  {"tiny", 1, 1, 64, 130, 70},  {"tiny", 1, 1, 80, 130, 70},
                           {"tiny", 1, 1, 128, 130, 70}, {"tiny", 1, 1, 160, 130, 70}, {"tiny", 1, 1, 512, 70, 70},
                           {"tiny", 1, 2, 40, 70, 400}};
constexpr const char* kKinds[] = {"own-hopper", "own", "cudnn", "flash", "mem-efficient", "chunked", "math"};

at::TensorOptions on_gpu() { return at::TensorOptions().device(at::kCUDA).dtype(at::kBFloat16); }

void time_attention(const Shape& s, const Timing& timing) {
  const auto q = at::randn({s.batch, s.queries, s.heads * s.head_dim}, on_gpu());
  const auto k = at::randn({s.batch, s.keys, s.heads * s.head_dim}, on_gpu()), v = at::randn(k.sizes(), on_gpu());
  const auto chosen = gpu().attention_kernel(q, k, {.heads = s.heads});
  for (const char* kind : kKinds) {
    if (std::string(kind) == "math" && s.queries * s.keys > std::int64_t{1} << 26) continue;  // gigabytes of scores
    double us = 0;
    try {
      us = timing.microseconds([&] { gpu().attention(q, k, v, {.heads = s.heads, .kind = kind}); });
    } catch (const Error&) {
      continue;  // cannot serve this shape
    }
    const double operations = 4.0 * static_cast<double>(s.batch * s.heads * s.head_dim * s.queries * s.keys);
    std::printf("{\"what\": \"attention\", \"layer\": \"%s\", \"by\": \"%s\", \"us\": %.2f, \"tflops\": %.1f}\n",
                s.layer, kind, us, operations / us * 1e-6);
  }
  std::printf("{\"what\": \"choice\", \"layer\": \"%s\", \"kernel\": \"%s\"}\n", s.layer, chosen.c_str());
}

void report_bytes(const char* what, const char* by, double us, double bytes) {
  std::printf("{\"what\": \"%s\", \"by\": \"%s\", \"us\": %.2f, \"gbps\": %.0f}\n", what, by, us, bytes / us * 1e-3);
}

void time_rows(std::int64_t side, std::int64_t channels, const Timing& timing) {
  const auto map = at::randn({2, channels, side, side}, on_gpu()).contiguous(at::MemoryFormat::ChannelsLast);
  const auto tokens = at::randn({2, side * side, channels}, on_gpu());
  const auto gates = at::randn({2, side * side, 8 * channels}, on_gpu());
  const auto weight = at::randn({channels}, on_gpu()), bias = at::randn({channels}, on_gpu());
  const auto name = [&](const char* op) {
    return std::string(op) + " " + std::to_string(channels) + "x" + std::to_string(side);
  };
  const auto bytes = 4.0 * static_cast<double>(map.numel());  // read once, written once
  report_bytes(name("group_norm").c_str(), "own",
               timing.microseconds([&] { gpu().group_norm(map, weight, bias, 32, 1e-5, true); }), bytes);
  report_bytes(name("group_norm").c_str(), "libtorch",
               timing.microseconds([&] { at::silu(at::group_norm(map, 32, weight, bias, 1e-5)); }), bytes);
  report_bytes(name("layer_norm").c_str(), "own",
               timing.microseconds([&] { gpu().layer_norm(tokens, tokens, weight, bias, 1e-5); }), 2 * bytes);
  report_bytes(name("layer_norm").c_str(), "libtorch",
               timing.microseconds([&] { at::layer_norm(tokens.add(tokens), {channels}, weight, bias, 1e-5); }),
               2 * bytes);
  report_bytes(name("gated_gelu").c_str(), "own", timing.microseconds([&] { gpu().gated_gelu(gates); }), 6 * bytes);
}

std::string config_text(const std::string& name) {
  const auto source = loading::open_folder(FJORD_SOURCE_DIR "/tests/data/keys");
  return loading::read_text(*source, name + ".json", 1 << 20);
}

// The ways to compute that are compared.
struct Way {
  const char* name;
  CudaPaths paths;
};
const Way kWays[] = {{"fjord", {}}, {"fjord plain", CudaPaths::none()}};

// Random weights, laid out as a pipeline loads them.
void fill(nn::Module& network, const CudaPaths& paths) {
  for (const auto& [name, tensor] : network.named_parameters()) tensor->normal_(0, 0.02);
  for (const auto& [name, module] : network.modules()) module->make_plain();
  pipeline::prepare_for_gpu(network, paths);
}

void time_unet(const std::string& name, std::int64_t size, const Way& way, const Timing& timing) {
  models::UNet2DConditionModel unet(loading::read_unet_config(config_text(name), name), on_gpu());
  fill(unet, way.paths);
  models::RunMemory memory;
  memory.timesteps = {500};
  models::UNetInput input;
  input.sample = at::randn({2, unet.config().in_channels, size / 8, size / 8}, on_gpu());
  input.timestep = 500;
  input.encoder_hidden_states = at::randn({2, 77, unet.config().cross_attention_dim.front()}, on_gpu());
  if (unet.config().addition_embed_type) {
    input.text_embeds = at::randn({2, 1280}, on_gpu());
    input.time_ids = at::ones({2, 6}, on_gpu());
  }
  input.memory = &memory;
  gpu().peak_memory(0);
  const double ms = timing.microseconds([&] { unet.forward(input); }, 1) / 1000;
  std::printf(
      "{\"what\": \"unet\", \"model\": \"%s\", \"size\": %d, \"by\": \"%s\", \"ms\": %.3f, \"peak_mib\": %.0f}\n",
      name.c_str(), static_cast<int>(size), way.name, ms, static_cast<double>(gpu().peak_memory(0)) / 1048576);
}

void time_vae(const std::string& name, std::int64_t size, const Way& way, const Timing& timing) {
  models::AutoencoderKL vae(loading::read_vae_config(config_text(name), name), on_gpu());
  fill(vae, way.paths);
  const auto latents = at::randn({1, 4, size / 8, size / 8}, on_gpu());
  const double ms = timing.microseconds([&] { vae.decode(latents); }, 1) / 1000;
  std::printf("{\"what\": \"vae\", \"model\": \"%s\", \"size\": %d, \"by\": \"%s\", \"ms\": %.3f}\n", name.c_str(),
              static_cast<int>(size), way.name, ms);
}

// The product of a projection, with bias and residual.
void time_product(std::int64_t rows, std::int64_t in, std::int64_t out, const Timing& timing) {
  const auto x = at::randn({rows, in}, on_gpu()), weight = at::randn({out, in}, on_gpu());
  const auto bias = at::randn({out}, on_gpu()), residual = at::randn({rows, out}, on_gpu());
  const auto report = [&](const char* by, const CudaSum& sum) {
    const double us = timing.microseconds([&] { gpu().linear(x, weight, bias, sum); });
    const double operations = 2.0 * static_cast<double>(rows * in * out);
    std::printf(
        "{\"what\": \"product\", \"rows\": %d, \"in\": %d, \"out\": %d, \"by\": \"%s\", \"us\": %.2f, \"tflops\": "
        "%.1f}\n",
        static_cast<int>(rows), static_cast<int>(in), static_cast<int>(out), by, us, operations / us * 1e-6);
  };
  report("timed", {residual, true, true});
  report("first", {residual, true, false});
  report("apart", {residual, false, false});
}

void run(const std::string& what) {
  check(cuda_plugin().ops != nullptr, ErrorCode::kDeviceUnavailable, "no GPU: ", cuda_plugin().fault);
  const c10::InferenceMode inference;
  if (what == "tiny") {
    const Timing once{.warm = 0, .replays = 0};
    for (const auto& shape : kTiny) time_attention(shape, once);
    return time_rows(8, 320, once);
  }
  const Timing timing;
  if (what == "kernels") {
    for (const auto& shape : kShapes) time_attention(shape, timing);
    time_rows(64, 320, timing);
    time_rows(32, 1280, timing);
    time_product(8192, 320, 320, timing);
    time_product(8192, 320, 2560, timing);
    time_product(2048, 640, 640, timing);
    time_product(2048, 1280, 1280, timing);
    time_product(2048, 1280, 10240, timing);
    time_product(2048, 5120, 1280, timing);
    return time_rows(512, 128, timing);
  }
  check(what == "unet", ErrorCode::kInvalidArgument, "expected kernels, unet or tiny, got ", quoted(what));
  for (const auto& way : kWays) {
    time_unet("unet_sd15", 512, way, timing);
    time_unet("unet_sd15", 1024, way, timing);
    time_unet("unet_sd21", 768, way, timing);
    time_unet("unet_sdxl", 1024, way, timing);
    time_vae("vae_sd15", 512, way, timing);
    time_vae("vae_sdxl", 1024, way, timing);
  }
  for (const auto& note : gpu().end_request()) std::fprintf(stderr, "%s\n", note.c_str());
}

}  // namespace
}  // namespace fjord::bench

int main(int argc, char** argv) {
  try {
    fjord::bench::run(argc == 2 ? argv[1] : "");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
