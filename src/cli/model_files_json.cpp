// Only what differs from the default is written.
#include "cli/model_files_json.h"

#include "cli/fingerprint.h"
#include "cli/json_fields.h"

#include <nlohmann/json.hpp>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string fingerprint_of(const std::string& path) { return path.empty() ? path : model_fingerprint(path); }

void put_path(Json& json, const char* name, const std::string& path, const std::string& fingerprint) {
  if (!path.empty()) json[name] = {{"path", path}, {"fingerprint", fingerprint}};
}

void read_path(JsonFields& fields, const char* name, const std::string& where, std::string& path,
               std::string& fingerprint) {
  const Json* json = fields.object(name);
  if (json == nullptr) return;
  JsonFields mark(*json, where + ": " + name);
  mark.read("path", path);
  mark.read("fingerprint", fingerprint);
  mark.refuse_others();
}

}  // namespace

ModelFilesRecord record_of(const ModelFiles& files) {
  return {files, fingerprint_of(files.vae), fingerprint_of(files.tokenizer)};
}

bool is_default(const ModelFiles& files) {
  return files.variant.empty() && files.vae.empty() && files.tokenizer.empty() && files.prediction_type.empty() &&
         !files.zero_terminal_snr && !files.skip_unknown;
}

Json model_files_to_json(const ModelFilesRecord& record) {
  const auto& files = record.files;
  Json json = Json::object();
  if (!files.variant.empty()) json["variant"] = files.variant;
  put_path(json, "vae", files.vae, record.vae_fingerprint);
  put_path(json, "tokenizer", files.tokenizer, record.tokenizer_fingerprint);
  if (!files.prediction_type.empty()) json["prediction_type"] = files.prediction_type;
  if (files.zero_terminal_snr) json["zero_terminal_snr"] = *files.zero_terminal_snr;
  if (files.skip_unknown) json["skip_unknown"] = true;
  return json;
}

ModelFilesRecord model_files_from_json(const Json& json, const std::string& where) {
  ModelFilesRecord record;
  auto& files = record.files;
  JsonFields fields(json, where);
  fields.read("variant", files.variant);
  read_path(fields, "vae", where, files.vae, record.vae_fingerprint);
  read_path(fields, "tokenizer", where, files.tokenizer, record.tokenizer_fingerprint);
  fields.read("prediction_type", files.prediction_type);
  bool ends_in_noise = false;
  fields.read("zero_terminal_snr", ends_in_noise);
  if (json.contains("zero_terminal_snr")) files.zero_terminal_snr = ends_in_noise;
  fields.read("skip_unknown", files.skip_unknown);
  fields.refuse_others();
  return record;
}

}  // namespace fjord::cli
