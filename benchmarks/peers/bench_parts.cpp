// Times one part of a model folder, or a whole picture, and prints JSON.
// Usage: bench_parts FOLDER unet|vae|text|image float32|bfloat16 REPEATS [KERNELS]
#include "peers/parts.h"
#include "pipeline/run_scope.h"

#include <fjord/fjord.h>

#include <sys/resource.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr int kSteps = 20;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print(double load, const std::vector<double>& seconds) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"load_s\": %.3f, \"peak_gib\": %.3f, \"seconds\": [", load,
              static_cast<double>(usage.ru_maxrss) / (1 << 20));
  for (size_t i = 0; i < seconds.size(); ++i) std::printf("%s%.4f", i == 0 ? "" : ", ", seconds[i]);
  std::printf("]}\n");
}

void time_image(const std::string& folder, const fjord::LoadOptions& options, int repeats) {
  std::unique_ptr<const fjord::Pipeline> pipeline;
  const double load =
      seconds_of([&] { pipeline = std::make_unique<const fjord::Pipeline>(fjord::Pipeline::load(folder, options)); });
  fjord::Request request;
  request.prompt = "a gold crown on red cloth";
  request.steps = 1;
  pipeline->generate(request);  // warm-up
  request.steps = kSteps;
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) seconds.push_back(seconds_of([&] { pipeline->generate(request); }));
  print(load, seconds);
}

void time_part(const std::string& folder, const std::string& name, const fjord::LoadOptions& options, int repeats) {
  const auto pool = fjord::MemoryPool::create(fjord::MemoryPool::Pages::kLarge);
  const fjord::pipeline::RunScope scope(0, pool.get());
  std::function<void()> forward;
  const double load = seconds_of([&] { forward = fjord::bench::load_part(folder, name, options); });
  forward();  // warm-up
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) seconds.push_back(seconds_of(forward));
  print(load, seconds);
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
  const std::string part = argv[2];
  const int repeats = std::atoi(argv[4]);
  part == "image" ? time_image(argv[1], options, repeats) : time_part(argv[1], part, options, repeats);
  return 0;
} catch (const std::exception& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
