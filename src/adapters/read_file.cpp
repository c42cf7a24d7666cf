#include "adapters/read_file.h"

#include "core/check.h"
#include "loading/source.h"

#include <array>
#include <filesystem>
#include <system_error>

namespace fjord::adapters {
namespace {

namespace fs = std::filesystem;

constexpr char kPeftFile[] = "adapter_model.safetensors";
constexpr char kPeftConfig[] = "adapter_config.json";
constexpr char kDiffusersFile[] = "pytorch_lora_weights.safetensors";
constexpr char kDiffusersMetadata[] = "lora_adapter_metadata";
constexpr std::uint64_t kMaxConfig = std::uint64_t{1} << 20;

std::string file_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  for (const char* name : {kPeftFile, kDiffusersFile}) {
    const auto file = (fs::path(path) / name).string();
    if (fs::exists(file, error)) return file;
  }
  fail(ErrorCode::kNotFound, "expected ", kPeftFile, " or ", kDiffusersFile, " in ", fjord::quoted(path, 300));
}

loading::AdapterConfigs configs_of(const loading::Safetensors& file, const std::string& path) {
  const auto& metadata = file.metadata();
  if (const auto found = metadata.find(kDiffusersMetadata); found != metadata.end()) {
    return loading::read_diffusers_metadata(found->second, file.name());
  }
  const fs::path place(path);
  std::error_code error;
  if (place.filename() != kPeftFile || !fs::exists(place.parent_path() / kPeftConfig, error)) return {};
  const auto folder = loading::open_folder(place.has_parent_path() ? place.parent_path().string() : ".");
  const auto text = loading::read_text(*folder, kPeftConfig, kMaxConfig);
  return {{"", loading::read_peft_config(text, folder->describe(kPeftConfig))}};
}

}  // namespace

Changes read_adapter_file(const std::string& path, const Networks& networks) {
  const auto file_path = file_of(path);
  const loading::Safetensors file(loading::open_file(file_path));
  return read_adapter(file, configs_of(file, file_path), networks);
}

}  // namespace fjord::adapters
