#include "models/seeded_image_adapter.h"

#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/safetensors.h"
#include "loading/source.h"
#include "support/seeded_weights.h"

#include <filesystem>
#include <fstream>
#include <map>

namespace fjord::testing {
namespace {

constexpr std::uint64_t kEncoderSeed = 20;
const std::string kFolder = FJORD_TEST_DATA "/image_prompts";

// As the file names it.
std::string encoder_name(const std::string& name) {
  return name.starts_with("visual_projection") ? name : "vision_model." + name;
}

void write(nn::Module& module, const std::string& path, std::string (*file_name)(const std::string&)) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : module.named_parameters()) tensors.emplace(file_name(name), *tensor);
  loading::write_safetensors(path, tensors);
}

models::ProjectionKind kind_of(const std::string& name) {
  if (name == "patches") return models::ProjectionKind::kPatches;
  return name == "resampler" ? models::ProjectionKind::kResampler : models::ProjectionKind::kWhole;
}

models::IpAdapterConfig config_of(const nlohmann::json& file) {
  models::IpAdapterConfig config;
  config.layers = file.at("layers").get<std::vector<std::int64_t>>();
  auto& projection = config.projection;
  projection.kind = kind_of(file.at("kind"));
  projection.text_features = file.at("text");
  const bool whole = projection.kind == models::ProjectionKind::kWhole;
  projection.image_features = whole ? 20 : 32;
  projection.tokens = whole ? 4 : 5;
  projection.hidden_features = 24;
  projection.heads = 2;
  projection.depth = 4;
  return config;
}

}  // namespace

std::string image_encoder_config(const std::string& name) {
  return loading::read_text(*loading::open_folder(kFolder), name + "/config.json", 1 << 20);
}

std::unique_ptr<models::ClipVisionModel> make_image_encoder(const std::string& name) {
  const auto config = loading::read_clip_vision_config(image_encoder_config(name), name);
  auto encoder = std::make_unique<models::ClipVisionModel>(config, at::kFloat);
  fill(*encoder, kEncoderSeed, encoder_name);
  return encoder;
}

void write_image_encoder(const std::string& name, const std::string& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.json") << image_encoder_config(name);
  write(*make_image_encoder(name), folder + "/model.safetensors", encoder_name);
}

std::unique_ptr<models::IpAdapter> make_image_adapter(const std::string& name) {
  const auto text = loading::read_text(*loading::open_folder(kFolder), "files.json", 1 << 20);
  const auto file = loading::parse_json_object(text, "files").at(name);
  auto adapter = std::make_unique<models::IpAdapter>(config_of(file), at::kFloat);
  fill(*adapter, file.at("seed").get<std::uint64_t>());
  return adapter;
}

void write_image_adapter(const std::string& name, const std::string& path) {
  write(*make_image_adapter(name), path, [](const std::string& key) { return key; });
}

}  // namespace fjord::testing
