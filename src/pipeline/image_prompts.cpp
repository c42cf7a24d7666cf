#include "pipeline/image_prompts.h"

#include "core/check.h"
#include "image/middle_square.h"
#include "image/resample.h"
#include "models/unet/text_attentions.h"
#include "pipeline/image_adapter.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace fjord::pipeline {
namespace {

constexpr size_t kMaxPrompts = 16;
constexpr size_t kMaxPictures = 16;
constexpr size_t kMaxLayerScales = 256;
constexpr double kMaxScale = 100;
constexpr int kMaxSide = 8192;
constexpr int kMaxShape = 64;  // times as wide as high, or as high as wide

// Of what CLIP was trained on.
const std::vector<double> kMean{0.48145466, 0.4578275, 0.40821073};
const std::vector<double> kDeviation{0.26862954, 0.26130258, 0.27577711};

void check_pixels(const char* what, int width, int height, size_t bytes, size_t channels) {
  check(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide, ErrorCode::kInvalidArgument, what,
        " of an image prompt must have 1 to ", kMaxSide, " pixels a side, got ", width, "x", height);
  const auto wanted = static_cast<size_t>(width) * static_cast<size_t>(height) * channels;
  check(bytes == wanted, ErrorCode::kInvalidArgument, what, " of an image prompt of ", width, "x", height,
        " pixels must have ", wanted, " bytes, got ", bytes);
}

void check_scale(double scale) {
  check(std::isfinite(scale) && std::abs(scale) <= kMaxScale, ErrorCode::kInvalidArgument,
        "the scale of an image prompt must be from ", -kMaxScale, " to ", kMaxScale, ", got ", scale);
}

void check_pictures(const ImagePrompt& prompt) {
  check(!prompt.images.empty() && prompt.images.size() <= kMaxPictures, ErrorCode::kInvalidArgument,
        "an image prompt must have 1 to ", kMaxPictures, " pictures, got ", prompt.images.size());
  for (const auto& image : prompt.images) {
    check_pixels("a picture", image.width, image.height, image.pixels.size(), 3);
    const auto [shorter, longer] = std::minmax({image.width, image.height});
    check(longer / shorter <= kMaxShape, ErrorCode::kInvalidArgument, "a picture of an image prompt must be at most ",
          kMaxShape, " times as long as short, got ", image.width, "x", image.height);
  }
}

void check_masks(const ImagePrompt& prompt) {
  check(prompt.masks.empty() || prompt.masks.size() == prompt.images.size(), ErrorCode::kInvalidArgument,
        "an image prompt must have one mask for each of its ", prompt.images.size(), " pictures or none, got ",
        prompt.masks.size());
  for (const auto& mask : prompt.masks) check_pixels("a mask", mask.width, mask.height, mask.values.size(), 1);
}

// The scale at every layer, in the order of `layers`.
std::vector<double> scales_of(const ImagePrompt& prompt, const std::vector<models::TextAttention>& layers) {
  std::vector<double> scales(layers.size(), prompt.scale);
  std::vector<size_t> lengths(layers.size(), 0);  // of the names that fitted
  for (const auto& [part, scale] : prompt.layer_scales) {
    bool any = false;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].name.find(part) == std::string::npos) continue;
      any = true;
      if (part.size() < lengths[i]) continue;
      scales[i] = scale;
      lengths[i] = part.size();
    }
    check(any, ErrorCode::kInvalidArgument, "no layer of the U-Net that attends to text has ", fjord::quoted(part),
          " in its name; they are named like ", layers.empty() ? "nothing: it has none" : layers.front().name);
  }
  return scales;
}

// What the image encoder gives of pixels, of the kind that the adapter wants.
at::Tensor seen(const ImageAdapterAccess::Impl& adapter, const at::Tensor& pixels) {
  const auto out = adapter.encoder->forward(pixels);
  return adapter.info.fine ? out.penultimate : out.image_embeds;
}

// Tokens of the branches without and with the pictures: [1 or 2, pictures, tokens, features].
at::Tensor tokens_of(const Model& model, const ImagePrompt& prompt, bool guided) {
  const auto& adapter = *ImageAdapterAccess::get(prompt.adapter);
  const auto pixels = encoder_pixels(prompt.images, adapter.info.image_size).to(model.device, model.dtype);
  const auto with = seen(adapter, pixels);
  const auto tokens = adapter.network->tokens(with);
  if (!guided) return tokens.unsqueeze(0);
  const auto nothing =
      adapter.info.fine ? seen(adapter, at::zeros_like(pixels.narrow(0, 0, 1))) : at::zeros_like(with.narrow(0, 0, 1));
  const auto without = adapter.network->tokens(nothing).expand_as(tokens);
  return at::cat({without.unsqueeze(0), tokens.unsqueeze(0)});
}

at::Tensor mask_tensor(const Model& model, const Request& request, const Mask& mask) {
  constexpr std::uint8_t kHalf = 128;
  const auto sized = resize(mask, request.width, request.height);
  auto bytes = at::empty({1, 1, sized.height, sized.width}, at::kByte);
  std::copy(sized.values.begin(), sized.values.end(), bytes.mutable_data_ptr<std::uint8_t>());
  return bytes.ge(kHalf).to(at::kFloat).to(model.device);
}

// [1 or 2, ...] -> one row for each image of each branch.
at::Tensor rows_of(const at::Tensor& x, std::int64_t images, int negatives) {
  auto sizes = x.sizes().vec();
  sizes[0] = images;
  const auto with = x.narrow(0, x.size(0) - 1, 1).expand(sizes);
  if (negatives == 0) return with.contiguous();
  sizes[0] = images * negatives;
  return at::cat({x.narrow(0, 0, 1).expand(sizes), with});
}

// Several pictures side by side where there are no masks, else one by one, each with its mask.
struct Sight {
  at::Tensor tokens;  // [1 or 2, tokens, features]
  at::Tensor mask;
};

std::vector<Sight> sights_of(const Model& model, const Request& request, const ImagePrompt& prompt, bool guided) {
  const auto tokens = tokens_of(model, prompt, guided);
  if (prompt.masks.empty()) return {{tokens.flatten(1, 2), {}}};
  std::vector<Sight> out;
  for (size_t i = 0; i < prompt.masks.size(); ++i) {
    out.push_back({tokens.select(1, static_cast<std::int64_t>(i)), mask_tensor(model, request, prompt.masks[i])});
  }
  return out;
}

}  // namespace

void check_image_prompts(const Request& request) {
  check(request.image_prompts.size() <= kMaxPrompts, ErrorCode::kInvalidArgument, "a request takes at most ",
        kMaxPrompts, " image prompts, got ", request.image_prompts.size());
  for (const auto& prompt : request.image_prompts) {
    check(ImageAdapterAccess::get(prompt.adapter) != nullptr, ErrorCode::kInvalidArgument,
          "the adapter of an image prompt is empty; load it first");
    check_scale(prompt.scale);
    check(prompt.layer_scales.size() <= kMaxLayerScales, ErrorCode::kInvalidArgument, "an image prompt takes at most ",
          kMaxLayerScales, " layer_scales, got ", prompt.layer_scales.size());
    for (const auto& [part, scale] : prompt.layer_scales) check_scale(scale);
    check_pictures(prompt);
    check_masks(prompt);
  }
}

at::Tensor encoder_pixels(const std::vector<Image>& pictures, int side) {
  std::vector<at::Tensor> rows;
  for (const auto& picture : pictures) {
    const auto square = middle_square(picture, side);
    auto bytes = at::empty({1, side, side, 3}, at::kByte);
    std::copy(square.pixels.begin(), square.pixels.end(), bytes.mutable_data_ptr<std::uint8_t>());
    rows.push_back(bytes.permute({0, 3, 1, 2}));
  }
  const auto numbers = [](const std::vector<double>& each) {
    return at::tensor(each, at::kDouble).to(at::kFloat).view({1, 3, 1, 1});
  };
  const auto shares = (at::cat(rows).to(at::kDouble) * (1.0 / 255)).to(at::kFloat);
  return ((shares - numbers(kMean)) / numbers(kDeviation)).contiguous();
}

models::PicturesByLayer picture_keys(const Model& model, const Request& request, int negatives) {
  models::PicturesByLayer out;
  if (request.image_prompts.empty()) return out;
  const auto layers = models::text_attentions(*model.unet);
  for (const auto& prompt : request.image_prompts) {
    const auto& adapter = *ImageAdapterAccess::get(prompt.adapter);
    check(adapter.home.lock() == model.adapters, ErrorCode::kInvalidArgument, "the image adapter ",
          fjord::quoted(adapter.info.path, 300), " was loaded for another pipeline");
    const auto scales = scales_of(prompt, layers);
    if (std::all_of(scales.begin(), scales.end(), [](double scale) { return scale == 0; })) continue;
    for (const auto& [tokens, mask] : sights_of(model, request, prompt, negatives > 0)) {
      for (size_t i = 0; i < layers.size(); ++i) {
        if (scales[i] == 0) continue;
        const auto [keys, values] = adapter.network->keys_and_values(i, tokens.contiguous());
        out[layers[i].layer].push_back(
            {{rows_of(keys, request.images, negatives), rows_of(values, request.images, negatives)}, scales[i], mask});
      }
    }
  }
  return out;
}

void repeat_last(models::PicturesByLayer& pictures, std::int64_t images) {
  const auto repeated = [images](const at::Tensor& x) { return at::cat({x, x.narrow(0, x.size(0) - images, images)}); };
  for (auto& [layer, all] : pictures) {
    for (auto& each : all) each.context = {repeated(each.context.keys), repeated(each.context.values)};
  }
}

}  // namespace fjord::pipeline
