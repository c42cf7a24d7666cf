// Every CPU operator beside LibTorch's, and beside what the machine can do: "share" is the operator's GFLOP/s over the
// measured peak of its dtype, or for the norms its GB/s over that of copying as many bytes.
// Usage: bench_ops [options of Google Benchmark, e.g. --benchmark_filter=attention.*float32]; threads by
// OMP_NUM_THREADS.
#include "core/parallel.h"
#include "ops/cases.h"
#include "ops/peak.h"
#include "pipeline/run_scope.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace fjord::bench {
namespace {

void run(benchmark::State& state, const Case& one, at::ScalarType dtype, const kernels::CpuKernels* kernels) {
  const auto work = one.make(dtype, kernels);
  work();  // warm-up
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) work();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const bool computes = one.flops > 0;
  const double bytes = one.elements * static_cast<double>(c10::elementSize(dtype));
  const double rate = (computes ? one.flops : 2 * bytes) * static_cast<double>(state.iterations()) / elapsed.count();
  state.counters[computes ? "GFLOP/s" : "GB/s"] = rate * 1e-9;
  state.counters["share"] = rate / (computes ? peak_flops(dtype) : copy_bandwidth(bytes));
}

void add(const Case& one, at::ScalarType dtype, const kernels::CpuKernels* kernels) {
  const std::string type = dtype == at::kFloat ? "float32" : "bfloat16";
  const auto name = one.name + "/" + type + "/" + (kernels == nullptr ? "libtorch" : kernels->name);
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run(state, one, dtype, kernels); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

void add_all() {
  for (const auto& cases : {attention_cases(), linear_cases(), convolution_cases(), norm_cases()}) {
    for (const auto& one : cases) {
      for (const auto dtype : {at::kFloat, at::kBFloat16}) {
        for (const auto* kernels : kernels::supported_cpu_kernels()) add(one, dtype, kernels);
        add(one, dtype, nullptr);
      }
    }
  }
}

}  // namespace
}  // namespace fjord::bench

int main(int argc, char** argv) {
  const auto pool = fjord::MemoryPool::create(fjord::MemoryPool::Pages::kLarge);
  const fjord::pipeline::RunScope scope(0, pool.get());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  std::fprintf(stderr, "Peak of %d threads: %.0f GFLOP/s in float32, %.0f in bfloat16\n", fjord::parallel_workers(),
               fjord::bench::peak_flops(at::kFloat) * 1e-9, fjord::bench::peak_flops(at::kBFloat16) * 1e-9);
  fjord::bench::add_all();
  benchmark::RunSpecifiedBenchmarks();
}
