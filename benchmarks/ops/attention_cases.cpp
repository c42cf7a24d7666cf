#include "ops/cases.h"

#include "ops/attention.h"

#include <ATen/ops/randn.h>

namespace fjord::bench {
namespace {

struct Shape {
  const char* name;
  std::int64_t batch, heads, head_dim, queries, keys;
};

constexpr Shape kShapes[] = {
    {"attention/self_4096", 2, 8, 40, 4096, 4096}, {"attention/self_1024", 2, 8, 80, 1024, 1024},
    {"attention/self_256", 2, 8, 160, 256, 256},   {"attention/cross_4096", 2, 8, 40, 4096, 77},
    {"attention/cross_1024", 2, 8, 80, 1024, 77},  {"attention/cross_256", 2, 8, 160, 256, 77},
    {"attention/vae_4096", 1, 1, 512, 4096, 4096},
};

Case attention_case(const Shape& s) {
  const auto sums = s.batch * s.heads * s.head_dim * s.queries * s.keys;
  return {s.name, 4.0 * static_cast<double>(sums), 0, [s](at::ScalarType dtype, const kernels::CpuKernels* kernels) {
            const auto features = s.heads * s.head_dim;
            const auto q = at::randn({s.batch, s.queries, features}, dtype);
            const auto k = at::randn({s.batch, s.keys, features}, dtype);
            const auto v = at::randn({s.batch, s.keys, features}, dtype);
            const ops::AttentionOptions options{.num_heads = s.heads, .kernels = kernels};
            return [q, k, v, options] { ops::attention(q, k, v, options); };
          }};
}

}  // namespace

std::vector<Case> attention_cases() {
  std::vector<Case> out;
  for (const auto& shape : kShapes) out.push_back(attention_case(shape));
  return out;
}

}  // namespace fjord::bench
