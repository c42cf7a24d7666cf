// Times one part of a pipeline as the pipeline runs it, and prints JSON.
// Usage: bench_parts FOLDER unet|vae|text|image float32|bfloat16 REPEATS [KERNELS]
#include "loading/source.h"
#include "pipeline/model.h"
#include "pipeline/run_scope.h"

#include <fjord/fjord.h>

#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <sys/resource.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

using fjord::pipeline::Model;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A guided forward of 512x512 pixels: a batch of two.
std::function<void()> unet_forward(const Model& model) {
  fjord::models::UNetInput input;
  const auto options = at::TensorOptions().dtype(model.dtype);
  const auto size = model.info.width / model.info.size_multiple;
  input.sample = at::randn({2, model.info.latent_channels, size, size}, options);
  input.timesteps = at::full({2}, 500.0, at::kFloat);
  input.encoder_hidden_states = at::randn({2, 77, model.unet->config().cross_attention_dim.front()}, options);
  return [&model, input] { model.unet->forward(input); };
}

std::function<void()> vae_decode(const Model& model) {
  const auto size = model.info.width / model.info.size_multiple;
  const auto latents = at::randn({1, model.info.latent_channels, size, size}, at::TensorOptions().dtype(model.dtype));
  return [&model, latents] { model.vae->decode(latents); };
}

std::function<void()> text_forward(const Model& model) {
  const auto ids = at::randint(0, 1000, {2, 77}, at::TensorOptions().dtype(at::kLong));
  return [&model, ids] { model.text_encoder->forward(ids); };
}

std::function<void()> part(const Model& model, const std::string& name) {
  if (name == "unet") return unet_forward(model);
  if (name == "vae") return vae_decode(model);
  if (name == "text") return text_forward(model);
  return {};
}

void print(double load, const std::vector<double>& seconds) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"load_s\": %.3f, \"peak_gib\": %.3f, \"seconds\": [", load,
              static_cast<double>(usage.ru_maxrss) / (1 << 20));
  for (size_t i = 0; i < seconds.size(); ++i) std::printf("%s%.4f", i == 0 ? "" : ", ", seconds[i]);
  std::printf("]}\n");
}

int run(const std::string& folder, const std::string& name, const fjord::LoadOptions& options, int repeats) {
  std::vector<double> seconds;
  if (name == "image") {
    std::unique_ptr<const fjord::Pipeline> pipeline;
    const double load =
        seconds_of([&] { pipeline = std::make_unique<const fjord::Pipeline>(fjord::Pipeline::load(folder, options)); });
    fjord::Request request;
    request.prompt = "a gold crown on red cloth";
    request.steps = 20;
    for (int i = 0; i < repeats; ++i) seconds.push_back(seconds_of([&] { pipeline->generate(request); }));
    return print(load, seconds), 0;
  }
  const auto pool = fjord::MemoryPool::create();
  const fjord::pipeline::RunScope scope(0, pool.get());
  Model model;
  const double load =
      seconds_of([&] { model = fjord::pipeline::load_model(*fjord::loading::open_folder(folder), options); });
  const auto work = part(model, name);
  if (!work) return std::fprintf(stderr, "the part must be unet, vae, text or image, got %s\n", name.c_str()), 64;
  work();  // warm-up
  for (int i = 0; i < repeats; ++i) seconds.push_back(seconds_of(work));
  return print(load, seconds), 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 5) {
    std::fprintf(stderr, "usage: bench_parts FOLDER unet|vae|text|image float32|bfloat16 REPEATS [KERNELS]\n");
    return 64;
  }
  fjord::LoadOptions options;
  if (std::string(argv[3]) == "bfloat16") options.precision = fjord::Precision::kBFloat16;
  if (argc > 5) options.cpu_kernels = argv[5];
  return run(argv[1], argv[2], options, std::atoi(argv[4]));
} catch (const std::exception& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
