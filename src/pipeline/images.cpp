#include "pipeline/images.h"

#include "core/check.h"

#include <ATen/ops/clamp.h>

namespace fjord::pipeline {
namespace {

Image to_image(const at::Tensor& bytes) {
  Image image;
  image.height = static_cast<int>(bytes.size(0));
  image.width = static_cast<int>(bytes.size(1));
  const auto* begin = bytes.const_data_ptr<std::uint8_t>();
  image.pixels.assign(begin, begin + bytes.numel());
  return image;
}

Image decode_image(const models::AutoencoderKL& vae, const at::Tensor& latents, bool tiled) {
  const auto decoded = vae.decode(latents / vae.config().scaling_factor, tiled);
  check(decoded.isfinite().all().item<bool>(), ErrorCode::kNonFinite,
        "the VAE decoder gave NaN or infinity; try float32");
  // -1..1 to 0..255, [1, height, width, 3]
  const auto bytes = (at::clamp(decoded * 0.5 + 0.5, 0, 1).to(at::kFloat) * 255)
                         .round()
                         .to(at::kByte)
                         .permute({0, 2, 3, 1})
                         .to(at::kCPU)
                         .contiguous();
  check(bytes.size(3) == 3, ErrorCode::kUnsupported, "expected a VAE with 3 output channels, got ", bytes.size(3));
  return to_image(bytes[0]);
}

}  // namespace

std::vector<Image> decode_images(const models::AutoencoderKL& vae, const at::Tensor& latents, bool tiled) {
  std::vector<Image> images;
  for (std::int64_t i = 0; i < latents.size(0); ++i)
    images.push_back(decode_image(vae, latents.slice(0, i, i + 1), tiled));
  return images;
}

}  // namespace fjord::pipeline
