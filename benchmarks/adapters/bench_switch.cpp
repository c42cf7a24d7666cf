// Switches between adapters again and again, and says what that does to the memory of the process, to the picture
// without any, and how long a request takes with each.
//   bench_switch MODEL CYCLES ADAPTER.safetensors...
#include <fjord/fjord.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Memory of this process that is in use, in KiB.
long resident() {
  std::ifstream status("/proc/self/statm");
  long size = 0, pages = 0;
  status >> size >> pages;
  return pages * 4;
}

double request_seconds(const fjord::Pipeline& pipeline, const fjord::Request& request) {
  const auto begin = Clock::now();
  pipeline.generate(request);
  return seconds_since(begin);
}

double start_seconds(const fjord::Pipeline& pipeline, const fjord::Request& request) {
  const auto begin = Clock::now();
  const auto generation = pipeline.start(request);
  return seconds_since(begin);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::printf("usage: bench_switch MODEL CYCLES ADAPTER.safetensors...\n"), 64;
  const auto pipeline = fjord::Pipeline::load(argv[1]);
  std::vector<fjord::Adapter> adapters;
  for (int i = 3; i < argc; ++i) adapters.push_back(pipeline.load_adapter(argv[i]));
  fjord::Request plain;
  plain.prompt = "a gold crown on red cloth";
  plain.steps = 2;
  plain.width = plain.height = 64;
  const auto base = pipeline.generate(plain).images.front().pixels;
  for (size_t i = 0; i <= adapters.size(); ++i) {
    auto request = plain;
    if (i > 0) request.adapters = {{adapters[i - 1]}};
    request_seconds(pipeline, request);
    std::printf("%s: start %.4f s, request %.4f s\n", i == 0 ? "without" : argv[i + 2],
                start_seconds(pipeline, request), request_seconds(pipeline, request));
  }
  const int cycles = std::atoi(argv[2]);
  int different = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    if (cycle % 50 == 0) std::printf("after %d cycles: %ld KiB\n", cycle, resident());
    for (const auto& adapter : adapters) {
      auto request = plain;
      request.adapters = {{adapter, 0.5 + 0.1 * (cycle % 7)}};
      pipeline.generate(request);
    }
    different += pipeline.generate(plain).images.front().pixels != base;
  }
  std::printf("after %d cycles: %ld KiB; pictures without adapters that differ: %d\n", cycles, resident(), different);
  return different == 0 ? 0 : 1;
}
