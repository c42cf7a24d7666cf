// Loads a pipeline once and prints how long that took, as JSON.
// Usage: bench_load FOLDER float32|bfloat16
#include <fjord/fjord.h>

#include <chrono>
#include <cstdio>
#include <string>

int main(int argc, char** argv) try {
  if (argc != 3) return std::fprintf(stderr, "usage: bench_load FOLDER float32|bfloat16\n"), 64;
  fjord::LoadOptions options;
  if (std::string(argv[2]) == "bfloat16") options.precision = fjord::Precision::kBFloat16;
  const auto start = std::chrono::steady_clock::now();
  const auto pipeline = fjord::Pipeline::load(argv[1], options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"seconds\": %.4f, \"default_width\": %d}\n", seconds.count(), pipeline.info().width);
} catch (const fjord::Error& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
