#include "loading/open_model.h"

#include "core/check.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/original/single_file.h"
#include "loading/original/vae_file.h"
#include "loading/tokenizer_source.h"
#include "loading/variant_source.h"

#include <filesystem>
#include <utility>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr char kIndex[] = "model_index.json";
constexpr char kScheduler[] = "scheduler/scheduler_config.json";

Json read_json(const Source& source, const std::string& name) {
  return parse_json_object(read_text(source, name, kMaxConfigSize), source.describe(name));
}

ModelIndex read_index(const Source& source) {
  return read_model_index(read_text(source, kIndex, kMaxConfigSize), source.describe(kIndex));
}

// As in the reference: some part at least must have weights of the variant.
void check_variant(const Source& source, const std::string& variant) {
  for (const auto& [folder, class_name] : read_index(source).components) {
    for (const char* stem : {"/diffusion_pytorch_model", "/model"}) {
      const auto base = folder + stem;
      if (source.exists(base + "." + variant + ".safetensors")) return;
      if (source.exists(base + ".safetensors.index." + variant + ".json")) return;
    }
  }
  fail(ErrorCode::kNotFound, "no part of the model has weights of the variant ", fjord::quoted(variant),
       ": expected for example ", source.describe("unet/diffusion_pytorch_model." + variant + ".safetensors"));
}

void replace_tokenizers(ComposedSource& target, const std::string& path) {
  const auto files = tokenizer_at(path);
  const std::shared_ptr<const Source> nothing = open_memory({});
  for (const auto& [folder, class_name] : read_index(target).components) {
    if (!folder.starts_with("tokenizer")) continue;
    target.mount(folder + "/", nothing, "");
    for (const auto& [name, text] : folder == "tokenizer" ? files : with_pad(files, "!")) {
      target.put_text(folder + "/" + name, text);
    }
  }
}

}  // namespace

OpenedModel open_model(std::shared_ptr<const Source> folder, const ModelFiles& options) {
  check(folder->exists(kIndex), ErrorCode::kNotFound, "there is no model: expected ", folder->describe(kIndex),
        " (a model is a folder in diffusers' layout, or a single safetensors file)");
  if (!options.variant.empty()) {
    auto preferring = prefer_variant(folder, options.variant);
    check_variant(*folder, options.variant);
    folder = std::move(preferring);
  }
  const bool other_prediction = !options.prediction_type.empty() || options.zero_terminal_snr;
  if (options.vae.empty() && options.tokenizer.empty() && !other_prediction) return {folder, {}, {}};
  auto model = std::make_shared<ComposedSource>("the model", folder);
  if (other_prediction) {
    auto scheduler = read_json(*folder, kScheduler);
    apply_prediction(scheduler, options);
    model->put_text(kScheduler, scheduler.dump(2, ' ', false, Json::error_handler_t::replace));
  }
  if (!options.vae.empty()) replace_vae(*model, options.vae, read_json(*folder, "vae/config.json"), options.variant);
  if (!options.tokenizer.empty()) replace_tokenizers(*model, options.tokenizer);
  return {model, {}, {}};
}

OpenedModel open_model(std::unique_ptr<File> file, const ModelFiles& options) {
  const auto model = open_single_file(std::move(file), options);
  OpenedModel opened{model.source, {}, {}};
  opened.findings = {{"family", model.family->name},
                     {"pipeline", model.task.pipeline},
                     {"prediction_type", model.prediction.type},
                     {"prediction_type because", model.prediction.reason},
                     {"zero_terminal_snr", model.prediction.zero_terminal_snr ? "true" : "false"}};
  if (model.prediction.assumed) opened.notes.push_back(model.prediction.reason);
  return opened;
}

OpenedModel open_model(const std::string& path, const ModelFiles& options) {
  check(path.find('\0') == std::string::npos, ErrorCode::kInvalidArgument, "a path must not contain a NUL byte");
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return open_model(std::shared_ptr<const Source>(open_folder(path)), options);
  }
  return open_model(open_file(path), options);
}

void check_tokenizer(const OpenedModel& model) {
  for (const auto& [folder, class_name] : read_index(*model.source).components) {
    if (!folder.starts_with("tokenizer")) continue;
    const bool there = model.source->exists(folder + "/tokenizer.json") || model.source->exists(folder + "/vocab.json");
    check(there, ErrorCode::kNotFound, "the model has no tokenizer: give one (tokenizer) from a model folder, a ",
          "folder with vocab.json and merges.txt, or OpenCLIP's bpe_simple_vocab_16e6.txt.gz");
  }
}

}  // namespace fjord::loading
