#include "pipeline/latent_colors.h"

#include "core/random.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>

namespace fjord::pipeline {
namespace {

constexpr std::int64_t kSide = 8;  // of a sample, in pixels of the latents
constexpr std::int64_t kSamples = 4;
constexpr double kRidge = 1e-3;  // keeps the system solvable for a VAE that ignores a channel

// [n, channels, height, width] -> float64 [n * height * width, channels + 1], ones in the last column.
at::Tensor rows_of(const at::Tensor& x) {
  const auto rows = x.to(at::kCPU, at::kDouble).permute({0, 2, 3, 1}).reshape({-1, x.size(1)});
  return at::cat({rows, at::ones({rows.size(0), 1}, rows.options())}, 1);
}

RgbaImage to_image(const at::Tensor& bytes) {
  RgbaImage image{static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), {}};
  const auto* begin = bytes.const_data_ptr<std::uint8_t>();
  image.pixels.assign(begin, begin + bytes.numel());
  return image;
}

}  // namespace

void LatentColors::fit(const models::Autoencoder& vae, const at::TensorOptions& options) {
  // Patches of two by two pixels: a picture has areas, and single pixels of noise decode to something else.
  const auto patches = NoiseStream(0).draw({kSamples, vae.config().latent_channels, kSide / 2, kSide / 2});
  const auto latents = at::upsample_nearest2d(patches, std::vector<std::int64_t>{kSide, kSide});
  const auto decoded = vae.decode(vae.unscale(latents.to(options)), false).to(at::kCPU, at::kFloat);
  const auto factor = vae.factor();
  const auto colors = at::avg_pool2d(decoded, {factor, factor}).permute({0, 2, 3, 1}).reshape({-1, decoded.size(1)});
  const auto rows = rows_of(latents);
  const auto normal = rows.t().matmul(rows);
  const auto ridge = normal + kRidge * normal.diagonal().mean() * at::eye(normal.size(0), normal.options());
  map_ = at::linalg_solve(ridge, rows.t().matmul(colors.to(at::kDouble)));
}

std::vector<RgbaImage> LatentColors::paint(const models::Autoencoder& vae, const at::Tensor& latents) {
  std::call_once(fitted_, [&] { fit(vae, latents.options()); });
  const auto sizes = latents.sizes();
  const auto colors = rows_of(latents).matmul(map_).reshape({sizes[0], sizes[2], sizes[3], 3});
  const auto bytes = ((colors * 0.5 + 0.5).clamp(0, 1) * 255).round().to(at::kByte);
  const auto opaque = at::full({sizes[0], sizes[2], sizes[3], 1}, 255, bytes.options());
  const auto pixels = at::cat({bytes, opaque}, 3).contiguous();
  std::vector<RgbaImage> images;
  for (std::int64_t i = 0; i < sizes[0]; ++i) images.push_back(to_image(pixels[i]));
  return images;
}

}  // namespace fjord::pipeline
