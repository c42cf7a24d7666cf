// ModelFiles in the record of a picture. Parts that lie elsewhere are recorded with a fingerprint.
#pragma once

#include <fjord/model_files.h>
#include <nlohmann/json_fwd.hpp>

#include <string>

namespace fjord::cli {

struct ModelFilesRecord {
  ModelFiles files;
  std::string vae_fingerprint;  // model_fingerprint() of files.vae; empty where that is
  std::string tokenizer_fingerprint;
};

// The record with the fingerprints of what is there now. Throws Error as model_fingerprint does.
ModelFilesRecord record_of(const ModelFiles& files);

// Whether everything has its default: such a record is not written.
bool is_default(const ModelFiles& files);

nlohmann::ordered_json model_files_to_json(const ModelFilesRecord& record);
// Throws Error(kBadFile), naming `where` and the field.
ModelFilesRecord model_files_from_json(const nlohmann::ordered_json& json, const std::string& where);

}  // namespace fjord::cli
