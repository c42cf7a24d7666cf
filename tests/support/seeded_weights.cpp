#include "support/seeded_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

namespace fjord::testing {
namespace {

at::Tensor scaled(const at::Tensor& noise, const at::Tensor& tensor, const std::string& name) {
  if (tensor.dim() >= 2) {
    return noise / std::sqrt(static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0)));
  }
  return name.ends_with(".weight") ? 1 + 0.1 * noise : 0.1 * noise;
}

}  // namespace

void fill(nn::Module& module, std::uint64_t seed, const std::function<std::string(const std::string&)>& file_name) {
  auto parameters = module.named_parameters();
  for (auto& parameter : parameters) parameter.name = file_name(parameter.name);
  std::sort(parameters.begin(), parameters.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  auto generator = at::detail::createCPUGenerator(seed);
  for (const auto& [name, tensor] : parameters) {
    const auto noise = at::randn({tensor->numel()}, generator, at::kFloat).reshape(tensor->sizes());
    tensor->copy_(scaled(noise, *tensor, name));
  }
}

at::Tensor normal(std::uint64_t seed, at::IntArrayRef shape) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::kFloat);
}

double relative_error(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs().max() / b.to(at::kDouble).abs().max()).item<double>();
}

}  // namespace fjord::testing
