#include "pipeline/images.h"

#include "core/check.h"
#include "ops/wrap.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>

#include <algorithm>

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

// Tiles know nothing of the other border: along a wrapped axis the latents go on there for a quarter of the picture,
// and what is made of that is cut off.
at::Tensor decode_wrapped(const models::Autoencoder& vae, const at::Tensor& latents, bool tiled) {
  const auto wrap = ops::WrapScope::active();
  if (!tiled || !wrap.any()) return vae.decode(latents, tiled);
  const auto x = wrap.x ? latents.size(3) / 4 : 0, y = wrap.y ? latents.size(2) / 4 : 0;
  const auto wide = ops::padded(latents, {.left = x, .right = x, .top = y, .bottom = y});
  const ops::WrapScope none({});
  return vae.decode(wide, tiled)
      .narrow(2, y * vae.factor(), latents.size(2) * vae.factor())
      .narrow(3, x * vae.factor(), latents.size(3) * vae.factor());
}

Image decode_image(const models::Autoencoder& vae, const at::Tensor& latents, const DecodeOptions& options) {
  const auto decoded = decode_wrapped(vae, vae.unscale(latents.to(vae.options().dtype())), options.tiled);
  check(decoded.isfinite().all().item<bool>(), ErrorCode::kNonFinite,
        "the VAE decoder gave NaN or infinity; try float32");
  // -1..1 to 0..255, [1, height, width, 3]
  const auto levels = at::clamp(decoded * 0.5 + 0.5, 0, 1).to(at::kFloat) * 255;
  const auto bytes = (options.rounding == PixelRounding::kNearest ? levels.round() : levels)
                         .to(at::kByte)
                         .permute({0, 2, 3, 1})
                         .to(at::kCPU)
                         .contiguous();
  check(bytes.size(3) == 3, ErrorCode::kUnsupported, "expected a VAE with 3 output channels, got ", bytes.size(3));
  return to_image(bytes[0]);
}

}  // namespace

std::vector<Image> decode_images(const models::Autoencoder& vae, const at::Tensor& latents,
                                 const DecodeOptions& options) {
  std::vector<Image> images;
  for (std::int64_t i = 0; i < latents.size(0); ++i)
    images.push_back(decode_image(vae, latents.slice(0, i, i + 1), options));
  return images;
}

std::vector<Image> decode_images(const Model& model, const at::Tensor& latents, const DecodeOptions& options,
                                 std::vector<std::string>& warnings) {
  try {
    return decode_images(*model.vae, latents, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNonFinite || !model.float32_vae) throw;
  }
  auto images = decode_images(*model.float32_vae(), latents.to(at::kFloat), options);
  warnings.emplace_back("the VAE overflowed in half precision; the picture was decoded in float32");
  return images;
}

at::Tensor pixels_of(const std::vector<Image>& pictures) {
  std::vector<at::Tensor> rows;
  for (const auto& picture : pictures) {
    auto bytes = at::empty({1, picture.height, picture.width, 3}, at::kByte);
    std::copy(picture.pixels.begin(), picture.pixels.end(), bytes.mutable_data_ptr<std::uint8_t>());
    rows.push_back(bytes.permute({0, 3, 1, 2}));
  }
  return 2 * (at::cat(rows).to(at::kFloat) / 255) - 1;
}

at::Tensor encode_modes(const models::Autoencoder& vae, const at::Tensor& pixels, bool tiled) {
  const auto wide = pixels.to(vae.options().dtype());
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < pixels.size(0); ++i) rows.push_back(vae.encode(wide.narrow(0, i, 1), tiled).mode());
  auto modes = at::cat(rows).to(pixels.scalar_type());
  check(modes.isfinite().all().item<bool>(), ErrorCode::kNonFinite,
        "the VAE encoder gave NaN or infinity; try float32");
  return modes;
}

EncodedPixels encode_pixels(const models::Autoencoder& vae, const at::Tensor& pixels,
                            const std::function<at::Tensor()>& draw_noise, bool tiled) {
  const auto wide = pixels.to(vae.options().dtype());
  std::vector<models::DiagonalGaussian> distributions;
  for (std::int64_t i = 0; i < pixels.size(0); ++i) distributions.push_back(vae.encode(wide.narrow(0, i, 1), tiled));
  EncodedPixels out;
  out.drawn = distributions.front().has_spread();
  const auto noise = out.drawn ? draw_noise().to(wide.options()) : at::Tensor();
  std::vector<at::Tensor> rows;
  for (size_t i = 0; i < distributions.size(); ++i) {
    rows.push_back(
        distributions[i].sample(out.drawn ? noise.narrow(0, static_cast<std::int64_t>(i), 1) : at::Tensor()));
  }
  out.latents = vae.scale(at::cat(rows)).to(pixels.scalar_type());
  check(out.latents.isfinite().all().item<bool>(), ErrorCode::kNonFinite,
        "the VAE encoder gave NaN or infinity; try float32");
  return out;
}

}  // namespace fjord::pipeline
