#include "cli/control_json.h"

#include "cli/image_input_json.h"
#include "cli/json_fields.h"

#include <fjord/error.h>

namespace fjord::cli {

using Json = nlohmann::ordered_json;

Json controls_to_json(const ControlFiles& controls) {
  Json list = Json::array();
  for (const auto& file : controls) {
    Json json = {{"model", input_file_to_json(file.model)}};
    if (!file.picture.path.empty()) json["picture"] = input_file_to_json(file.picture);
    json["scale"] = file.scale;
    json["begin"] = file.begin;
    json["end"] = file.end;
    list.push_back(json);
  }
  return list;
}

ControlFiles controls_from_json(const Json& list, const std::string& where) {
  ControlFiles out;
  for (const auto& each : list) {
    auto& file = out.emplace_back();
    JsonFields fields(each, where);
    const Json* model = fields.object("model");
    if (model == nullptr) throw Error(ErrorCode::kBadFile, where + ": the model is missing");
    file.model = input_file_from_json(*model, where + ": model");
    if (const Json* picture = fields.object("picture")) {
      file.picture = input_file_from_json(*picture, where + ": picture");
    }
    fields.read("scale", file.scale);
    fields.read("begin", file.begin);
    fields.read("end", file.end);
    fields.refuse_others();
  }
  return out;
}

}  // namespace fjord::cli
