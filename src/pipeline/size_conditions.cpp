#include "pipeline/size_conditions.h"

#include <ATen/ops/tensor.h>

#include <vector>

namespace fjord::pipeline {
namespace {

int or_default(int size, int fallback) { return size == 0 ? fallback : size; }

at::Tensor as_tensor(const Family& family, const Request& request, const PictureSizes& sizes, double score) {
  std::vector<double> numbers = {
      static_cast<double>(or_default(sizes.original_height, request.height)),
      static_cast<double>(or_default(sizes.original_width, request.width)),
      static_cast<double>(sizes.crop_top),
      static_cast<double>(sizes.crop_left),
  };
  if (family.aesthetic_score) {
    numbers.push_back(score);
  } else {
    numbers.push_back(or_default(sizes.target_height, request.height));
    numbers.push_back(or_default(sizes.target_width, request.width));
  }
  return at::tensor(numbers, at::kDouble).to(at::kFloat).unsqueeze(0);
}

// Where nothing is said, the reference tells a model with scores another crop than the others.
PictureSizes negative_sizes(const Family& family, const MicroConditions& micro) {
  if (micro.negative_sizes) return *micro.negative_sizes;
  auto sizes = micro.sizes;
  if (family.aesthetic_score) sizes.crop_left = sizes.crop_top = 0;
  return sizes;
}

}  // namespace

std::int64_t size_count(const Family& family) { return family.aesthetic_score ? 5 : 6; }

at::Tensor size_conditions(const Family& family, const Request& request) {
  return as_tensor(family, request, request.micro.sizes, request.micro.aesthetic_score);
}

at::Tensor negative_size_conditions(const Family& family, const Request& request) {
  return as_tensor(family, request, negative_sizes(family, request.micro), request.micro.negative_aesthetic_score);
}

}  // namespace fjord::pipeline
