#include "pipeline/request_cases.h"

#include "loading/json_text.h"
#include "loading/safetensors.h"
#include "loading/source.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fjord::testing {
namespace {

using Json = nlohmann::json;

std::string folder_path(const std::string& folder) { return FJORD_TEST_DATA "/" + folder; }

Approximation make_approximation(const Json& json) {
  const Approximation neutral;
  Approximation out;
  out.guidance_begin = json.value("guidance_begin", neutral.guidance_begin);
  out.guidance_end = json.value("guidance_end", neutral.guidance_end);
  out.guidance_every = json.value("guidance_every", neutral.guidance_every);
  out.cache_interval = json.value("cache_interval", neutral.cache_interval);
  out.cache_branch = json.value("cache_branch", neutral.cache_branch);
  out.text_gate = json.value("text_gate", neutral.text_gate);
  out.merge_ratio = json.value("merge_ratio", neutral.merge_ratio);
  return out;
}

}  // namespace

Json read_cases(const std::string& folder) {
  const auto text = loading::read_text(*loading::open_folder(folder_path(folder)), "cases.json", 1 << 20);
  return loading::parse_json_object(text, "cases");
}

std::vector<std::string> case_names(const Json& cases) {
  std::vector<std::string> names;
  for (auto item = cases.begin(); item != cases.end(); ++item) names.push_back(item.key());
  return names;
}

Request make_request(const Json& json) {
  Request request;
  request.prompt = json.at("prompt").get<std::string>();
  request.negative_prompt = json.value("negative_prompt", "");
  request.width = json.at("width").get<int>();
  request.height = json.at("height").get<int>();
  request.steps = json.at("steps").get<int>();
  request.guidance = json.at("guidance").get<double>();
  request.guidance_rescale = json.value("guidance_rescale", 0.0);
  request.seed = json.at("seed").get<std::uint64_t>();
  request.images = json.value("images", 1);
  request.per_image_seeds = json.value("per_image_seeds", false);
  request.scheduler = json.value("scheduler", "");
  request.timesteps = json.value("timesteps", std::vector<double>());
  request.sigmas = json.value("sigmas", std::vector<double>());
  const auto options = json.value("options", Json::object());
  for (const auto& [key, value] : options.items()) request.scheduler_options[key] = value.dump();
  request.approximation = make_approximation(json);
  return request;
}

at::Tensor recorded_images(const std::string& folder, const std::string& name) {
  const loading::Safetensors file(loading::open_file(folder_path(folder) + "/images.safetensors"));
  const auto& entry = file.tensors().at(name);
  auto out = at::empty(entry.shape, at::kByte);
  file.read_into(entry, name, out);
  return out;
}

at::Tensor pixel_differences(const std::vector<Image>& images, const at::Tensor& expected) {
  std::vector<at::Tensor> out;
  for (const auto& image : images) {
    out.push_back(at::tensor(image.pixels).to(at::kInt).reshape({image.height, image.width, 3}));
  }
  return (at::stack(out) - expected.to(at::kInt)).abs();
}

double mean_difference(const std::vector<Image>& images, const at::Tensor& expected) {
  return pixel_differences(images, expected).to(at::kDouble).mean().item<double>();
}

void expect_pictures(const std::vector<Image>& images, const at::Tensor& expected) {
  ASSERT_EQ(static_cast<std::int64_t>(images.size()), expected.size(0));
  ASSERT_EQ(images[0].height, expected.size(1));
  ASSERT_EQ(images[0].width, expected.size(2));
  const auto difference = pixel_differences(images, expected);
  const int levels = difference.max().item<int>();
  EXPECT_LE(levels, 1);
  double least_equal = 1;
  for (std::int64_t i = 0; i < difference.size(0); ++i) {
    const double equal = difference[i].eq(0).to(at::kDouble).mean().item<double>();
    EXPECT_GE(equal, 0.995) << "image " << i;
    least_equal = std::min(least_equal, equal);
  }
  ::testing::Test::RecordProperty("levels", levels);
  ::testing::Test::RecordProperty("equal", std::to_string(least_equal));
}

}  // namespace fjord::testing
