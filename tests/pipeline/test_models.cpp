#include "pipeline/test_models.h"

#include "loading/config_json.h"
#include "loading/safetensors.h"
#include "loading/source.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "models/vae/autoencoder_tiny.h"
#include "support/seeded_weights.h"

#include <cstdlib>
#include <filesystem>
#include <map>

namespace fjord::testing {
namespace {

namespace fs = std::filesystem;

using Seeds = std::map<std::string, std::uint64_t>;  // by component

const Seeds kRandomSeeds{{"unet", 0}, {"vae", 1}, {"text_encoder", 2}};

class TemporaryModel {
 public:
  // unet_config: a file that replaces that of the U-Net; empty: none.
  TemporaryModel(const std::string& configurations, const Seeds& seeds, const std::string& unet_config = "") {
    std::string name = (fs::temp_directory_path() / "fjord-test-model-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
    fs::copy(FJORD_TEST_DATA "/" + configurations, path_, fs::copy_options::recursive);
    if (!unet_config.empty()) {
      fs::copy(unet_config, path_ + "/unet/config.json", fs::copy_options::overwrite_existing);
    }
    for (const auto& [component, seed] : seeds) {
      if (!fs::exists(path_ + "/" + component)) continue;
      write_weights(component, seed);
      if (component.starts_with("text_encoder")) add_tokenizer("tokenizer" + component.substr(12));
    }
  }
  ~TemporaryModel() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryModel(const TemporaryModel&) = delete;
  TemporaryModel& operator=(const TemporaryModel&) = delete;

  const std::string& path() const { return path_; }

 private:
  // The configuration's own files stay.
  void add_tokenizer(const std::string& folder) const {
    fs::copy(tiny_model() + "/tokenizer", path_ + "/" + folder,
             fs::copy_options::recursive | fs::copy_options::skip_existing);
  }

  std::string config(const std::string& folder) const {
    return loading::read_text(*loading::open_folder(path_), folder + "/config.json", 1 << 20);
  }

  void write(nn::Module&& module, std::uint64_t seed, const std::string& file) const {
    fill(module, seed);
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [name, tensor] : module.named_parameters()) tensors.emplace(name, *tensor);
    loading::write_safetensors(path_ + "/" + file, tensors);
  }

  void write_weights(const std::string& component, std::uint64_t seed) const {
    const auto text = config(component);
    const auto diffusion = component + "/diffusion_pytorch_model.safetensors";
    if (component == "unet") {
      write(models::UNet2DConditionModel(loading::read_unet_config(text, component), at::kFloat), seed, diffusion);
    } else if (component != "vae") {
      write(models::ClipTextModel(loading::read_clip_text_config(text, component), at::kFloat), seed,
            component + "/model.safetensors");
    } else if (loading::class_name_of(text, component) == "AutoencoderTiny") {
      write(models::AutoencoderTiny(loading::read_tiny_vae_config(text, component), at::kFloat), seed, diffusion);
    } else {
      write(models::AutoencoderKL(loading::read_vae_config(text, component), at::kFloat), seed, diffusion);
    }
  }

  std::string path_;
};

}  // namespace

std::string tiny_model() { return FJORD_SOURCE_DIR "/weights/tiny"; }

const std::string& random_model() {
  static const TemporaryModel model("pipelines/random", kRandomSeeds);
  return model.path();
}

const std::string& inpainting_model() {
  static const TemporaryModel model("pipelines/random", kRandomSeeds, FJORD_TEST_DATA "/tasks/inpaint_unet.json");
  return model.path();
}

const std::string& seeded_model(const std::string& configurations) {
  static std::map<std::string, TemporaryModel> models;
  static const Seeds seeds{{"unet", 10}, {"vae", 11}, {"text_encoder", 12}, {"text_encoder_2", 13}};
  return models.try_emplace(configurations, configurations, seeds).first->second.path();
}

const std::string& family_model(const std::string& name) { return seeded_model("families/" + name); }

const Pipeline& family_pipeline(const std::string& name) {
  static std::map<std::string, Pipeline> pipelines;
  const auto found = pipelines.find(name);
  if (found != pipelines.end()) return found->second;
  return pipelines.emplace(name, Pipeline::load(family_model(name))).first->second;
}

}  // namespace fjord::testing
