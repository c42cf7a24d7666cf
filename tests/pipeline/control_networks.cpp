#include "pipeline/control_networks.h"

#include "loading/config_json.h"
#include "loading/safetensors.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "support/seeded_weights.h"
#include "support/temp_folder.h"

#include <fstream>

namespace fjord::testing {
namespace {

constexpr int kLoud = 50;  // as in the script
const std::string kFolder = FJORD_TEST_DATA "/control";

NamedTensors filled(nn::Module&& module, std::uint64_t seed) {
  fill(module, seed);
  NamedTensors out;
  for (const auto& [name, tensor] : module.named_parameters()) out.emplace(name, *tensor);
  return out;
}

}  // namespace

nlohmann::json control_json(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(kFolder + "/" + name + ".json"));
}

NamedTensors control_tensors(const std::string& name) {
  const auto text = control_json(name).dump();
  const auto seed = control_json("seeds").at(name).get<std::uint64_t>();
  if (loading::class_name_of(text, name) == "T2IAdapter") {
    return filled(models::T2IAdapter(loading::read_t2i_adapter_config(text, name), at::kFloat), seed);
  }
  auto tensors = filled(models::ControlNetModel(loading::read_controlnet_config(text, name), at::kFloat), seed);
  tensors.at("controlnet_cond_embedding.conv_out.weight").mul_(kLoud);
  return tensors;
}

NamedTensors original_control_tensors(const std::string& name) {
  const auto names = control_json("original_names").at(name);
  NamedTensors out;
  for (const auto& [own, tensor] : control_tensors(name)) out.emplace(names.at(own).get<std::string>(), tensor);
  return out;
}

std::string control_folder(const std::string& name) {
  static const TempFolder folder;
  static std::map<std::string, bool> made;
  if (!std::exchange(made[name], true)) {
    folder.write(name + "/config.json", control_json(name).dump());
    loading::write_safetensors(folder.file(name + "/diffusion_pytorch_model.safetensors"), control_tensors(name));
  }
  return folder.file(name);
}

}  // namespace fjord::testing
