#include "adapters/image_adapter_file.h"

#include "adapters/key_names.h"
#include "core/check.h"
#include "models/image_prompt/image_resampler.h"
#include "models/unet/text_attentions.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace fjord::adapters {
namespace {

using loading::Safetensors;
using models::ProjectionKind;

constexpr std::string_view kProjection = "image_proj.";
constexpr std::string_view kLayers = "ip_adapter.";
constexpr std::int64_t kMaxTokens = 4096;
constexpr std::int64_t kMaxDepth = 1024;

struct Mark {
  std::string_view key;
  const char* kind;
};

// Kinds that look at something else than the picture, or change the U-Net as well.
constexpr std::array kOthers{
    Mark{"image_proj.perceiver_resampler.proj_in.weight", "an IP-Adapter that is given a face's vector (FaceID Plus)"},
    Mark{"ip_adapter.0.to_k_lora.down.weight", "an IP-Adapter that is given a face's vector (FaceID)"},
    Mark{"ip_adapter.1.to_k_lora.down.weight", "an IP-Adapter that is given a face's vector (FaceID)"},
};

// Reads sizes of tensors; the loader compares all shapes afterwards.
class Shapes {
 public:
  explicit Shapes(const Safetensors& file) : file_(file) {}

  bool has(const std::string& key) const { return file_.tensors().contains(key); }

  bool has_prefix(std::string_view prefix) const {
    const auto found = file_.tensors().lower_bound(std::string(prefix));
    return found != file_.tensors().end() && found->first.starts_with(prefix);
  }

  std::int64_t size(const std::string& key, size_t dimension, size_t dimensions = 2) const {
    const auto found = file_.tensors().find(key);
    check(found != file_.tensors().end(), ErrorCode::kBadFile, name(), ": the tensor ", fjord::quoted(key),
          " is missing");
    const auto& shape = found->second.shape;
    check(shape.size() == dimensions, ErrorCode::kBadFile, name(), ": ", fjord::quoted(key), " must have ", dimensions,
          " dimensions, got ", at::IntArrayRef(shape));
    check(shape[dimension] >= 1 && shape[dimension] <= (1 << 20), ErrorCode::kBadFile, name(), ": ", fjord::quoted(key),
          " must have 1 to 1048576 numbers a dimension, got ", at::IntArrayRef(shape));
    return shape[dimension];
  }

  std::string name() const { return fjord::quoted(file_.name(), 300); }

 private:
  const Safetensors& file_;
};

models::ProjectionConfig whole(const Shapes& shapes) {
  models::ProjectionConfig config{.kind = ProjectionKind::kWhole};
  config.image_features = shapes.size("image_proj.proj.weight", 1);
  config.text_features = shapes.size("image_proj.norm.weight", 0, 1);
  const auto rows = shapes.size("image_proj.proj.weight", 0);
  check(rows % config.text_features == 0, ErrorCode::kBadFile, shapes.name(),
        ": expected image_proj.proj.weight with a multiple of ", config.text_features, " rows, got ", rows);
  config.tokens = rows / config.text_features;
  return config;
}

models::ProjectionConfig patches(const Shapes& shapes) {
  models::ProjectionConfig config{.kind = ProjectionKind::kPatches};
  config.image_features = shapes.size("image_proj.proj.0.weight", 1);
  config.text_features = shapes.size("image_proj.proj.3.weight", 0, 1);
  return config;  // as many tokens as the encoder has
}

models::ProjectionConfig resampler(const Shapes& shapes) {
  models::ProjectionConfig config{.kind = ProjectionKind::kResampler};
  config.tokens = shapes.size("image_proj.latents", 1, 3);
  config.hidden_features = shapes.size("image_proj.latents", 2, 3);
  config.image_features = shapes.size("image_proj.proj_in.weight", 1);
  config.text_features = shapes.size("image_proj.proj_out.weight", 0);
  constexpr auto kHead = models::ImageResampler::kHeadFeatures;
  const auto inner = shapes.size("image_proj.layers.0.0.to_q.weight", 0);
  check(inner % kHead == 0, ErrorCode::kBadFile, shapes.name(),
        ": expected image_proj.layers.0.0.to_q.weight with a multiple of ", kHead, " rows, got ", inner);
  config.heads = inner / kHead;
  while (config.depth < kMaxDepth && shapes.has_prefix(concat("image_proj.layers.", config.depth, "."))) ++config.depth;
  return config;
}

models::ProjectionConfig projection_of(const Shapes& shapes) {
  if (shapes.has("image_proj.proj.weight")) return whole(shapes);
  if (shapes.has("image_proj.proj.3.weight")) return patches(shapes);
  if (shapes.has("image_proj.latents")) return resampler(shapes);
  // A face's vector goes through two layers and a norm.
  check(!shapes.has("image_proj.norm.weight"), ErrorCode::kUnsupported, shapes.name(), " is ", kOthers[1].kind,
        "; expected one that is given a picture");
  fail(
      ErrorCode::kUnsupported, shapes.name(),
      " is an IP-Adapter of a kind that fjord does not have: expected image_proj.proj.weight, image_proj.proj.3.weight "
      "or image_proj.latents");
}

void check_kind(const Safetensors& file, const Shapes& shapes) {
  for (const auto& [key, kind] : kOthers) {
    check(!shapes.has(std::string(key)), ErrorCode::kUnsupported, shapes.name(), " is ", kind,
          "; expected one that is given a picture");
  }
  const bool projects = shapes.has_prefix(kProjection), attends = shapes.has_prefix(kLayers);
  if (projects && attends) return;
  const char* other = nullptr;
  for (const auto& [key, entry] : file.tensors()) {
    if (other == nullptr && !projects && !attends) other = other_kind(key);
  }
  check(other == nullptr, ErrorCode::kUnsupported, shapes.name(), " seems to be ", other, ", not an IP-Adapter");
  fail(ErrorCode::kBadFile, shapes.name(), ": expected an IP-Adapter, with tensors under \"", kProjection,
       "\" and under \"", kLayers, "\", got ", file.tensors().size(), " tensors ",
       projects  ? "and none of the second"
       : attends ? "and none of the first"
                 : "of other names");
}

}  // namespace

models::IpAdapterConfig image_adapter_config(const Safetensors& file, const models::UNet2DConditionModel& unet) {
  const Shapes shapes(file);
  check_kind(file, shapes);
  models::IpAdapterConfig config{projection_of(shapes), {}};
  const auto features = unet.config().cross_attention_dim.front();
  check(config.projection.text_features == features, ErrorCode::kBadFile, shapes.name(), " makes tokens of ",
        config.projection.text_features, " features, this model's layers take ", features,
        " (is it for another family of models?)");
  check(config.projection.tokens <= kMaxTokens, ErrorCode::kBadFile, shapes.name(), ": expected at most ", kMaxTokens,
        " tokens of a picture, got ", config.projection.tokens);
  for (const auto& each : models::text_attentions(unet)) config.layers.push_back(each.layer->inner_dim());
  return config;
}

}  // namespace fjord::adapters
