#include "core/random.h"

#include "core/check.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>

namespace fjord {

NoiseStream::NoiseStream(std::uint64_t seed) : NoiseStream(std::vector<std::uint64_t>{seed}) {}

NoiseStream::NoiseStream(const std::vector<std::uint64_t>& seeds) {
  for (const auto seed : seeds) generators_.push_back(at::detail::createCPUGenerator(seed));
}

at::Tensor NoiseStream::draw(at::IntArrayRef shape) {
  if (generators_.size() == 1) return at::randn(shape, generators_[0], at::kFloat);
  check(!shape.empty() && shape[0] >= 1 && shape[0] <= static_cast<std::int64_t>(generators_.size()),
        ErrorCode::kInternal, "noise for ", shape, " from ", generators_.size(), " streams");
  std::vector<std::int64_t> one(shape.begin(), shape.end());
  one[0] = 1;
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    parts.push_back(at::randn(one, generators_[static_cast<size_t>(i)], at::kFloat));
  }
  return at::cat(parts);
}

}  // namespace fjord
