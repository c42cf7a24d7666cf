#include "nn/layers.h"
#include "ops/cases.h"

#include <ATen/ops/randn.h>

#include <memory>

namespace fjord::bench {
namespace {

using Sizes = std::vector<std::int64_t>;

// A layer with random weights and one input of these sizes.
template <typename Layer, typename... Arguments>
std::function<void()> work(at::ScalarType dtype, const kernels::CpuKernels* kernels, const Sizes& sizes,
                           Arguments... arguments) {
  const auto layer = std::make_shared<Layer>(nn::Place{nullptr, "", dtype}, arguments...);
  for (const auto& parameter : layer->named_parameters()) parameter.tensor->normal_();
  if (kernels != nullptr) layer->pack_all(*kernels);
  auto x = at::randn(sizes, dtype);
  if (x.dim() == 4) x = x.contiguous(at::MemoryFormat::ChannelsLast);
  return [layer, x] { layer->forward(x); };
}

double product(const Sizes& sizes) {
  double out = 1;
  for (const auto size : sizes) out *= static_cast<double>(size);
  return out;
}

Case linear_case(const char* name, std::int64_t rows, std::int64_t in, std::int64_t out) {
  return {name, 2.0 * static_cast<double>(rows * in * out), 0, [=](auto dtype, const auto* kernels) {
            return work<nn::Linear>(dtype, kernels, {rows, in}, in, out);
          }};
}

Case convolution_case(const char* name, const Sizes& sizes) {
  const auto channels = sizes[1];
  return {name, 18.0 * product(sizes) * static_cast<double>(channels), 0, [=](auto dtype, const auto* kernels) {
            const nn::Conv2dOptions options{.kernel = 3, .padding = 1};
            return work<nn::Conv2d>(dtype, kernels, sizes, channels, channels, options);
          }};
}

Case group_norm_case(const char* name, const Sizes& sizes) {
  return {name, 0, product(sizes), [=](auto dtype, const auto* kernels) {
            return work<nn::GroupNorm>(dtype, kernels, sizes, std::int64_t{32}, sizes[1], 1e-5);
          }};
}

Case layer_norm_case(const char* name, const Sizes& sizes) {
  return {name, 0, product(sizes),
          [=](auto dtype, const auto* kernels) { return work<nn::LayerNorm>(dtype, kernels, sizes, sizes[2]); }};
}

}  // namespace

std::vector<Case> linear_cases() {
  return {linear_case("linear/8192x320x320", 8192, 320, 320), linear_case("linear/8192x1280x320", 8192, 1280, 320),
          linear_case("linear/2048x640x5120", 2048, 640, 5120), linear_case("linear/512x1280x1280", 512, 1280, 1280),
          linear_case("linear/154x768x768", 154, 768, 768)};
}

std::vector<Case> convolution_cases() {
  return {convolution_case("convolution/unet_320_64", {2, 320, 64, 64}),
          convolution_case("convolution/unet_640_32", {2, 640, 32, 32}),
          convolution_case("convolution/unet_1280_16", {2, 1280, 16, 16}),
          convolution_case("convolution/vae_512_128", {1, 512, 128, 128}),
          convolution_case("convolution/vae_128_512", {1, 128, 512, 512})};
}

std::vector<Case> norm_cases() {
  return {group_norm_case("group_norm/unet_320_64", {2, 320, 64, 64}),
          group_norm_case("group_norm/unet_1280_16", {2, 1280, 16, 16}),
          group_norm_case("group_norm/vae_128_512", {1, 128, 512, 512}),
          layer_norm_case("layer_norm/8192x320", {2, 4096, 320}),
          layer_norm_case("layer_norm/2048x640", {2, 1024, 640}),
          layer_norm_case("layer_norm/512x1280", {2, 256, 1280})};
}

}  // namespace fjord::bench
