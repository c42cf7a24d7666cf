#include <fjord/convert.h>

#include "loading/config_json.h"
#include "loading/convert_model.h"
#include "loading/load_into.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "pipeline/error_translation.h"

#include <c10/core/InferenceMode.h>

namespace fjord {
namespace {

using loading::Source;

constexpr char kStem[] = "diffusion_pytorch_model";

// Builds a part from its configuration without memory and compares names and shapes.
template <typename ModuleType, typename Read>
void check_part(const Source& source, const std::string& part, const std::string& stem, Read&& read,
                const loading::KeyRules& rules) {
  const auto name = part + "/config.json";
  ModuleType module(read(loading::read_text(source, name, std::uint64_t{1} << 20), source.describe(name)),
                    at::TensorOptions(at::kMeta).dtype(at::kFloat));
  loading::check_keys(module, loading::Checkpoint(source, part, stem), rules, source.describe(part));
}

void check_parts(const Source& source) {
  const auto text = loading::read_text(source, "model_index.json", std::uint64_t{1} << 20);
  for (const auto& [part, class_name] : loading::read_model_index(text, "model_index.json").components) {
    if (class_name == "UNet2DConditionModel") {
      check_part<models::UNet2DConditionModel>(source, part, kStem, loading::read_unet_config, loading::unet_rules());
    } else if (class_name == "AutoencoderKL") {
      check_part<models::AutoencoderKL>(source, part, kStem, loading::read_vae_config, loading::vae_rules());
    } else if (class_name.starts_with("CLIPTextModel")) {
      check_part<models::ClipTextModel>(source, part, "model", loading::read_clip_text_config,
                                        loading::clip_text_rules());
    }
  }
}

}  // namespace

ConvertReport convert(const std::string& source, const std::string& destination, const ConvertOptions& options) {
  return pipeline::translated([&] {
    const c10::InferenceMode mode;
    return loading::convert_model(source, destination, options, check_parts);
  });
}

}  // namespace fjord
