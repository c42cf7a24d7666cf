#include "pipeline/initial_noise.h"

#include "core/check.h"
#include "core/tensors.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace fjord::pipeline {
namespace {

constexpr double kParallel = 1e-6;  // radians; below, the straight line is as good and no division by 0

std::vector<std::uint64_t> seeds_from(std::uint64_t first, int count) {
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < count; ++i) seeds.push_back(first + static_cast<std::uint64_t>(i));
  return seeds;
}

at::Tensor slerp_one(const at::Tensor& a, const at::Tensor& b, double share) {
  const auto wide_a = a.to(at::kDouble), wide_b = b.to(at::kDouble);
  const auto cosine = (wide_a * wide_b).sum() / (wide_a.norm() * wide_b.norm());
  const double angle = std::acos(std::clamp(cosine.item<double>(), -1.0, 1.0));
  if (std::sin(angle) < kParallel) return (wide_a * (1 - share) + wide_b * share).to(a.scalar_type());
  const double of_a = std::sin((1 - share) * angle) / std::sin(angle), of_b = std::sin(share * angle) / std::sin(angle);
  return (wide_a * of_a + wide_b * of_b).to(a.scalar_type());
}

at::Tensor given_latents(const Request& request, at::IntArrayRef shape) {
  auto latents = to_tensor(request.latents, "latents");
  check(latents.sizes() == shape, ErrorCode::kInvalidArgument, "latents must be ", shape, ", got ", latents.sizes());
  check(latents.isfinite().all().item<bool>(), ErrorCode::kInvalidArgument, "latents must be finite");
  return latents;
}

}  // namespace

NoiseStream make_noise_stream(const Request& request) {
  if (!request.per_image_seeds) return NoiseStream(request.seed, request.reproduction.noise);
  return NoiseStream(seeds_from(request.seed, request.images), request.reproduction.noise);
}

at::Tensor initial_noise(const Request& request, at::IntArrayRef shape, NoiseStream& stream) {
  const bool given = !request.latents.shape.empty() || !request.latents.values.empty();
  const auto noise = given ? given_latents(request, shape) : stream.draw(shape);
  const auto& variation = request.variation;
  if (variation.strength == 0) return noise;
  const auto base = request.per_image_seeds || given ? noise : noise.narrow(0, 0, 1).expand(shape);
  return slerp(base, NoiseStream(seeds_from(variation.seed, request.images)).draw(shape), variation.strength);
}

at::Tensor slerp(const at::Tensor& a, const at::Tensor& b, double share) {
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < a.size(0); ++i) {
    rows.push_back(slerp_one(a.narrow(0, i, 1), b.narrow(0, i, 1), share));
  }
  return at::cat(rows);
}

}  // namespace fjord::pipeline
