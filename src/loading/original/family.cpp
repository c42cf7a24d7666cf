#include "loading/original/family.h"

#include "core/check.h"

#include <algorithm>
#include <array>

namespace fjord::loading {
namespace {

constexpr char kPndm[] = "PNDMScheduler";
constexpr char kEuler[] = "EulerDiscreteScheduler";

std::vector<Family> make_families() {
  Family first{.name = "Stable Diffusion 1.x", .encoders = {{"text_encoder", "cond_stage_model.transformer."}}};
  first.from_text = {"StableDiffusionPipeline", kPndm};
  first.inpainting = {"StableDiffusionInpaintPipeline", kPndm};
  first.editing = {"StableDiffusionInstructPix2PixPipeline", "EulerAncestralDiscreteScheduler"};
  first.linear_projection = false;

  auto second = first;
  second.name = "Stable Diffusion 2.x";
  second.encoders = {{"text_encoder", "cond_stage_model.model.", true}};
  second.from_text.scheduler = "DDIMScheduler";
  second.size = 768;
  second.linear_projection = true;
  second.predicts_velocity = true;

  Family large{.name = "Stable Diffusion XL",
               .encoders = {{"text_encoder", "conditioner.embedders.0.transformer."},
                            {"text_encoder_2", "conditioner.embedders.1.model.", true, true}}};
  large.from_text = {"StableDiffusionXLPipeline", kEuler};
  large.inpainting = {"StableDiffusionXLInpaintPipeline", kEuler};
  large.editing = {"StableDiffusionXLInstructPix2PixPipeline", kEuler};
  large.vae_scaling = 0.13025;
  large.size = 1024;
  large.size_ids = 6;

  auto refiner = large;
  refiner.name = "Stable Diffusion XL refiner";
  refiner.encoders = {{"text_encoder_2", "conditioner.embedders.0.model.", true, true}};
  refiner.from_text = {"StableDiffusionXLImg2ImgPipeline", kEuler};
  refiner.inpainting = refiner.editing = {};
  refiner.size_ids = 5;
  refiner.aesthetic_score = true;
  return {first, second, large, refiner};
}

struct Mark {
  const char* prefix;
  const char* kind;
};

// Beginnings of names by which files of other kinds give themselves away.
constexpr std::array kOthers{
    Mark{"lora_unet_", "a LoRA"},
    Mark{"lora_te", "a LoRA"},
    Mark{"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k.lora", "a LoRA"},
    Mark{"base_model.model.", "a LoRA"},
    Mark{"control_model.", "a ControlNet"},
    Mark{"controlnet_cond_embedding.", "a ControlNet"},
    Mark{"emb_params", "a textual inversion"},
    Mark{"string_to_param", "a textual inversion"},
    Mark{"image_proj.", "an IP-Adapter"},
    Mark{"edm_mean", "a model of the Playground 2.5 family"},
    Mark{"model.diffusion_model.joint_blocks.", "a model of the Stable Diffusion 3 family"},
    Mark{"joint_blocks.", "a model of the Stable Diffusion 3 family"},
    Mark{"model.diffusion_model.double_blocks.", "a model of the Flux family"},
    Mark{"double_blocks.", "a model of the Flux family"},
    Mark{"depth_model.", "a depth-to-image model"},
};

// Parts that may stand alone in a file.
constexpr std::array kAlone{
    Mark{"down_blocks.", "a U-Net alone, in diffusers' layout"},
    Mark{"input_blocks.", "a U-Net alone"},
    Mark{"encoder.conv_in.", "a VAE alone"},
    Mark{"text_model.", "a text encoder alone"},
    Mark{"transformer.resblocks.", "a text encoder alone"},
};

// What training leaves behind, and markers: looked at elsewhere, or meaningless for making pictures.
constexpr std::array kMeaningless{
    "model_ema.",
    "first_stage_model.loss.",
    "first_stage_model.model_ema.",
    "betas",
    "alphas_cumprod",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "sqrt_recip",
    "posterior_",
    "logvar",
    "global_step",
    "scale_factor",
    "denoiser.",
    "v_pred",
    "ztsnr",
    "edm_vpred.",
    "embedding_manager.",
    "noise_augmentor.",
};

bool is_unknown(const std::string& name, const Family& family) {
  const auto begins = [&name](const std::string& prefix) { return name.starts_with(prefix); };
  return !begins(kUNetPrefix) && !begins(kVaePrefix) &&
         std::none_of(family.encoders.begin(), family.encoders.end(),
                      [&](const auto& encoder) { return begins(encoder.prefix); });
}

void refuse_other_kinds(const AssembledTensors& tensors, const std::string& file) {
  for (const auto& [prefix, kind] : kOthers) {
    check(!has_prefix(tensors, prefix), ErrorCode::kUnsupported, file, " is ", kind,
          ", expected a model of Stable Diffusion 1.x, 2.x or XL");
  }
  if (has_prefix(tensors, kUNetPrefix)) return;
  for (const auto& [prefix, kind] : kAlone) {
    check(!has_prefix(tensors, prefix), ErrorCode::kUnsupported, file, " is ", kind,
          ", expected a whole model with a U-Net under \"", kUNetPrefix, "\"");
  }
  fail(ErrorCode::kUnsupported, file, " is no model that fjord knows: expected tensors under \"", kUNetPrefix,
       "\", the first of its ", tensors.size(), " is ",
       tensors.empty() ? "missing" : fjord::quoted(tensors.begin()->first));
}

// Prefixes of the text encoders that the file has.
std::vector<std::string> encoders_in(const AssembledTensors& tensors) {
  std::vector<std::string> found;
  for (const auto& family : families()) {
    for (const auto& encoder : family.encoders) {
      const bool is_new = std::find(found.begin(), found.end(), encoder.prefix) == found.end();
      if (is_new && has_prefix(tensors, encoder.prefix)) found.push_back(encoder.prefix);
    }
  }
  return found;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + fjord::quoted(name);
  return out;
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all = make_families();
  return all;
}

const Family& family_of(const AssembledTensors& tensors, const std::string& file) {
  refuse_other_kinds(tensors, file);
  const auto found = encoders_in(tensors);
  check(!found.empty(), ErrorCode::kBadFile, file, " has a U-Net but no text encoder: expected tensors under ",
        "\"cond_stage_model.\" or \"conditioner.embedders.\"");
  for (const auto& family : families()) {
    const bool all = std::all_of(family.encoders.begin(), family.encoders.end(),
                                 [&](const auto& encoder) { return has_prefix(tensors, encoder.prefix); });
    if (all && found.size() == family.encoders.size()) return family;
  }
  fail(ErrorCode::kBadFile, file, " has the text encoders of no family, or of several: ", listed(found));
}

void drop_others(AssembledTensors& tensors, const Family& family, bool skip_unknown, const std::string& file) {
  std::vector<std::string> unknown;
  for (auto next = tensors.begin(); next != tensors.end();) {
    const auto& name = next->first;
    const bool meaningless = std::any_of(kMeaningless.begin(), kMeaningless.end(),
                                         [&name](const char* prefix) { return name.starts_with(prefix); });
    const bool other = meaningless || is_unknown(name, family);
    if (other && !meaningless) unknown.push_back(name);
    next = other ? tensors.erase(next) : std::next(next);
  }
  if (unknown.empty() || skip_unknown) return;
  const auto count = unknown.size();
  unknown.resize(std::min<size_t>(count, 5));
  fail(ErrorCode::kBadFile, file, " looks like ", family.name, " but has ", count, " of ", count + tensors.size(),
       " tensors that belong to no part of it: ", listed(unknown), count > unknown.size() ? ", ..." : "",
       "; skip_unknown leaves them out");
}

}  // namespace fjord::loading
