#include "loading/small_models.h"

#include "loading/config_json.h"
#include "loading/safetensors.h"
#include "loading/source.h"
#include "loading/tokenizer_source.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "support/seeded_weights.h"

#include <ATen/ops/cat.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace fjord::testing {
namespace {

namespace fs = std::filesystem;

const std::string kData = FJORD_TEST_DATA "/single_file/";

std::string text_of(const std::string& name) { return loading::read_text(*loading::open_folder(kData), name, 1 << 20); }

std::unique_ptr<nn::Module> make_part(const std::string& model, const std::string& part) {
  const auto name = model + "/" + part + "/config.json";
  const auto text = text_of(name);
  if (part == "unet")
    return std::make_unique<models::UNet2DConditionModel>(loading::read_unet_config(text, name), at::kFloat);
  if (part == "vae") return std::make_unique<models::AutoencoderKL>(loading::read_vae_config(text, name), at::kFloat);
  return std::make_unique<models::ClipTextModel>(loading::read_clip_text_config(text, name), at::kFloat);
}

std::string without_prefix(const std::string& name) {
  constexpr std::string_view prefix = "text_model.";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

at::Tensor made(const std::string& how, const std::vector<at::Tensor>& sources) {
  if (how == "kernel") return sources.at(0).unsqueeze(2).unsqueeze(3);
  if (how == "transposed") return sources.at(0).t().contiguous();
  if (how == "fused") return at::cat(sources);
  if (how != "same") throw std::runtime_error("no recipe " + how);
  return sources.at(0);
}

SmallModel make(const std::string& name) {
  SmallModel model;
  std::uint64_t seed = 0;
  for (const char* part : {"text_encoder", "text_encoder_2", "unet", "vae"}) {
    if (!fs::exists(kData + name + "/" + part)) continue;
    const auto module = make_part(name, part);
    fill(*module, seed++);
    for (const auto& [key, tensor] : module->named_parameters()) model.parts[part].emplace(key, *tensor);
  }
  for (const auto& line : packed_lines(name + ".recipe.gz")) {
    std::istringstream words(line);
    std::string key, how, part, source;
    words >> key >> how >> part;
    std::vector<at::Tensor> sources;
    while (words >> source) sources.push_back(model.parts.at(part).at(without_prefix(source)));
    model.original.emplace(key, made(how, sources));
  }
  return model;
}

void write_text(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

const SmallModel& small_model(const std::string& name) {
  static std::map<std::string, SmallModel> models;
  if (!models.contains(name)) models.emplace(name, make(name));
  return models.at(name);
}

void write_small_folder(const std::string& name, const std::string& folder) {
  fs::copy(kData + name, folder, fs::copy_options::recursive);
  const auto tokenizer = loading::tokenizer_at(FJORD_SOURCE_DIR "/weights/tiny");
  for (const auto& [part, tensors] : small_model(name).parts) {
    const bool is_text = part.starts_with("text");
    loading::write_safetensors(folder + "/" + part + (is_text ? "/model" : "/diffusion_pytorch_model") + ".safetensors",
                               tensors);
    if (!is_text) continue;
    const bool small_pad = text_of(name + "/" + part + "/config.json").find("quick_gelu") == std::string::npos;
    for (const auto& [file, text] : loading::with_pad(tokenizer, small_pad ? "!" : "<|endoftext|>")) {
      write_text(folder + "/tokenizer" + part.substr(std::string("text_encoder").size()) + "/" + file, text);
    }
  }
}

std::vector<std::string> packed_lines(const std::string& name) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen((kData + name).c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error("cannot open " + kData + name);
  std::string text;
  char buffer[1 << 16];
  for (int count = 0; (count = gzread(file.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(count));
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace fjord::testing
