#include "loading/original/single_file.h"

#include "core/check.h"
#include "loading/original/shapes_config.h"
#include "loading/original/vae_file.h"
#include "loading/tokenizer_source.h"

#include <utility>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr char kUNetWeights[] = "unet/diffusion_pytorch_model.safetensors";

// The second version's text encoder runs to its last layer but one; that last one is not needed.
// Reference: SD_2_TEXT_ENCODER_KEYS_TO_IGNORE.
constexpr char kUnusedLayer[] = "transformer.resblocks.23.";

// A component's tensors in diffusers' layout and its configuration.
struct Component {
  AssembledTensors tensors;
  Json config;
};

AssembledTensors all_tensors(const std::shared_ptr<const Safetensors>& file) {
  AssembledTensors out;
  for (const auto& [name, entry] : file->tensors()) out.emplace(name, whole_tensor(file, name));
  return out;
}

Component unet_of(const AssembledTensors& all, const Family& family, const std::string& file) {
  const auto original = below(all, kUNetPrefix);
  Component unet{to_diffusers(original, unet_keys_of_original(original)), {}};
  unet.config = unet_config_of(unet.tensors, family, file);
  return unet;
}

Component encoder_of(const AssembledTensors& all, const EncoderPlace& place, const std::string& file) {
  auto tensors = below(all, place.prefix);
  std::erase_if(tensors, [&](const auto& item) {
    const auto& name = item.first;
    const bool last_layer = name.starts_with(kUnusedLayer) || name == "text_projection";
    return name == "logit_scale" || name.ends_with("position_ids") ||
           (place.openclip && !place.with_projection && last_layer);
  });
  if (place.openclip) tensors = to_diffusers(tensors, openclip_keys(tensors));
  auto config = clip_config_of(tensors, place, file);
  return {std::move(tensors), std::move(config)};
}

Task task_of(const Component& unet, const Family& family, const std::string& file) {
  const auto channels = unet.config.at("in_channels").get<std::int64_t>();
  const Task task = channels == 4   ? family.from_text
                    : channels == 9 ? family.inpainting
                    : channels == 8 ? family.editing
                                    : Task{};
  check(!task.pipeline.empty(), ErrorCode::kUnsupported, file, " looks like ", family.name, " but its U-Net has ",
        channels, " input channels; fjord knows 4 (text to image), 8 (InstructPix2Pix) and 9 (inpainting)");
  return task;
}

// What only parts of one family have in common.
void check_family(const Component& unet, const std::map<std::string, Component>& encoders, const Family& family,
                  const std::string& file) {
  std::int64_t features = 0, pooled = 0;
  for (const auto& [folder, encoder] : encoders) {
    features += encoder.config.at("hidden_size").get<std::int64_t>();
    pooled = encoder.config.at("projection_dim").get<std::int64_t>();
  }
  const auto wanted = unet.config.at("cross_attention_dim").get<std::int64_t>();
  check(features == wanted, ErrorCode::kBadFile, file, " has parts of different families: its text encoders (",
        family.name, ") give ", features, " features, its U-Net expects ", wanted);
  check(has_prefix(unet.tensors, "add_embedding.") == (family.size_ids > 0), ErrorCode::kBadFile, file,
        " has parts of different families: its text encoders are those of ", family.name, ", its U-Net ",
        family.size_ids > 0 ? "takes no sizes" : "takes sizes");
  for (const auto& [name, tensor] : unet.tensors) {
    const bool fits = !name.ends_with(".proj_in.weight") || (tensor.shape.size() == 2) == family.linear_projection;
    check(fits, ErrorCode::kBadFile, file, " has parts of different families: its text encoders are those of ",
          family.name, ", its U-Net's ", fjord::quoted(name), " is ", at::IntArrayRef(tensor.shape));
  }
  if (family.size_ids == 0) return;
  const auto input = unet.config.at("projection_class_embeddings_input_dim").get<std::int64_t>();
  const auto expected = pooled + family.size_ids * unet.config.at("addition_time_embed_dim").get<std::int64_t>();
  check(input == expected, ErrorCode::kBadFile, file, " has parts of different families: its U-Net takes ", input,
        " features of pooled text and sizes, ", family.name, " gives ", expected);
}

Json model_index(const SingleFile& model, const Json& scheduler) {
  Json index{{"_class_name", model.task.pipeline},
             {"scheduler", {"diffusers", scheduler.at("_class_name")}},
             {"unet", {"diffusers", "UNet2DConditionModel"}},
             {"vae", {"diffusers", "AutoencoderKL"}},
             {"image_encoder", {nullptr, nullptr}},
             {"feature_extractor", {nullptr, nullptr}}};
  for (const char* folder : {"text_encoder", "tokenizer"}) index[folder] = {nullptr, nullptr};
  for (const auto& place : model.family->encoders) {
    const auto kind = place.with_projection ? "CLIPTextModelWithProjection" : "CLIPTextModel";
    index[place.folder] = {"transformers", kind};
    index["tokenizer" + place.folder.substr(std::string("text_encoder").size())] = {"transformers", "CLIPTokenizer"};
  }
  if (model.family->size_ids == 0) {
    index["safety_checker"] = {nullptr, nullptr};
    index["requires_safety_checker"] = false;
    return index;
  }
  index["force_zeros_for_empty_prompt"] = !model.family->aesthetic_score;
  if (model.family->aesthetic_score) index["requires_aesthetics_score"] = true;
  return index;
}

void put_json(ComposedSource& source, const std::string& name, const Json& json) {
  source.put_text(name, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void put_tokenizers(const SingleFile& model, const std::string& path) {
  const auto files = tokenizer_at(path);
  for (const auto& place : model.family->encoders) {
    const auto folder = "tokenizer" + place.folder.substr(std::string("text_encoder").size()) + "/";
    for (const auto& [name, text] : with_pad(files, place.openclip ? "!" : "<|endoftext|>")) {
      model.source->put_text(folder + name, text);
    }
  }
}

}  // namespace

SingleFile open_single_file(std::unique_ptr<File> opened, const ModelFiles& options) {
  const auto file = std::make_shared<const Safetensors>(std::move(opened));
  const auto label = fjord::quoted(file->name(), 300);
  auto all = all_tensors(file);
  SingleFile model;
  model.family = &family_of(all, label);
  const auto& family = *model.family;
  drop_others(all, family, options.skip_unknown, label);

  auto unet = unet_of(all, family, label);
  std::map<std::string, Component> encoders;
  for (const auto& place : family.encoders) encoders.emplace(place.folder, encoder_of(all, place, label));
  model.task = task_of(unet, family, label);
  check_family(unet, encoders, family, label);
  model.prediction = prediction_of(*file, family, model.task, options);
  // The second version's models that predict noise are those for 512 pixels.
  const auto size = family.predicts_velocity && model.prediction.type == "epsilon" ? 512 : family.size;
  unet.config["sample_size"] = size / 8;

  model.source = std::make_shared<ComposedSource>(label);
  const auto scheduler = scheduler_config_of(model.task, model.prediction);
  put_json(*model.source, "model_index.json", model_index(model, scheduler));
  put_json(*model.source, "scheduler/scheduler_config.json", scheduler);
  put_json(*model.source, "unet/config.json", unet.config);
  model.source->put_weights(kUNetWeights, std::move(unet.tensors), file->metadata());
  for (auto& [folder, encoder] : encoders) {
    put_json(*model.source, folder + "/config.json", encoder.config);
    model.source->put_weights(folder + "/model.safetensors", std::move(encoder.tensors));
  }
  const Json vae_base{{"scaling_factor", family.vae_scaling}, {"sample_size", size}, {"force_upcast", true}};
  check(has_prefix(all, kVaePrefix) || !options.vae.empty(), ErrorCode::kBadFile, label,
        " has no VAE: expected tensors under \"", kVaePrefix, "\", or another file or folder for it (vae)");
  if (options.vae.empty()) put_vae(*model.source, below(all, kVaePrefix), vae_base, label);
  if (!options.vae.empty()) replace_vae(*model.source, options.vae, vae_base, options.variant);
  if (!options.tokenizer.empty()) put_tokenizers(model, options.tokenizer);
  return model;
}

}  // namespace fjord::loading
