#include "adapters/seeded_adapter.h"

#include "loading/json_text.h"
#include "loading/safetensors.h"
#include "loading/source.h"
#include "support/packed_names.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace fjord::testing {
namespace {

at::Tensor draw(const std::string& name, const std::vector<std::int64_t>& shape, at::Generator& generator,
                const nlohmann::json& file) {
  if (name.ends_with(".alpha")) return at::scalar_tensor(file.at("alpha").get<double>());
  const auto noise = at::randn(shape, generator, at::kFloat);
  if (name.find("magnitude") != std::string::npos || name.find("dora_scale") != std::string::npos) {
    return 1 + 0.1 * noise;
  }
  if (shape.size() < 2) return 0.1 * noise;
  const auto fan_in = static_cast<double>(noise.numel()) / static_cast<double>(shape[0]);
  return file.at("gain").get<double>() * noise / std::sqrt(fan_in);
}

}  // namespace

nlohmann::json read_adapter_cases(const std::string& name) {
  const auto text = loading::read_text(*loading::open_folder(FJORD_TEST_DATA "/adapters"), name + ".json", 1 << 20);
  return loading::parse_json_object(text, name);
}

std::map<std::string, at::Tensor> draw_adapter(const nlohmann::json& file) {
  auto generator = at::detail::createCPUGenerator(file.at("seed").get<std::uint64_t>());
  std::map<std::string, at::Tensor> out;
  for (const auto& [name, shape] : unpack_names(file.at("shapes").get<std::string>())) {
    out.emplace(file.value("prefix", "") + name, draw(name, shape, generator, file));
  }
  return out;
}

std::string write_adapter(const nlohmann::json& file, const std::string& folder) {
  std::filesystem::create_directories(folder);
  const auto path = folder + "/adapter_model.safetensors";
  const auto metadata = file.value("metadata", std::map<std::string, std::string>());
  loading::write_safetensors(path, draw_adapter(file), metadata);
  if (file.contains("config")) std::ofstream(folder + "/adapter_config.json") << file.at("config").dump();
  return path;
}

}  // namespace fjord::testing
