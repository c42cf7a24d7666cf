#include "loading/control_file.h"

#include "core/check.h"
#include "loading/assembled_file.h"
#include "loading/config_json.h"
#include "loading/original/control_keys.h"
#include "loading/original/control_shapes.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

namespace fjord::loading {
namespace {

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr char kConfig[] = "config.json";
constexpr char kStem[] = "diffusion_pytorch_model";
constexpr char kControlNet[] = "ControlNetModel";
constexpr char kT2IAdapter[] = "T2IAdapter";
constexpr char kPrefix[] = "control_model.";
constexpr char kExpected[] = "expected a ControlNet or a T2I-Adapter";

struct Mark {
  const char* prefix;
  const char* kind;
};

// Beginnings of names by which other files give themselves away, in the order in which they are looked for.
constexpr std::array kOthers{
    Mark{"control_add_embedding.", "a ControlNet union, which fjord does not have"},
    Mark{"task_embedding", "a ControlNet union, which fjord does not have"},
    Mark{"lora_controlnet", "a Control-LoRA, which fjord does not have"},
    Mark{"lllite_", "a ControlNet-LLLite, which fjord does not have"},
    Mark{"controlnet_blocks.", "a ControlNet of another family of models"},
    Mark{"lora_unet_", "a LoRA"},
    Mark{"lora_te", "a LoRA"},
    Mark{"base_model.model.", "a LoRA"},
    Mark{"unet.", "a LoRA"},
    Mark{"image_proj.", "an IP-Adapter"},
    Mark{"emb_params", "a textual inversion"},
    Mark{"string_to_param", "a textual inversion"},
};

// Likewise, where nothing of a control network was found.
constexpr std::array kWholes{
    Mark{"model.diffusion_model.", "a whole model"},
    Mark{"up_blocks.", "a U-Net"},
    Mark{"output_blocks.", "a U-Net"},
    Mark{"down_blocks.", "no whole ControlNet"},
    Mark{"encoder.", "a VAE"},
    Mark{"text_model.", "a text encoder"},
};

// Parts of a whole model that some files have beside the ControlNet.
constexpr std::array kBeside{"model.diffusion_model.",
                             "first_stage_model.",
                             "cond_stage_model.",
                             "conditioner.",
                             "model_ema.",
                             "betas",
                             "alphas_cumprod",
                             "sqrt_",
                             "log_one_minus",
                             "posterior_",
                             "logvar",
                             "global_step"};

void refuse(const AssembledTensors& tensors, const std::string& file) {
  for (const auto& [prefix, kind] : kOthers) {
    check(!has_prefix(tensors, prefix), ErrorCode::kUnsupported, file, " is ", kind, "; ", kExpected);
  }
  check(!tensors.contains("difference"), ErrorCode::kUnsupported, file,
        " holds a ControlNet's differences from a model's weights, which fjord does not add up; ", kExpected);
}

// Takes what is beside the ControlNet out; unknown names are refused.
AssembledTensors own_tensors(const AssembledTensors& all, const std::string& file, std::vector<std::string>& notes) {
  if (!has_prefix(all, kPrefix)) return all;
  bool whole_model = false;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(kPrefix)) continue;
    whole_model = true;
    const bool known = std::any_of(kBeside.begin(), kBeside.end(),
                                   [&name = name](const char* prefix) { return name.starts_with(prefix); });
    check(known, ErrorCode::kBadFile, file, " has the tensor ", fjord::quoted(name),
          ", which belongs neither to its ControlNet (\"", kPrefix, "\") nor to a model");
  }
  if (whole_model) notes.push_back(file + " has a whole model beside the ControlNet, which is not used");
  return below(all, kPrefix);
}

std::shared_ptr<const Checkpoint> as_checkpoint(const std::string& name, const AssembledTensors& tensors) {
  return std::make_shared<const Checkpoint>(Safetensors(assemble(name, tensors)));
}

std::string read_config(const Source& folder) { return read_text(folder, kConfig, kMaxConfigSize); }

// Of the file "diffusion_pytorch_model..." in a folder of its own.
void take_config_beside(const std::string& path, ControlFile& out) {
  const std::filesystem::path file(path);
  if (!file.filename().string().starts_with(kStem)) return;
  const auto folder = open_folder(file.parent_path().empty() ? "." : file.parent_path().string());
  if (!folder->exists(kConfig)) return;
  const auto text = read_config(*folder), where = folder->describe(kConfig), kind = class_name_of(text, where);
  const bool is_control = std::holds_alternative<config::ControlNet>(out.config);
  if (kind != (is_control ? kControlNet : kT2IAdapter)) return;
  out.notes.clear();
  if (is_control) {
    out.config = read_controlnet_config(text, where);
  } else {
    out.config = read_t2i_adapter_config(text, where);
  }
}

ControlFile controlnet_of(const AssembledTensors& tensors, const config::UNet& unet, const std::string& file) {
  ControlFile out;
  out.where = file;
  out.config = controlnet_config_of(tensors, unet, file);
  out.notes = {file +
               " has no configuration: heads, norms and activations are taken to be those of the model's U-Net, "
               "global_pool_conditions to be false and the channels' order to be rgb"};
  return out;
}

bool has_controlnet_names(const AssembledTensors& tensors) { return has_prefix(tensors, "controlnet_cond_embedding."); }

ControlFile open_single(const std::string& path, const config::UNet& unet) {
  const auto file = std::make_shared<const Safetensors>(open_file(path));
  const auto label = fjord::quoted(file->name(), 300);
  AssembledTensors all;
  for (const auto& [name, entry] : file->tensors()) all.emplace(name, whole_tensor(file, name));
  refuse(below(all, kPrefix), label);
  refuse(all, label);
  std::vector<std::string> notes;
  auto tensors = own_tensors(all, label, notes);
  if (has_prefix(tensors, "input_hint_block.")) tensors = to_diffusers(tensors, controlnet_keys(tensors));
  if (has_prefix(tensors, "body.0.")) tensors = to_diffusers(tensors, t2i_adapter_keys(tensors, label));
  ControlFile out;
  if (has_controlnet_names(tensors)) {
    out = controlnet_of(tensors, unet, label);
  } else if (has_prefix(tensors, "adapter.body.")) {
    out.where = label;
    out.config = t2i_adapter_config_of(tensors, label);
  } else {
    for (const auto& [prefix, kind] : kWholes) {
      check(!has_prefix(tensors, prefix), ErrorCode::kUnsupported, label, " is ", kind, "; ", kExpected);
    }
    fail(ErrorCode::kUnsupported, label, " is no control network that fjord knows; ", kExpected, ", the first of its ",
         all.size(), " tensors is ", all.empty() ? "missing" : fjord::quoted(all.begin()->first));
  }
  take_config_beside(path, out);
  out.notes.insert(out.notes.end(), notes.begin(), notes.end());
  out.weights = as_checkpoint(file->name(), tensors);
  return out;
}

}  // namespace

ControlFile open_control_folder(const Source& folder) {
  check(folder.exists(kConfig), ErrorCode::kNotFound, "there is no control network: expected ",
        folder.describe(kConfig), " (", kExpected, " in diffusers' layout)");
  ControlFile out;
  out.where = folder.describe(kStem);
  const auto text = read_config(folder), where = folder.describe(kConfig), kind = class_name_of(text, where);
  check(kind == kControlNet || kind == kT2IAdapter, ErrorCode::kUnsupported, where,
        ": expected a ControlNetModel or a T2IAdapter, got ", kind.empty() ? "no class name" : fjord::quoted(kind));
  if (kind == kControlNet) {
    out.config = read_controlnet_config(text, where);
  } else {
    out.config = read_t2i_adapter_config(text, where);
  }
  out.weights = std::make_shared<const Checkpoint>(folder, "", kStem);
  return out;
}

ControlFile open_control(const std::string& path, const config::UNet& unet) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return open_single(path, unet);
  const auto folder = open_folder(path);
  check(folder->exists(kConfig) || !folder->exists("model_index.json"), ErrorCode::kUnsupported,
        fjord::quoted(path, 300), " is a whole model; ", kExpected);
  return open_control_folder(*folder);
}

}  // namespace fjord::loading
