// inspect() of the public interface: what is in a model folder or file, from headers and configurations alone.
#include <fjord/inspect.h>

#include "core/check.h"
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/open_model.h"

#include <array>
#include <filesystem>

namespace fjord {
namespace {

using loading::Checkpoint;
using loading::Source;

constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;
constexpr std::array kConfigNames{"config.json", "scheduler_config.json", "tokenizer_config.json"};

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

void add_tensors(const loading::Safetensors& file, PartReport& part) {
  for (const auto& [name, entry] : file.tensors()) part.tensors.push_back({name, entry.dtype, entry.shape});
  part.metadata.insert(file.metadata().begin(), file.metadata().end());
}

// The configuration's fields, in its own words; lists and objects as JSON.
void add_config(const Source& source, const std::string& name, Facts& facts) {
  const auto json = loading::parse_json_object(loading::read_text(source, name, kMaxConfigSize), source.describe(name));
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (item->is_null()) continue;
    const bool text = item->is_string();
    facts.emplace_back(item.key(), text ? item->get<std::string>()
                                        : item->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
}

PartReport inspect_component(const Source& source, const std::string& folder, const std::string& name) {
  PartReport part;
  part.name = name;
  for (const char* config : kConfigNames) {
    if (source.exists(join(folder, config))) add_config(source, join(folder, config), part.facts);
  }
  for (const char* stem : {"diffusion_pytorch_model", "model"}) {
    if (!Checkpoint::exists(source, folder, stem)) continue;
    const Checkpoint checkpoint(source, folder, stem);
    for (const auto& file : checkpoint.files()) add_tensors(*file, part);
  }
  return part;
}

// Every component of a model in diffusers' layout.
void add_components(const Source& source, ModelReport& report) {
  const auto index =
      loading::read_model_index(loading::read_text(source, "model_index.json", kMaxConfigSize), "model_index.json");
  report.parts.push_back({"pipeline", {{"_class_name", index.class_name}}, {}, {}});
  for (const auto& [name, class_name] : index.components) {
    auto part = inspect_component(source, name, name);
    if (part.facts.empty()) part.facts.emplace_back("_class_name", class_name);
    report.parts.push_back(std::move(part));
  }
}

ModelReport inspect_folder(const std::string& path, const ModelFiles& files) {
  const auto source = loading::open_folder(path);
  ModelReport report;
  if (source->exists("model_index.json")) {
    report.kind = "pipeline folder";
    add_components(*loading::open_model(path, files).source, report);
    return report;
  }
  report.kind = "component folder";
  report.parts.push_back(inspect_component(*source, "", std::filesystem::path(path).filename().string()));
  check(!report.parts[0].facts.empty() || !report.parts[0].tensors.empty(), ErrorCode::kNotFound,
        "expected model_index.json, config.json or safetensors weights in ", fjord::quoted(path, 300),
        ", found none of them");
  return report;
}

// The file as a model, if it is one; otherwise why it is none.
ModelReport inspect_model_file(const std::string& path, const ModelFiles& files, Facts& problems) {
  ModelReport report{"single-file checkpoint", {}};
  try {
    const auto model = loading::open_model(path, files);
    add_components(*model.source, report);
    auto& facts = report.parts.front().facts;
    facts.insert(facts.end(), model.findings.begin(), model.findings.end());
    return report;
  } catch (const Error& error) {
    problems.emplace_back("no whole model", error.what());
    return {};
  }
}

}  // namespace

ModelReport inspect(const std::string& path, const ModelFiles& files) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return inspect_folder(path, files);
  const loading::Safetensors file(loading::open_file(path));
  Facts problems;
  auto report = inspect_model_file(path, files, problems);
  if (report.parts.empty()) {
    report = {"safetensors file", {{std::filesystem::path(path).filename().string(), problems, {}, {}}}};
    add_tensors(file, report.parts.back());
  } else {
    report.parts.front().metadata = file.metadata();
  }
  return report;
}

}  // namespace fjord
