// What faster arithmetic may cost: the kernels, bfloat16 and int8 on the model that ships.
#include "kernels/cpu/kernels.h"
#include "pipeline/test_models.h"
#include "support/temp_folder.h"

#include <fjord/pipeline.h>
#include <fjord/quantize.h>

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace fjord {
namespace {

constexpr std::array kPrompts{"a gold crown on red cloth", "a blue potion on sand", "a wooden chest in the snow"};

struct Setting {
  std::string folder = testing::tiny_model();
  Precision precision = Precision::kFloat32;
  std::string kernels = "auto";
};

struct Results {
  at::Tensor pixels, latents;  // of all prompts, float64
};

Results results_of(const Setting& setting) {
  LoadOptions options;
  options.precision = setting.precision;
  options.cpu_kernels = setting.kernels;
  const auto pipeline = Pipeline::load(setting.folder, options);
  std::vector<at::Tensor> pixels, latents;
  for (const char* prompt : kPrompts) {
    Request request;
    request.prompt = prompt;
    request.seed = 3;
    request.steps = 10;
    const auto result = pipeline.generate(request);
    pixels.push_back(at::tensor(result.images.at(0).pixels).to(at::kDouble));
    latents.push_back(at::tensor(result.latents.values).to(at::kDouble));
  }
  return {at::stack(pixels), at::stack(latents)};
}

const Results& plain_float() {
  static const auto results = results_of({.kernels = "reference"});
  return results;
}

double rms(const at::Tensor& difference) { return difference.square().mean().sqrt().item<double>(); }
double psnr(const at::Tensor& pixels) { return 20 * std::log10(255 / rms(pixels - plain_float().pixels)); }

TEST(Precision, Float32KernelsDrawThePlainOperatorsPicture) {
  for (const auto* table : kernels::supported_cpu_kernels()) {
    const auto difference = (results_of({.kernels = table->name}).pixels - plain_float().pixels).abs();
    EXPECT_LE(difference.max().item<double>(), 1) << table->name;
    EXPECT_GE((difference == 0).to(at::kDouble).mean().item<double>(), 0.99) << table->name;
  }
}

TEST(Precision, BFloat16KernelsErrAtMostOneAndAHalfTimesAsPlainBFloat16) {
  const auto error = [](const std::string& kernels) {
    return rms(results_of({.precision = Precision::kBFloat16, .kernels = kernels}).latents - plain_float().latents);
  };
  EXPECT_LE(error("auto"), 1.5 * error("reference"));
}

TEST(Precision, Int8IsNearThePlainOperatorsPicture) {
  const testing::TempFolder folder;
  for (const bool round_inputs : {false, true}) {
    const auto model = folder.file(round_inputs ? "int8" : "int8-weights");
    QuantizeOptions options;
    options.round_inputs = round_inputs;
    quantize(testing::tiny_model(), model, options);
    for (const char* kernels : {"auto", "reference"}) {
      EXPECT_GE(psnr(results_of({.folder = model, .kernels = kernels}).pixels), 35) << kernels << round_inputs;
    }
    EXPECT_GE(psnr(results_of({.folder = model, .precision = Precision::kBFloat16}).pixels), 35) << round_inputs;
  }
}

// The numbers that int4 weights stand for are the same in both, so the pictures are as near as those of plain weights.
TEST(Precision, Int4KernelsDrawThePlainOperatorsPictureOfInt4Weights) {
  const testing::TempFolder folder;
  QuantizeOptions options;
  options.bits = 4;
  quantize(testing::tiny_model(), folder.file("int4"), options);
  const auto plain = results_of({.folder = folder.file("int4"), .kernels = "reference"}).pixels;
  EXPECT_LT(psnr(plain), 45) << "the weights were not rounded";
  for (const auto* table : kernels::supported_cpu_kernels()) {
    const auto difference = (results_of({.folder = folder.file("int4"), .kernels = table->name}).pixels - plain).abs();
    EXPECT_LE(difference.max().item<double>(), 1) << table->name;
    EXPECT_GE((difference == 0).to(at::kDouble).mean().item<double>(), 0.99) << table->name;
  }
  const auto half = results_of({.folder = folder.file("int4"), .precision = Precision::kBFloat16}).pixels;
  EXPECT_GE(20 * std::log10(255 / rms(half - plain)), 30);  // bfloat16 alone: 34 and more
}

}  // namespace
}  // namespace fjord
