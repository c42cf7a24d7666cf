#include "pipeline/task_cases.h"

#include "image/pictures.h"
#include "image/resample.h"

namespace fjord::testing {
namespace {

Mask make_mask(const Json& json, const Image& picture) {
  if (json.contains("noise")) return resize(noise_mask(4, 3, json["noise"]), picture.width, picture.height);
  const auto size = json.value("size", std::vector<int>{picture.width, picture.height});
  return blob(size.at(0), size.at(1), json.at("box"));
}

Inpaint make_inpaint(const Json& json, const Image& picture) {
  Inpaint out;
  if (json.contains("mask") && !json["mask"].is_null()) out.mask = make_mask(json["mask"], picture);
  const auto extend = json.value("extend", std::vector<int>{0, 0, 0, 0});
  out.extend = {extend.at(0), extend.at(1), extend.at(2), extend.at(3)};
  out.grow = json.value("grow", 0);
  out.blur = json.value("blur", 0.0);
  const auto region = json.value("region", "whole");
  out.region =
      region == "fitted" ? PaintRegion::kFitted : (region == "native" ? PaintRegion::kNative : PaintRegion::kWhole);
  out.padding = json.value("padding", out.padding);
  out.soft = json.value("soft", false);
  out.keep_outside = json.value("keep_outside", true);
  out.match_colors = json.value("match_colors", false);
  return out;
}

Hires make_hires(const Json& json) {
  Hires out;
  out.scale = json.at("scale");
  out.upscaler = json.at("upscaler") == "latent" ? Upscaler::kLatent : Upscaler::kPixels;
  out.strength = json.at("strength");
  out.steps = json.value("steps", 0);
  return out;
}

}  // namespace

Image blotches(int width, int height, std::uint32_t seed) {
  return resize(noise_image(width / 8 + 1, height / 8 + 1, seed), width, height);
}

Mask blob(int width, int height, const std::vector<int>& box) {
  Mask mask{width, height, std::vector<std::uint8_t>(area(width, height))};
  for (int y = box.at(1); y < box.at(3); ++y) {
    for (int x = box.at(0); x < box.at(2); ++x) mask.values[area(y, width) + static_cast<size_t>(x)] = 255;
  }
  return mask;
}

Request make_task_request(const Json& json) {
  auto request = make_request(json);
  for (const auto& picture : json.value("pictures", Json::array())) {
    request.image_input.images.push_back(blotches(picture[0], picture[1], picture[2]));
  }
  if (json.contains("strength")) request.image_input.strength = json["strength"].get<double>();
  if (!request.image_input.images.empty()) {
    request.image_input.inpaint = make_inpaint(json, request.image_input.images.front());
  }
  if (json.contains("hires")) request.hires = make_hires(json["hires"]);
  if (json.contains("variation")) request.variation = {json["variation"]["seed"], json["variation"]["strength"]};
  const auto axes = json.value("seamless", "");
  request.seamless = {axes.find('x') != std::string::npos, axes.find('y') != std::string::npos};
  return request;
}

}  // namespace fjord::testing
