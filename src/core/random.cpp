#include "core/random.h"

#include "core/check.h"
#include "core/philox.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

namespace fjord {

NoiseStream::NoiseStream(std::uint64_t seed, NoiseSource source) : NoiseStream(std::vector{seed}, source) {}

NoiseStream::NoiseStream(const std::vector<std::uint64_t>& seeds, NoiseSource source) {
  for (const auto seed : seeds) {
    streams_.push_back({seed, 0, {}});
    if (source == NoiseSource::kTorchCpu) streams_.back().generator = at::detail::createCPUGenerator(seed);
  }
}

at::Tensor NoiseStream::next(Stream& stream, at::IntArrayRef shape) {
  if (stream.generator.defined()) return at::randn(shape, stream.generator, at::kFloat);
  auto out = at::empty(shape, at::kFloat);
  philox_normal(stream.seed, stream.calls++, {out.mutable_data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

at::Tensor NoiseStream::draw(at::IntArrayRef shape) {
  if (streams_.size() == 1) return next(streams_[0], shape);
  check(!shape.empty() && shape[0] >= 1 && shape[0] <= static_cast<std::int64_t>(streams_.size()), ErrorCode::kInternal,
        "noise for ", shape, " from ", streams_.size(), " streams");
  auto single = shape.vec();
  single[0] = 1;
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < shape[0]; ++i) parts.push_back(next(streams_[static_cast<size_t>(i)], single));
  return at::cat(parts);
}

}  // namespace fjord
