// Which tables there are is the build's affair (FJORD_HAS_...), which of them run here the processor's.
#include "kernels/cpu/kernels.h"

namespace fjord::kernels {

namespace baseline {
extern const CpuKernels table;
}
namespace avx2 {
extern const CpuKernels table;
}
namespace avx512 {
extern const CpuKernels table;
}
namespace avx512_vnni {
extern const CpuKernels table;
}
namespace avx512_bf16 {
extern const CpuKernels table;
}

namespace {

// Whether a product of bfloat16 pairs takes no longer than one of float32: so on AMD's processors. Intel's do half as
// many at a time (their bfloat16 is for AMX), and rounding the operands costs more than it brings.
[[maybe_unused]] bool bfloat16_products_pay() {
#if defined(__x86_64__)
  return !__builtin_cpu_is("intel");
#else
  return false;
#endif
}

std::vector<const CpuKernels*> find_supported() {
  std::vector<const CpuKernels*> out;
#if defined(__x86_64__)
  [[maybe_unused]] const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  [[maybe_unused]] const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                                       __builtin_cpu_supports("avx512dq");
#endif
#ifdef FJORD_HAS_AVX512_VNNI
  if (avx512 && __builtin_cpu_supports("avx512vnni")) out.push_back(&avx512_vnni::table);
#endif
#ifdef FJORD_HAS_AVX512_BF16
  if (avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
    out.insert(bfloat16_products_pay() ? out.begin() : out.end(), &avx512_bf16::table);
#endif
#ifdef FJORD_HAS_AVX512
  if (avx512) out.push_back(&avx512::table);
#endif
#ifdef FJORD_HAS_AVX2
  if (avx2) out.push_back(&avx2::table);
#endif
  out.push_back(&baseline::table);
  return out;
}

}  // namespace

const std::vector<const CpuKernels*>& supported_cpu_kernels() {
  static const auto tables = find_supported();
  return tables;
}

}  // namespace fjord::kernels
