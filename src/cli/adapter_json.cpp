#include "cli/adapter_json.h"

#include "cli/json_fields.h"

#include <fjord/error.h>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

Json file_to_json(const AdapterFile& file) {
  Json json = {{"path", file.path}, {"fingerprint", file.fingerprint}};
  if (file.embedding) {
    json["embedding"] = true;
    json["token"] = file.token;
  } else {
    json["unet"] = file.unet;
    json["text"] = file.text;
  }
  return json;
}

AdapterFile file_from_json(const Json& json, const std::string& where) {
  AdapterFile file;
  JsonFields fields(json, where);
  fields.read("path", file.path);
  fields.read("fingerprint", file.fingerprint);
  fields.read("embedding", file.embedding);
  fields.read("token", file.token);
  fields.read("unet", file.unet);
  fields.read("text", file.text);
  fields.refuse_others();
  return file;
}

}  // namespace

Json adapters_to_json(const AdapterFiles& adapters) {
  Json list = Json::array();
  for (const auto& file : adapters.files) list.push_back(file_to_json(file));
  return {{"fused", adapters.fuse}, {"files", list}};
}

AdapterFiles adapters_from_json(const Json& json, const std::string& where) {
  AdapterFiles out;
  JsonFields fields(json, where);
  fields.read("fused", out.fuse);
  for (const auto& each : fields.array("files")) out.files.push_back(file_from_json(each, where + ": files"));
  fields.refuse_others();
  return out;
}

}  // namespace fjord::cli
