// Requests as the scripts in tests/reference write them, and pictures to compare.
#pragma once

#include <fjord/pipeline.h>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace fjord::testing {

// tests/data/<folder>/cases.json: name -> request.
nlohmann::json read_cases(const std::string& folder);
std::vector<std::string> case_names(const nlohmann::json& cases);
Request make_request(const nlohmann::json& json);

// The pictures of a case in tests/data/<folder>/images.safetensors, uint8 [images, height, width, 3].
at::Tensor recorded_images(const std::string& folder, const std::string& name);
// Differences of pixels, in levels of 255, int [images, height, width, 3].
at::Tensor pixel_differences(const std::vector<Image>& images, const at::Tensor& expected);
// Their mean.
double mean_difference(const std::vector<Image>& images, const at::Tensor& expected);
// Expects what docs/numerics.md promises of pictures: within 1 level everywhere, 99.5 % of every picture's values
// equal. Records "levels" and "equal" as properties of the test, from which scripts/parity_table.py makes
// docs/parity.md.
void expect_pictures(const std::vector<Image>& images, const at::Tensor& expected);

}  // namespace fjord::testing
