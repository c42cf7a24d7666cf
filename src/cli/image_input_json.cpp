#include "cli/image_input_json.h"

#include "cli/exit_codes.h"
#include "cli/output.h"

#include <fjord/choices.h>
#include <fjord/error.h>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

Json inpaint_to_json(const Inpaint& inpaint) {
  const auto& extend = inpaint.extend;
  return {
      {"extend", {extend.left, extend.top, extend.right, extend.bottom}},
      {"grow", inpaint.grow},
      {"blur", inpaint.blur},
      {"region", name_of(kPaintRegionNames, inpaint.region)},
      {"padding", inpaint.padding},
      {"soft", inpaint.soft},
      {"keep_outside", inpaint.keep_outside},
      {"match_colors", inpaint.match_colors},
  };
}

void read_inpaint(const Json& json, Inpaint& inpaint) {
  JsonFields fields(json, "request: inpaint");
  std::vector<double> extend;
  fields.read("extend", extend);
  if (extend.size() != 4) throw Error(ErrorCode::kBadFile, "request: inpaint: extend must have 4 numbers");
  const auto margin = [&](size_t i) {
    constexpr double kHuge = 1e6;  // the library judges what an int can hold
    if (!(extend[i] >= -kHuge && extend[i] <= kHuge)) throw Error(ErrorCode::kBadFile, "request: inpaint: huge extend");
    return static_cast<int>(extend[i]);
  };
  inpaint.extend = {margin(0), margin(1), margin(2), margin(3)};
  fields.read("grow", inpaint.grow);
  fields.read("blur", inpaint.blur);
  fields.read("region", inpaint.region, kPaintRegionNames);
  fields.read("padding", inpaint.padding);
  fields.read("soft", inpaint.soft);
  fields.read("keep_outside", inpaint.keep_outside);
  fields.read("match_colors", inpaint.match_colors);
  fields.refuse_others();
}

void read_image_input(const Json& json, ImageInput& input) {
  JsonFields fields(json, "request: image_input");
  fields.read("strength", input.strength);
  fields.read("fit", input.fit, kFitNames);
  if (const Json* inpaint = fields.object("inpaint")) read_inpaint(*inpaint, input.inpaint);
  fields.refuse_others();
}

void read_variation(const Json& json, Variation& variation) {
  JsonFields fields(json, "request: variation");
  fields.read("seed", variation.seed);
  fields.read("strength", variation.strength);
  fields.refuse_others();
}

void read_hires(const Json& json, Hires& hires) {
  JsonFields fields(json, "request: hires");
  fields.read("scale", hires.scale);
  fields.read("upscaler", hires.upscaler, kUpscalerNames);
  fields.read("strength", hires.strength);
  fields.read("steps", hires.steps);
  fields.refuse_others();
}

void read_seamless(const Json& json, Seamless& seamless) {
  JsonFields fields(json, "request: seamless");
  fields.read("x", seamless.x);
  fields.read("y", seamless.y);
  fields.refuse_others();
}

}  // namespace

Json input_file_to_json(const InputFile& file) { return {{"path", file.path}, {"fingerprint", file.fingerprint}}; }

InputFile input_file_from_json(const Json& json, const std::string& where) {
  InputFile file;
  JsonFields fields(json, where);
  fields.read("path", file.path);
  fields.read("fingerprint", file.fingerprint);
  fields.refuse_others();
  return file;
}

void add_task_fields(Json& json, const Request& request) {
  const auto& input = request.image_input;
  if (!input.images.empty()) {
    json["image_input"] = {{"strength", input.strength ? Json(*input.strength) : Json(nullptr)},
                           {"fit", name_of(kFitNames, input.fit)},
                           {"inpaint", inpaint_to_json(input.inpaint)}};
  }
  if (request.variation.strength != 0) {
    json["variation"] = {{"seed", request.variation.seed}, {"strength", request.variation.strength}};
  }
  const auto& hires = request.hires;
  if (hires.scale != 1) {
    json["hires"] = {{"scale", hires.scale},
                     {"upscaler", name_of(kUpscalerNames, hires.upscaler)},
                     {"strength", hires.strength},
                     {"steps", hires.steps}};
  }
  if (request.seamless.x || request.seamless.y) {
    json["seamless"] = {{"x", request.seamless.x}, {"y", request.seamless.y}};
  }
}

void read_task_fields(JsonFields& fields, Request& request) {
  if (const Json* json = fields.object("image_input")) read_image_input(*json, request.image_input);
  if (const Json* json = fields.object("variation")) read_variation(*json, request.variation);
  if (const Json* json = fields.object("hires")) read_hires(*json, request.hires);
  if (const Json* json = fields.object("seamless")) read_seamless(*json, request.seamless);
}

Json input_files_to_json(const InputFiles& files) {
  if (files.images.empty()) return nullptr;
  Json images = Json::array();
  for (const auto& file : files.images) images.push_back(input_file_to_json(file));
  Json json = {{"images", images}};
  if (!files.mask.path.empty()) {
    json["mask"] = input_file_to_json(files.mask);
    json["mask_from"] = mask_source_name(files.mask_source);
  }
  return json;
}

InputFiles input_files_from_json(const Json& json, const std::string& where) {
  InputFiles files;
  JsonFields fields(json, where);
  for (const Json& item : fields.array("images"))
    files.images.push_back(input_file_from_json(item, where + ": images"));
  if (const Json* mask = fields.object("mask")) files.mask = input_file_from_json(*mask, where + ": mask");
  std::string source = mask_source_name(files.mask_source);
  fields.read("mask_from", source);
  if (source != "luma" && source != "erased") {
    throw Error(ErrorCode::kBadFile, where + ": unknown mask_from " + in_quotes(source));
  }
  files.mask_source = parse_mask_source(source);
  fields.refuse_others();
  return files;
}

}  // namespace fjord::cli
