#include "loading/original/vae_file.h"

#include "core/check.h"
#include "loading/original/family.h"
#include "loading/original/shapes_config.h"
#include "loading/variant_source.h"

#include <filesystem>
#include <utility>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr const char* kKept[] = {"scaling_factor", "shift_factor", "latents_mean",
                                 "latents_std",    "sample_size",  "force_upcast"};

void mount_folder(ComposedSource& target, const std::string& path, const std::string& variant) {
  std::shared_ptr<const Source> folder = open_folder(path);
  if (!variant.empty()) folder = prefer_variant(std::move(folder), variant);
  for (const char* prefix : {"vae/", ""}) {
    if (!folder->exists(std::string(prefix) + "config.json")) continue;
    return target.mount("vae/", folder, prefix);
  }
  fail(ErrorCode::kNotFound, "there is no VAE in ", fjord::quoted(path, 300),
       ": expected config.json there or in its folder vae");
}

}  // namespace

void put_vae(ComposedSource& target, const AssembledTensors& original, const Json& base, const std::string& file) {
  auto tensors = to_diffusers(original, vae_keys(original));
  std::erase_if(tensors, [](const auto& item) {
    return item.first.starts_with("loss.") || item.first.starts_with("model_ema.");
  });
  Json kept = Json::object();
  for (const char* field : kKept) {
    if (base.contains(field)) kept[field] = base.at(field);
  }
  const auto config = vae_config_of(tensors, kept, file);
  target.put_text("vae/config.json", config.dump(2) + "\n");
  target.put_weights("vae/diffusion_pytorch_model.safetensors", std::move(tensors));
}

void replace_vae(ComposedSource& target, const std::string& path, const Json& base, const std::string& variant) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return mount_folder(target, path, variant);
  const auto file = std::make_shared<const Safetensors>(open_file(path));
  const auto label = fjord::quoted(path, 300);
  AssembledTensors tensors;
  for (const auto& [name, entry] : file->tensors()) tensors.emplace(name, whole_tensor(file, name));
  if (has_prefix(tensors, kVaePrefix)) tensors = below(tensors, kVaePrefix);
  check(has_prefix(tensors, "encoder.conv_in.") && has_prefix(tensors, "decoder.conv_in."), ErrorCode::kUnsupported,
        label, " is no VAE that fjord knows: expected tensors under \"encoder.\" and \"decoder.\", alone or under \"",
        kVaePrefix, "\"");
  put_vae(target, tensors, base, label);
}

}  // namespace fjord::loading
