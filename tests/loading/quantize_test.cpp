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

loading::QuantizedWeights quantized(const Tensors& tensors, const loading::WeightBits& bits = {}) {
  const TempFolder folder;
  return loading::quantize_weights(written(folder, tensors), bits, [](int, int) {});
}

// What int4 numbers stand for, number by number as docs/quantization.md says: float32 [rows, length].
at::Tensor from_int4(const Tensors& tensors, const std::string& name, std::int64_t length) {
  const auto& values = tensors.at(name);
  const auto factors = tensors.at(name + "_scale").to(at::kFloat);
  const auto bytes = values.accessor<std::uint8_t, 2>();
  auto numbers = at::zeros({values.size(0), length}, at::kFloat);
  auto out = numbers.accessor<float, 2>();
  for (std::int64_t r = 0; r < values.size(0); ++r) {
    for (std::int64_t i = 0; i < length; ++i) {
      const int half = (bytes[r][i / 2] >> (i % 2 == 0 ? 0 : 4)) & 15;
      out[r][i] = static_cast<float>(half - 8) * factors.accessor<float, 2>()[r][i / 32];
    }
  }
  return numbers;
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
                             {.keep = {"conv_in"}});
  EXPECT_EQ(out.tensors.at("conv_in.weight").scalar_type(), at::kHalf);
  EXPECT_EQ(out.tensors.at("norm.weight").scalar_type(), at::kBFloat16);
  EXPECT_EQ(out.tensors.at("to_q.weight").scalar_type(), at::kChar);
}

TEST(QuantizeWeights, Int4PacksTwoNumbersAByteAndErrsLessThanRoundingToTheLargest) {
  auto weight = testing::normal(1, {6, 5, 3, 3});  // 45 numbers a row: a group of 32, one of 13
  weight[2].zero_();
  weight[3].mul_(1e6);
  weight[4].mul_(1e-30);
  const auto out = quantized({{"conv.weight", weight}}, {.bits = 4});
  const auto values = out.tensors.at("conv.weight"), factors = out.tensors.at("conv.weight_scale");
  EXPECT_EQ(values.scalar_type(), at::kByte);
  EXPECT_EQ(values.sizes(), at::IntArrayRef({6, 23}));
  EXPECT_EQ(factors.scalar_type(), at::kBFloat16);
  EXPECT_EQ(factors.sizes(), at::IntArrayRef({6, 2}));
  const auto rows = weight.flatten(1), back = from_int4(out.tensors, "conv.weight", 45);
  EXPECT_TRUE(back[2].eq(0).all().item<bool>());
  double ours = 0, plain = 0;  // squared errors in steps of each group's largest number over 7
  for (const int row : {0, 1, 3, 4, 5}) {
    for (const auto& [begin, end] : {std::pair{0, 32}, {32, 45}}) {
      const auto numbers = rows[row].slice(0, begin, end).to(at::kDouble);
      const auto step = numbers.abs().max() / 7;
      plain += ((numbers / step).round() - numbers / step).square().sum().item<double>();
      ours += ((back[row].slice(0, begin, end) - numbers) / step).square().sum().item<double>();
    }
  }
  EXPECT_LT(ours, plain);
}

TEST(QuantizeWeights, KeepsTheLastResidualBlock) {
  const auto kept = loading::parts_to_keep({"up_blocks.9.resnets.3.x", "up_blocks.10.resnets.0.x",
                                            "up_blocks.10.resnets.2.x", "up_blocks.10.attentions.2.x"});
  EXPECT_EQ(kept.back(), "up_blocks.10.resnets.2.");
  EXPECT_THAT(loading::parts_to_keep({"down_blocks.0.resnets.1.x"}), ::testing::SizeIs(kQuantizeKeeps.size()));
}

TEST(QuantizeWeights, RefusesWhatIsQuantizedAndWhatIsNotFinite) {
  for (const auto dtype : {at::kChar, at::kByte}) {
    EXPECT_EQ(error_of([&] { quantized({{"a.weight", at::zeros({2, 2}, dtype)}}); }).code(), ErrorCode::kUnsupported);
  }
  const auto infinite = at::full({2, 2}, std::numeric_limits<float>::infinity());
  for (const int bits : {8, 4}) {
    EXPECT_THAT(error_of([&] {
                  quantized({{"a.weight", infinite}}, {.bits = bits});
                }).what(),
                HasSubstr("a.weight\": NaN or infinity cannot become int" + std::to_string(bits)));
  }
}

struct OneLayer : nn::Module {
  explicit OneLayer(std::int64_t in) : Module({nullptr, "", at::kFloat}), layer(child("layer"), in, 3) {}
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
    OneLayer module(6);
    loading::load_into(module, checkpoint, {}, "layer", {kernels, false});
    EXPECT_LT(testing::relative_error(module.layer.forward(x), expected), 1e-6);
  }
}

TEST(LoadInt4, GivesTheNumbersThatTheyStandForWithAndWithoutKernels) {
  const TempFolder folder;
  const auto x = testing::normal(3, {5, 70});
  const auto tensors =
      quantized({{"layer.weight", testing::normal(1, {3, 70})}, {"layer.bias", testing::normal(2, {3})}}, {.bits = 4})
          .tensors;
  const auto checkpoint = written(folder, tensors);
  const auto expected = at::linear(x, from_int4(tensors, "layer.weight", 70), tensors.at("layer.bias"));
  std::vector<const kernels::CpuKernels*> tables(kernels::supported_cpu_kernels());
  tables.push_back(nullptr);
  for (const auto* kernels : tables) {
    OneLayer module(70);
    loading::load_into(module, checkpoint, {}, "layer", {kernels, false});
    EXPECT_LT(testing::relative_error(module.layer.forward(x), expected), 1e-6);
  }
}

TEST(LoadInt4, SaysWhatIsMissingOrMisshaped) {
  const TempFolder folder;
  auto tensors =
      quantized({{"layer.weight", testing::normal(1, {3, 6})}, {"layer.bias", testing::normal(2, {3})}}, {.bits = 4})
          .tensors;
  const auto load = [&] {
    OneLayer module(6);
    loading::load_into(module, written(folder, tensors), {}, "layer");
  };
  load();
  tensors["layer.weight_scale"] = at::ones({3, 2}, at::kBFloat16);
  EXPECT_THAT(error_of(load).what(), HasSubstr("layer.weight_scale: file [3, 2], expected [3, 1] for a weight [3, 6]"));
  tensors.erase("layer.weight_scale");
  EXPECT_THAT(error_of(load).what(), HasSubstr("1 missing: layer.weight_scale"));
  tensors["layer.weight_scale"] = at::ones({3, 1}, at::kBFloat16);
  tensors["layer.weight"] = at::zeros({3, 6}, at::kByte);
  EXPECT_THAT(error_of(load).what(), HasSubstr("layer.weight: file [3, 6], model [3, 3]"));
}

TEST(LoadInt8, SaysWhatIsMissingOrMisshaped) {
  const TempFolder folder;
  auto tensors =
      quantized({{"layer.weight", testing::normal(1, {3, 6})}, {"layer.bias", testing::normal(2, {3})}}).tensors;
  const auto load = [&] {
    OneLayer module(6);
    loading::load_into(module, written(folder, tensors), {}, "layer");
  };
  tensors["layer.weight_scale"] = at::ones({4});
  EXPECT_THAT(error_of(load).what(), HasSubstr("layer.weight_scale: file [4]"));
  tensors.erase("layer.weight_scale");
  EXPECT_THAT(error_of(load).what(), HasSubstr("1 missing: layer.weight_scale"));
  tensors["layer.weight"] = testing::normal(1, {3, 6});
  tensors["layer.bias"] = at::zeros({3}, at::kChar);
  EXPECT_THAT(error_of(load).what(), HasSubstr("int8 and int4 are for matrices"));
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

TEST(QuantizeFolder, Int4TakesHalfOfInt8AndSaysSo) {
  const TempFolder folder;
  QuantizeOptions options;
  options.keep = std::vector<std::string>{"none"};
  const auto int8 = loading::quantize_folder(kTiny, folder.file("int8"), options);
  options.bits = 4;
  const auto int4 = loading::quantize_folder(kTiny, folder.file("int4"), options);
  EXPECT_EQ(int4.quantized, int8.quantized);
  EXPECT_LT(int4.bytes_after, int8.bytes_after * 6 / 10);
  const auto config = loading::read_text(*loading::open_folder(folder.file("int4")), "unet/config.json", 1 << 20);
  for (const char* text : {"\"weights\": \"int4\"", "\"inputs\": \"unchanged\"", "\"group_size\": \"32\""}) {
    EXPECT_THAT(config, HasSubstr(text));
  }
}

TEST(QuantizeFolder, RefusesOtherBitsAndRoundedInputsWithInt4) {
  const TempFolder folder;
  QuantizeOptions options;
  options.bits = 5;
  const auto run = [&] { loading::quantize_folder(kTiny, folder.file("out"), options); };
  EXPECT_EQ(error_of(run).code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error_of(run).what(), HasSubstr("8 or 4 bits, got 5"));
  options.bits = 4;
  options.round_inputs = true;
  EXPECT_EQ(error_of(run).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_empty(folder.path()));
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
