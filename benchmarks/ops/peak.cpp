// Compiled with -ffp-contract=fast: a * b + c is one instruction where the target has it.
#include "ops/peak.h"

#include "core/parallel.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fjord::bench {
namespace {

constexpr int kChains = 12;  // independent sums that hide an instruction's latency
constexpr std::int64_t kRounds = 4'000'000;
constexpr int kTries = 9;

using Loop = float (*)(std::int64_t rounds);

template <typename Vector>
__attribute__((always_inline)) inline float multiply_add(std::int64_t rounds) {
  Vector sums[kChains] = {};
  for (auto& sum : sums) asm volatile("" : "+v"(sum));  // else the compiler sees that all chains are equal
  const Vector factor = Vector{} + 0.5f, term = Vector{} + 1.0f;
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = sum * factor + term;
  }
  float out = 0;
  for (const auto& sum : sums) out += sum[0];
  return out;
}

typedef float Vector4 __attribute__((vector_size(16)));
float plain_loop(std::int64_t rounds) { return multiply_add<Vector4>(rounds); }

#if defined(__x86_64__)
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));

__attribute__((target("avx2,fma"))) float avx2_loop(std::int64_t rounds) { return multiply_add<Vector8>(rounds); }
__attribute__((target("avx512f,prefer-vector-width=512"))) float avx512_loop(std::int64_t rounds) {
  return multiply_add<Vector16>(rounds);
}

__attribute__((target("avx512f,avx512bf16,prefer-vector-width=512"))) float bfloat16_loop(std::int64_t rounds) {
  __m512 sums[kChains] = {};
  for (auto& sum : sums) asm volatile("" : "+v"(sum));
  const __m512bh pairs = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_dpbf16_ps(sum, pairs, pairs);
  }
  float out = 0;
  for (const auto& sum : sums) out += sum[0];
  return out;
}
#endif

// A loop and what an instruction of it counts.
struct Candidate {
  Loop loop;
  double operations;
};

Candidate widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {avx512_loop, 32};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {avx2_loop, 16};
#endif
  return {plain_loop, 8};
}

double best_seconds(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

double rate(const Candidate& candidate) {
  const auto workers = parallel_workers();
  std::vector<float> results(static_cast<size_t>(workers));
  const double seconds = best_seconds([&] {
    parallel_for_each(workers, [&](std::int64_t item, int) {
      results[static_cast<size_t>(item)] = candidate.loop(kRounds);
      asm volatile("" ::"r"(&results) : "memory");
    });
  });
  return candidate.operations * kChains * static_cast<double>(kRounds) * workers / seconds;
}

}  // namespace

double peak_flops(at::ScalarType dtype) {
  static const double plain = rate(widest());
#if defined(__x86_64__)
  static const double dots = __builtin_cpu_supports("avx512bf16") ? rate({bfloat16_loop, 64}) : 0;
  if (dtype == at::kBFloat16) return std::max(plain, dots);
#endif
  return plain;
}

double copy_bandwidth(double bytes) {
  static std::map<double, double> known;
  if (const auto found = known.find(bytes); found != known.end()) return found->second;
  constexpr std::int64_t kBlock = std::int64_t{64} << 10;
  const auto blocks = std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes) / kBlock);
  std::vector<char> from(static_cast<size_t>(blocks * kBlock), 1), to(from.size());
  const auto copy = [&] {
    parallel_for_each(blocks, [&](std::int64_t i, int) {
      std::memcpy(to.data() + i * kBlock, from.data() + i * kBlock, static_cast<size_t>(kBlock));
    });
  };
  copy();
  return known[bytes] = 2 * static_cast<double>(from.size()) / best_seconds(copy);
}

}  // namespace fjord::bench
