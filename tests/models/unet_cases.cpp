#include "models/unet_cases.h"

#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "support/seeded_weights.h"

#include <filesystem>

namespace fjord::testing {
namespace {

const std::string kModels = FJORD_TEST_DATA "/models";

}  // namespace

std::string model_config_text(const std::string& name) {
  return loading::read_text(*loading::open_folder(kModels), name + ".json", 1 << 20);
}

at::Tensor recorded_tensor(const std::string& file, const std::string& tensor) {
  const std::string path = std::string(FJORD_TEST_DATA "/") + file + ".safetensors";
  const loading::Checkpoint checkpoint{loading::Safetensors(loading::open_file(path))};
  const auto* entry = checkpoint.find(tensor);
  if (entry == nullptr) throw std::runtime_error("no recorded tensor " + tensor);
  auto out = at::empty(entry->shape, at::kFloat);
  checkpoint.read_into(tensor, out);
  return out;
}

std::vector<std::string> model_cases(const std::string& prefix) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(kModels)) {
    const auto stem = entry.path().stem().string();
    if (entry.path().extension() == ".json" && stem.starts_with(prefix)) out.push_back(stem);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::unique_ptr<models::UNet2DConditionModel> make_unet(const std::string& name) {
  auto unet = std::make_unique<models::UNet2DConditionModel>(loading::read_unet_config(model_config_text(name), name),
                                                             at::kFloat);
  fill(*unet, kModelSeed);
  return unet;
}

models::UNetInput unet_inputs(const config::UNet& config, at::IntArrayRef output_sizes) {
  models::UNetInput in;
  in.sample = normal(1, {2, config.in_channels, output_sizes[2], output_sizes[3]});
  in.timesteps = at::tensor({981.0F, 3.5F});
  in.encoder_hidden_states = normal(2, {2, 7, config.encoder_hid_dim.value_or(config.cross_attention_dim[0])});
  if (config.num_class_embeds) {
    in.class_labels = at::tensor(std::vector<std::int64_t>{1, 4});
  } else if (config.class_embed_type == "timestep") {
    in.class_labels = at::tensor({20.0F, 600.0F});
  } else if (config.class_embed_type) {
    in.class_labels = normal(3, {2, *config.projection_class_embeddings_input_dim});
  }
  if (config.addition_embed_type) {
    in.text_embeds = normal(4, {2, 20});
    in.time_ids = 200 * normal(5, {2, 6}).abs();
  }
  if (config.time_cond_proj_dim) in.timestep_cond = normal(6, {2, *config.time_cond_proj_dim});
  return in;
}

}  // namespace fjord::testing
