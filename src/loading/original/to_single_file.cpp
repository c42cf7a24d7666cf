#include "loading/original/to_single_file.h"

#include "core/check.h"
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/load_into.h"
#include "loading/original/same_model.h"
#include "loading/original/single_file.h"
#include "loading/written_files.h"

#include <utility>
#include <vector>

namespace fjord::loading {
namespace {

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr char kStem[] = "diffusion_pytorch_model";

std::string text_of(const Source& source, const std::string& name) { return read_text(source, name, kMaxConfigSize); }

bool has_encoders(const Source& folder, const ModelIndex& index, const Family& family) {
  size_t encoders = 0;
  for (const auto& [name, class_name] : index.components) encoders += name.starts_with("text_encoder");
  if (encoders != family.encoders.size()) return false;
  for (const auto& place : family.encoders) {
    if (!index.components.contains(place.folder)) return false;
    const auto config = encoder_config(folder, place.folder);
    const bool projects = config.architecture == "CLIPTextModelWithProjection";
    if (projects != place.with_projection || (config.hidden_act == "gelu") != place.openclip) return false;
  }
  return true;
}

const Family& family_of_folder(const Source& folder, const ModelIndex& index) {
  for (const auto& family : families()) {
    if (has_encoders(folder, index, family)) return family;
  }
  fail(ErrorCode::kUnsupported, folder.describe("model_index.json"), ": the original layout has no place for the text ",
       "encoders of this ", fjord::quoted(index.class_name));
}

// Tensors of a part under the names that diffusers' classes have today.
AssembledTensors part_of(const Source& folder, const std::string& name, const std::string& stem,
                         const KeyRules& rules) {
  const Checkpoint checkpoint(folder, name, stem);
  AssembledTensors out;
  for (auto& [file_name, tensor] : tensors_of(checkpoint)) {
    check(tensor.dtype != "I8", ErrorCode::kUnsupported, folder.describe(name),
          " is quantized (int8), which the original layout does not have");
    out.emplace(module_name(file_name, rules), std::move(tensor));
  }
  return out;
}

AssembledTensors encoder_tensors(const Source& folder, const EncoderPlace& place) {
  AssembledTensors tensors;
  for (auto& [name, tensor] : part_of(folder, place.folder, "model", clip_text_rules())) {
    if (name.ends_with("position_ids")) continue;
    const bool outside = name.starts_with("text_projection.");
    tensors.emplace(outside ? name : "text_model." + name, std::move(tensor));
  }
  return place.openclip ? to_original(tensors, openclip_keys(tensors)) : tensors;
}

void add(AssembledTensors& all, const std::string& prefix, AssembledTensors part) {
  for (auto& [name, tensor] : part) all.emplace(prefix + name, std::move(tensor));
}

void add_marker(AssembledTensors& all, const std::string& name) { all[name] = {"F32", {0}, {}, false}; }

struct Noise {
  bool velocity = false;
  bool zero_terminal_snr = false;
};

// What the markers can say of the noise that the model was trained on; anything else must be as everywhere.
Noise noise_of(const Source& folder) {
  const std::string name = "scheduler/scheduler_config.json";
  const auto where = folder.describe(name);
  const auto json = parse_json_object(text_of(folder, name), where);
  const nlohmann::json usual{{"beta_start", 0.00085},
                             {"beta_end", 0.012},
                             {"beta_schedule", "scaled_linear"},
                             {"num_train_timesteps", 1000},
                             {"trained_betas", nullptr}};
  for (auto item = usual.begin(); item != usual.end(); ++item) {
    check(!json.contains(item.key()) || json.at(item.key()) == *item, ErrorCode::kUnsupported, where,
          ": a single file in the original layout cannot say that ", item.key(), " is ", json.value(item.key(), *item));
  }
  const auto type = json.find("prediction_type");
  const bool velocity = type != json.end() && *type == "v_prediction";
  check(velocity || type == json.end() || *type == "epsilon", ErrorCode::kUnsupported, where,
        ": the original layout has no marker for prediction_type ", velocity ? "" : type->dump());
  const auto rescaled = json.find("rescale_betas_zero_snr");
  return {velocity, rescaled != json.end() && *rescaled == true};
}

}  // namespace

SingleFileTensors to_single_file(const Source& folder) {
  const auto index = read_model_index(text_of(folder, "model_index.json"), folder.describe("model_index.json"));
  const auto vae_class = index.components.find("vae");
  check(vae_class != index.components.end() && vae_class->second == "AutoencoderKL", ErrorCode::kUnsupported,
        folder.describe("model_index.json"), ": expected a VAE of the class AutoencoderKL");
  SingleFileTensors out;
  out.family = &family_of_folder(folder, index);
  const auto unet = part_of(folder, "unet", kStem, unet_rules());
  add(out.tensors, kUNetPrefix, to_original(unet, unet_keys_of_diffusers(unet)));
  const auto vae = part_of(folder, "vae", kStem, vae_rules());
  add(out.tensors, kVaePrefix, to_original(vae, vae_keys(vae)));
  for (const auto& place : out.family->encoders) add(out.tensors, place.prefix, encoder_tensors(folder, place));

  const auto noise = noise_of(folder);
  if (noise.velocity) add_marker(out.tensors, "v_pred");
  if (noise.zero_terminal_snr) add_marker(out.tensors, "ztsnr");
  out.metadata = {{"format", "pt"}, {"modelspec.prediction_type", noise.velocity ? "v" : "epsilon"}};
  const auto back = open_single_file(assemble("the single file", out.tensors, out.metadata), {});
  check_same_model(folder, *back.source, *out.family);
  return out;
}

}  // namespace fjord::loading
