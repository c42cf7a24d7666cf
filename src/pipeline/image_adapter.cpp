#include "pipeline/image_adapter.h"

#include "adapters/image_adapter_file.h"
#include "core/check.h"
#include "core/memory_pool.h"
#include "loading/config_json.h"
#include "loading/load_into.h"
#include "loading/source.h"
#include "pipeline/adapter_set.h"
#include "pipeline/image_encoders.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace fjord {

const ImageAdapterInfo& ImageAdapter::info() const {
  static const ImageAdapterInfo empty;
  return impl_ ? impl_->info : empty;
}

ImageAdapter ImageAdapterAccess::make(Impl impl) {
  ImageAdapter out;
  out.impl_ = std::make_shared<const Impl>(std::move(impl));
  return out;
}

namespace pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr char kConfig[] = "config.json";

// Memory of its own for what is loaded within, which lives as long as the tensors in it.
template <typename Load>
auto in_own_memory(const Load& load) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);
  const PoolScope scope(pool.get());
  return load();
}

std::shared_ptr<const models::IpAdapter> load_network(const Model& model, const std::string& path) {
  loading::Safetensors file(loading::open_file(path));
  const auto config = adapters::image_adapter_config(file, *model.unet);
  const auto name = quoted(path, 300);
  const loading::Checkpoint checkpoint(std::move(file));
  models::IpAdapter shapes(config, at::TensorOptions().device(at::kMeta));
  loading::check_keys(shapes, checkpoint, {}, name);  // before memory is taken
  return in_own_memory([&] {
    auto network = std::make_shared<models::IpAdapter>(config, model.adapters->options);
    loading::load_into(*network, checkpoint, {}, name, {.kernels = model.adapters->kernels});
    return network;
  });
}

std::shared_ptr<const models::ClipVisionModel> load_encoder(const Model& model, const std::string& folder) {
  const auto source = loading::open_folder(folder);
  check(source->exists(kConfig), ErrorCode::kNotFound, "expected an image encoder, with ", kConfig,
        " and model.safetensors, in ", quoted(folder, 300));
  const auto text = loading::read_text(*source, kConfig, kMaxConfigSize);
  const auto config = loading::read_clip_vision_config(text, source->describe(kConfig));
  const loading::Checkpoint checkpoint(*source, "", "model");
  return in_own_memory([&] {
    auto encoder = std::make_shared<models::ClipVisionModel>(config, model.adapters->options);
    loading::load_into(*encoder, checkpoint, loading::clip_vision_rules(), quoted(folder, 300),
                       {.kernels = model.adapters->kernels});
    return encoder;
  });
}

// What was asked for, or the folder beside the file, where IP-Adapters are published with theirs.
std::string encoder_folder(const std::string& path, const std::string& wished) {
  if (!wished.empty()) return wished;
  const auto beside = fs::path(path).parent_path() / "image_encoder";
  std::error_code error;
  check(fs::is_directory(beside, error), ErrorCode::kNotFound, "the image adapter ", quoted(path, 300),
        " needs its image encoder: expected its folder, or ", quoted(beside.string(), 300));
  return beside.string();
}

// One spelling for each folder.
std::string place_of(const std::string& folder) {
  std::error_code error;
  const auto place = fs::weakly_canonical(folder, error);
  return error ? folder : place.string();
}

void check_encoder(const models::ProjectionConfig& projection, const config::ClipVision& encoder,
                   const ImageAdapterInfo& info) {
  const bool whole = projection.kind == models::ProjectionKind::kWhole;
  const auto given = whole ? encoder.projection_dim : encoder.hidden_size;
  check(given == projection.image_features, ErrorCode::kBadFile, quoted(info.path, 300),
        " was made for an image encoder that gives ", projection.image_features, " numbers for ",
        whole ? "a picture" : "each patch", ", that in ", quoted(info.encoder, 300), " gives ", given);
}

}  // namespace

ImageEncoders::Encoder ImageEncoders::get(const std::string& folder, const std::function<Encoder()>& make) {
  const std::lock_guard lock(mutex_);
  auto& known = encoders_[folder];
  if (auto encoder = known.lock()) return encoder;
  auto encoder = make();
  known = encoder;
  return encoder;
}

ImageAdapter load_image_adapter(const Model& model, const std::string& path, const std::string& encoder) {
  ImageAdapterAccess::Impl impl;
  impl.home = model.adapters;
  impl.network = load_network(model, path);
  const auto& projection = impl.network->config().projection;
  impl.info.path = path;
  impl.info.encoder = encoder_folder(path, encoder);
  impl.encoder =
      model.image_encoders->get(place_of(impl.info.encoder), [&] { return load_encoder(model, impl.info.encoder); });
  const auto& config = impl.encoder->config();
  check_encoder(projection, config, impl.info);
  const bool patches = projection.kind == models::ProjectionKind::kPatches;
  impl.info.layers = static_cast<int>(impl.network->layers.size());
  impl.info.tokens = static_cast<int>(patches ? config.tokens() : projection.tokens);
  impl.info.image_size = static_cast<int>(config.image_size);
  impl.info.fine = projection.kind != models::ProjectionKind::kWhole;
  return ImageAdapterAccess::make(std::move(impl));
}

}  // namespace pipeline
}  // namespace fjord
