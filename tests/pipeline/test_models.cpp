#include "pipeline/test_models.h"

#include "loading/config_json.h"
#include "loading/safetensors.h"
#include "loading/source.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "support/seeded_weights.h"

#include <cstdlib>
#include <filesystem>
#include <map>

namespace fjord::testing {
namespace {

namespace fs = std::filesystem;

class TemporaryModel {
 public:
  // unet_config: a file that replaces that of the U-Net; empty: none.
  explicit TemporaryModel(const std::string& unet_config = "") {
    std::string name = (fs::temp_directory_path() / "fjord-random-model-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
    fs::copy(FJORD_TEST_DATA "/pipelines/random", path_, fs::copy_options::recursive);
    fs::copy(tiny_model() + "/tokenizer", path_ + "/tokenizer");
    if (!unet_config.empty()) {
      fs::copy(unet_config, path_ + "/unet/config.json", fs::copy_options::overwrite_existing);
    }
    write_weights();
  }
  ~TemporaryModel() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string config(const std::string& folder) const {
    return loading::read_text(*loading::open_folder(path_), folder + "/config.json", 1 << 20);
  }
  void write(nn::Module& module, std::uint64_t seed, const std::string& file) const {
    fill(module, seed);
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [name, tensor] : module.named_parameters()) tensors.emplace(name, *tensor);
    loading::write_safetensors(path_ + "/" + file, tensors);
  }
  void write_weights() const {
    models::UNet2DConditionModel unet(loading::read_unet_config(config("unet"), "unet"), at::kFloat);
    models::AutoencoderKL vae(loading::read_vae_config(config("vae"), "vae"), at::kFloat);
    models::ClipTextModel text(loading::read_clip_text_config(config("text_encoder"), "text_encoder"), at::kFloat);
    write(unet, 0, "unet/diffusion_pytorch_model.safetensors");
    write(vae, 1, "vae/diffusion_pytorch_model.safetensors");
    write(text, 2, "text_encoder/model.safetensors");
  }

  std::string path_;
};

}  // namespace

std::string tiny_model() { return FJORD_SOURCE_DIR "/weights/tiny"; }

const std::string& random_model() {
  static const TemporaryModel model;
  return model.path();
}

const std::string& inpainting_model() {
  static const TemporaryModel model(FJORD_TEST_DATA "/tasks/inpaint_unet.json");
  return model.path();
}

}  // namespace fjord::testing
