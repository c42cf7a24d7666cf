// fjord quantize: what becomes int8, how near it is, and that nothing is left behind when it fails.
#include "loading/quantize_folder.h"
#include "loading/quantize_weights.h"

#include "loading/load_into.h"
#include "nn/layers.h"
#include "support/error_of.h"
#include "support/seeded_weights.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>

#include <filesystem>

namespace fjord {
namespace {

namespace fs = std::filesystem;
using loading::Checkpoint;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempFolder;

using Tensors = std::map<std::string, at::Tensor>;

const std::string kTiny = FJORD_SOURCE_DIR "/weights/tiny";

Checkpoint written(const TempFolder& folder, const Tensors& tensors) {
  loading::write_safetensors(folder.file("model.safetensors"), tensors);
  return {*loading::open_folder(folder.path()), "", "model"};
}

loading::QuantizedWeights quantized(const Tensors& tensors, const std::vector<std::string>& keep = {}) {
  const TempFolder folder;
  return loading::quantize_weights(written(folder, tensors), keep, [](int, int) {});
}

TEST(QuantizeWeights, EveryRowIsWithinHalfAStep) {
  auto weight = testing::normal(1, {5, 4, 3, 3});
  weight[2].zero_();
  weight[3].mul_(1000);
  const auto out = quantized({{"conv.weight", weight}, {"conv.bias", testing::normal(2, {5})}});
  EXPECT_EQ(out.quantized, 1);
  EXPECT_EQ(out.kept, 1);
  const auto values = out.tensors.at("conv.weight"), factors = out.tensors.at("conv.weight_scale");
  EXPECT_EQ(values.scalar_type(), at::kChar);
  EXPECT_EQ(factors.sizes(), at::IntArrayRef{5});
  const auto back = values.to(at::kFloat) * factors.view({5, 1, 1, 1});
  const auto half_a_step = (factors * 0.50001).view({5, 1, 1, 1});
  EXPECT_TRUE(((back - weight).abs() <= half_a_step).all().item<bool>());
  EXPECT_EQ(values.to(at::kInt).abs().max().item<int>(), 127);
}

TEST(QuantizeWeights, KeepsVectorsAndWhatItIsToldToInTheirDtype) {
  const auto out = quantized({{"conv_in.weight", testing::normal(1, {4, 4}).to(at::kHalf)},
                              {"norm.weight", testing::normal(2, {4}).to(at::kBFloat16)},
                              {"to_q.weight", testing::normal(3, {4, 4}).to(at::kHalf)}},
                             {"conv_in"});
  EXPECT_EQ(out.tensors.at("conv_in.weight").scalar_type(), at::kHalf);
  EXPECT_EQ(out.tensors.at("norm.weight").scalar_type(), at::kBFloat16);
  EXPECT_EQ(out.tensors.at("to_q.weight").scalar_type(), at::kChar);
}

TEST(QuantizeWeights, KeepsTheLastUpBlock) {
  EXPECT_THAT(loading::parts_to_keep({"up_blocks.0.x", "up_blocks.10.x", "up_blocks.9.x"}),
              ::testing::Contains("up_blocks.10."));
  EXPECT_THAT(loading::parts_to_keep({"down_blocks.0.x"}), ::testing::Not(::testing::Contains("")));
}

TEST(QuantizeWeights, RefusesWhatIsQuantizedAndWhatIsNotFinite) {
  EXPECT_EQ(error_of([] { quantized({{"a.weight", at::zeros({2, 2}, at::kChar)}}); }).code(), ErrorCode::kUnsupported);
  const auto infinite = at::full({2, 2}, std::numeric_limits<float>::infinity());
  EXPECT_THAT(error_of([&] { quantized({{"a.weight", infinite}}); }).what(), HasSubstr("a.weight"));
}

struct OneLayer : nn::Module {
  OneLayer() : Module({nullptr, "", at::kFloat}), layer(child("layer"), 6, 3) {}
  nn::Linear layer;
};

TEST(LoadInt8, GivesTheNumbersThatTheyStandForWithAndWithoutKernels) {
  const TempFolder folder;
  const auto weight = testing::normal(1, {3, 6}), bias = testing::normal(2, {3}), x = testing::normal(3, {5, 6});
  const auto tensors = quantized({{"layer.weight", weight}, {"layer.bias", bias}}).tensors;
  const auto checkpoint = written(folder, tensors);
  const auto expected =
      at::linear(x, tensors.at("layer.weight").to(at::kFloat) * tensors.at("layer.weight_scale").unsqueeze(1), bias);
  for (const auto* kernels : {static_cast<const kernels::CpuKernels*>(nullptr), kernels::supported_cpu_kernels()[0]}) {
    OneLayer module;
    loading::load_into(module, checkpoint, {}, "layer", {kernels, false});
    EXPECT_LT(testing::relative_error(module.layer.forward(x), expected), 1e-6);
  }
}

TEST(LoadInt8, SaysWhatIsMissingOrMisshaped) {
  const TempFolder folder;
  auto tensors =
      quantized({{"layer.weight", testing::normal(1, {3, 6})}, {"layer.bias", testing::normal(2, {3})}}).tensors;
  const auto load = [&] {
    OneLayer module;
    loading::load_into(module, written(folder, tensors), {}, "layer");
  };
  tensors["layer.weight_scale"] = at::ones({4});
  EXPECT_THAT(error_of(load).what(), HasSubstr("layer.weight_scale: file [4]"));
  tensors.erase("layer.weight_scale");
  EXPECT_THAT(error_of(load).what(), HasSubstr("1 missing: layer.weight_scale"));
  tensors["layer.weight"] = testing::normal(1, {3, 6});
  tensors["layer.bias"] = at::zeros({3}, at::kChar);
  EXPECT_THAT(error_of(load).what(), HasSubstr("int8 is for matrices"));
}

TEST(QuantizeFolder, CopiesTheModelAndSaysSoInItsConfiguration) {
  const TempFolder folder;
  const auto report = loading::quantize_folder(kTiny, folder.file("int8"), {});
  EXPECT_GT(report.quantized, 50);
  EXPECT_LT(report.bytes_after, report.bytes_before * 7 / 10);
  for (const char* name : {"model_index.json", "fjord.json", "vae/config.json", "tokenizer/vocab.json"}) {
    EXPECT_EQ(fs::file_size(folder.file("int8/") + name), fs::file_size(kTiny + "/" + name)) << name;
  }
  const auto source = loading::open_folder(folder.file("int8"));
  EXPECT_THAT(loading::read_text(*source, "unet/config.json", 1 << 20), HasSubstr("\"quant_method\": \"fjord\""));
  EXPECT_EQ(error_of([&] { loading::quantize_folder(folder.file("int8"), folder.file("again"), {}); }).code(),
            ErrorCode::kUnsupported);
}

TEST(QuantizeFolder, LeavesNothingBehindWhenItFails) {
  const TempFolder folder;
  const auto destination = folder.file("int8");
  QuantizeOptions options;
  options.progress = [](int done, int) { return done < 5; };
  EXPECT_EQ(error_of([&] { loading::quantize_folder(kTiny, destination, options); }).code(), ErrorCode::kCancelled);
  EXPECT_EQ(error_of([&] { loading::quantize_folder(folder.file("none"), destination, {}); }).code(),
            ErrorCode::kNotFound);
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_EQ(error_of([&] { loading::quantize_folder(kTiny, folder.file("no/such/place"), {}); }).code(),
            ErrorCode::kCannotWrite);
  fs::copy(kTiny, folder.file("model"), fs::copy_options::recursive);
  EXPECT_THAT(error_of([&] { loading::quantize_folder(folder.file("model"), folder.file("model/int8"), {}); }).what(),
              HasSubstr("lies in the model folder"));
  folder.write("int8/mine.txt", "mine");
  EXPECT_EQ(error_of([&] { loading::quantize_folder(kTiny, destination, {}); }).code(), ErrorCode::kCannotWrite);
  EXPECT_TRUE(fs::exists(folder.file("int8/mine.txt")));
}

}  // namespace
}  // namespace fjord
