#include "pipeline/start.h"

#include "core/check.h"
#include "image/resample.h"
#include "pipeline/images.h"
#include "pipeline/initial_noise.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bilinear2d.h>

namespace fjord::pipeline {
namespace {

std::vector<std::int64_t> latent_shape(const StartScene& scene, std::int64_t images) {
  const auto factor = scene.model.vae->factor();
  const auto& request = scene.plan.request;
  return {images, scene.model.info.latent_channels, request.height / factor, request.width / factor};
}

at::Tensor repeated(const at::Tensor& rows, std::int64_t images) {
  return rows.repeat({images / rows.size(0), 1, 1, 1});
}

at::Tensor on_model(const StartScene& scene, const at::Tensor& tensor) {
  return tensor.to(scene.model.device, scene.model.dtype);
}

at::Tensor draw_initial_noise(const StartScene& scene) {
  const auto& request = scene.plan.request;
  return on_model(scene, initial_noise(request, latent_shape(scene, request.images), scene.stream));
}

at::Tensor noised(const StartScene& scene, const at::Tensor& clean, const at::Tensor& noise) {
  return scene.plan.run->add_noise(clean, noise, scene.plan.first).to(scene.model.dtype);
}

// Latents of a run that another one began are taken as they are.
Start start_from_noise(const StartScene& scene) {
  const auto& request = scene.plan.request;
  const bool goes_on = request.range.begin > 0;
  check(!goes_on || !request.latents.values.empty(), ErrorCode::kInvalidArgument,
        "a denoising range that begins above 0 needs latents, got ", request.range.begin, " and none");
  const double scale = goes_on ? 1 : scene.plan.run->init_noise_sigma();
  return {.latents = draw_initial_noise(scene) * scale, .channels = {}, .blend = {}};
}

// Scaled latents of pictures [pictures, 3, height, width], drawn from their distributions with numbers of the stream.
EncodedPixels encode(const StartScene& scene, const at::Tensor& pixels) {
  const auto draw = [&] { return on_model(scene, scene.stream.draw(latent_shape(scene, pixels.size(0)))); };
  return encode_pixels(*scene.model.vae, on_model(scene, pixels), draw, scene.plan.request.vae_tiling);
}

// Image to image. With a stream for each image every image has a draw of its own of its picture's latents.
Start start_from_pixels(const StartScene& scene, const at::Tensor& pixels) {
  const auto& request = scene.plan.request;
  const auto rows = request.per_image_seeds ? repeated(pixels, request.images) : pixels;
  const auto clean = repeated(encode(scene, rows).latents, request.images);
  return {.latents = noised(scene, clean, draw_initial_noise(scene)), .channels = {}, .blend = {}};
}

// Pictures with 0 (the middle of -1..1) where the mask is painted.
at::Tensor without_painted(const at::Tensor& pixels, const Mask& mask) {
  return pixels * (1 - hard_latent_mask(mask, 1));
}

// The mask and the latents of what it leaves of the pictures, as further channels.
at::Tensor mask_channels(const StartScene& scene, const at::Tensor& pixels) {
  const auto images = scene.plan.request.images;
  const auto mask = on_model(scene, hard_latent_mask(scene.canvas.mask(), scene.model.vae->factor()));
  const auto rest = encode(scene, without_painted(pixels, scene.canvas.mask())).latents;
  return at::cat({mask.repeat({images, 1, 1, 1}), repeated(rest, images)}, 1);
}

Start start_inpainting(const StartScene& scene) {
  const auto& request = scene.plan.request;
  const auto pixels = pixels_of(scene.canvas.pictures());
  const bool sees_mask = scene.model.info.needs_mask, from_noise = *request.image_input.strength == 1;
  EncodedPixels source;
  if (!sees_mask || !from_noise) source = encode(scene, pixels);
  const auto clean = source.latents.defined() ? repeated(source.latents, request.images) : source.latents;
  const auto noise = draw_initial_noise(scene);
  Start start;
  start.latents = from_noise ? noise * scene.plan.run->init_noise_sigma() : noised(scene, clean, noise);
  if (sees_mask) {
    start.channels = mask_channels(scene, pixels);
    return start;
  }
  // The reference encodes the masked picture here as well, and has no use for it: only its random numbers count.
  if (source.drawn) scene.stream.draw(latent_shape(scene, pixels.size(0)));
  const auto factor = scene.model.vae->factor();
  const auto strength = request.image_input.inpaint.soft ? soft_latent_mask(scene.canvas.mask(), factor)
                                                         : hard_latent_mask(scene.canvas.mask(), factor);
  start.blend.emplace(clean, noise, on_model(scene, strength));
  return start;
}

// The network sees the pictures, and the walk starts from noise.
// Reference: prepare_image_latents of StableDiffusionInstructPix2PixPipeline.
Start start_beside_pictures(const StartScene& scene) {
  const auto& request = scene.plan.request;
  const auto pixels = on_model(scene, pixels_of(scene.canvas.pictures()));
  auto start = start_from_noise(scene);
  start.channels = repeated(encode_modes(*scene.model.vae, pixels, request.vae_tiling), request.images);
  return start;
}

at::Tensor enlarged_pixels(const StartScene& scene, const at::Tensor& latents) {
  const auto& request = scene.plan.request;
  auto pictures = decode_images(*scene.model.vae, latents, {.tiled = request.vae_tiling});
  for (auto& picture : pictures) picture = resize(picture, request.width, request.height);
  return pixels_of(pictures);
}

}  // namespace

Start start_first_pass(const StartScene& scene) {
  if (scene.model.info.needs_image) return start_beside_pictures(scene);
  if (scene.canvas.inpainting()) return start_inpainting(scene);
  if (scene.canvas.pictures().empty()) return start_from_noise(scene);
  return start_from_pixels(scene, pixels_of(scene.canvas.pictures()));
}

Start start_second_pass(const StartScene& scene, const at::Tensor& latents) {
  if (scene.plan.request.hires.upscaler == Upscaler::kPixels) {
    return start_from_pixels(scene, enlarged_pixels(scene, latents));
  }
  const auto shape = latent_shape(scene, scene.plan.request.images);
  const auto clean = at::upsample_bilinear2d(latents, {shape[2], shape[3]}, /*align_corners=*/false);
  const auto noise = on_model(scene, scene.stream.draw(shape));
  return {.latents = noised(scene, clean, noise), .channels = {}, .blend = {}};
}

}  // namespace fjord::pipeline
