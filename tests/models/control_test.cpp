// ControlNets and T2I-Adapters against diffusers' classes, whole tensors, float32, and what they leave out.
// Expected values and configurations: tests/reference/control.py.
#include "loading/config_json.h"
#include "loading/source.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "models/unet_cases.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>

namespace fjord {
namespace {

using testing::normal;
using testing::relative_error;

constexpr int kLoud = 50;            // as in the script
constexpr double kTolerance = 1e-5;  // float32, up to some hundred operations deep

std::string text_of(const std::string& name) {
  return loading::read_text(*loading::open_folder(FJORD_TEST_DATA "/control"), name + ".json", 1 << 20);
}

std::uint64_t seed_of(const std::string& name) { return nlohmann::json::parse(text_of("seeds")).at(name); }

std::unique_ptr<models::ControlNetModel> make_net(const std::string& name) {
  auto net =
      std::make_unique<models::ControlNetModel>(loading::read_controlnet_config(text_of(name), name), at::kFloat);
  testing::fill(*net, seed_of(name));
  net->controlnet_cond_embedding.conv_out.weight.mul_(kLoud);
  return net;
}

at::Tensor expected(const std::string& tensor) { return testing::recorded_tensor("control/networks", tensor); }

void expect_close(const at::Tensor& actual, const std::string& tensor) {
  EXPECT_LE(relative_error(actual, expected(tensor)), kTolerance) << tensor;
}

models::UNetInput inputs(const config::UNet& config, std::int64_t height, std::int64_t width) {
  models::UNetInput in;
  in.sample = normal(1, {2, 4, height, width});
  in.timesteps = at::tensor({981.0F, 3.5F});
  in.encoder_hidden_states = normal(2, {2, 7, config.cross_attention_dim[0]});
  if (!config.addition_embed_type) return in;
  in.text_embeds = normal(4, {2, 20});
  in.time_ids = 200 * normal(5, {2, 6}).abs();
  return in;
}

at::Tensor picture(std::int64_t height, std::int64_t width) {
  return normal(3, {2, 3, 8 * height, 8 * width}).sigmoid();
}

struct Output {
  const char* name;
  const char* network;
  std::int64_t height, width;
  models::ControlVolume volume = {};
};

class ControlNetParityTest : public ::testing::TestWithParam<Output> {};

TEST_P(ControlNetParityTest, MapsMatchReference) {
  const c10::InferenceMode inference;
  const auto& [name, network, height, width, volume] = GetParam();
  const auto net = make_net(network);
  const auto said = net->forward(inputs(net->config(), height, width), net->embed(picture(height, width)), volume);
  ASSERT_EQ(said.skips.size(), net->skip_connections());
  for (size_t i = 0; i < said.skips.size(); ++i) {
    expect_close(said.skips[i], std::string(name) + ".skips." + std::to_string(i));
  }
  expect_close(said.middle, std::string(name) + ".middle");
}

INSTANTIATE_TEST_SUITE_P(Cases, ControlNetParityTest,
                         ::testing::Values(Output{"tiny_net", "tiny_net", 4, 6},
                                           Output{"tiny_net_guess", "tiny_net", 4, 4, {0.7, true}},
                                           Output{"tiny_bgr", "tiny_bgr", 4, 4, {0.3}},
                                           Output{"tiny_pooled", "tiny_pooled", 4, 4, {1.5, true}},
                                           Output{"random_net_odd", "random_net", 5, 3},
                                           Output{"sd2_net", "sd2_net", 4, 4}, Output{"sdxl_net", "sdxl_net", 4, 4},
                                           Output{"sdxl_small", "sdxl_small", 4, 4},
                                           Output{"heads_net", "heads_net", 4, 4}),
                         [](const auto& each) { return std::string(each.param.name); });

class T2IAdapterParityTest : public ::testing::TestWithParam<const char*> {};

TEST_P(T2IAdapterParityTest, MapsMatchReference) {
  const c10::InferenceMode inference;
  const std::string name = GetParam();
  models::T2IAdapter adapter(loading::read_t2i_adapter_config(text_of(name), name), at::kFloat);
  testing::fill(adapter, seed_of(name));
  const auto maps = adapter.forward(normal(3, {1, adapter.config().in_channels, 48, 32}).sigmoid());
  const auto foretold = models::T2IAdapter::maps(adapter.config());
  ASSERT_EQ(maps.size(), foretold.size());
  for (size_t i = 0; i < maps.size(); ++i) {
    expect_close(maps[i], name + ".maps." + std::to_string(i));
    EXPECT_EQ(maps[i].size(1), foretold[i].channels);
    EXPECT_EQ(maps[i].size(2), (48 + foretold[i].factor - 1) / foretold[i].factor);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, T2IAdapterParityTest,
                         ::testing::Values("tiny_adapter", "random_adapter", "random_gray", "random_light",
                                           "sdxl_adapter"),
                         [](const auto& each) { return std::string(each.param); });

// With a memory, text and timesteps are worked out once; a second evaluation gives what the first one gave.
TEST(ControlNetTest, AMemoryChangesNothing) {
  const c10::InferenceMode inference;
  const auto net = make_net("sdxl_net");
  auto input = inputs(net->config(), 4, 4);
  input.timesteps = at::tensor({981.0F, 981.0F});
  const auto embedded = net->embed(picture(4, 4));
  const auto plain = net->forward(input, embedded);
  models::RunMemory memory;
  memory.timesteps = {981.0, 500.0};
  input.memory = &memory;
  input.timestep = 981.0;
  for (int i = 0; i < 2; ++i) {
    const auto said = net->forward(input, embedded);
    EXPECT_LE(relative_error(said.middle, plain.middle), kTolerance);
    EXPECT_LE(relative_error(said.skips[3], plain.skips[3]), kTolerance);
  }
}

// An evaluation that reuses what lies deep needs the outer maps only, which are the same.
TEST(ControlNetTest, GivesTheOuterMapsAloneWhereDeepOnesAreReused) {
  const c10::InferenceMode inference;
  const auto net = make_net("random_net");
  auto input = inputs(net->config(), 4, 4);
  const auto embedded = net->embed(picture(4, 4));
  const auto whole = net->forward(input, embedded);
  for (size_t branch = 0; branch < net->skip_connections(); ++branch) {
    input.shortcuts.cache_branch = branch;
    input.shortcuts.reuse_deep = true;
    const auto outer = net->forward(input, embedded);
    ASSERT_EQ(outer.skips.size(), branch + 1);
    for (size_t i = 0; i <= branch; ++i) EXPECT_TRUE(outer.skips[i].equal(whole.skips[i])) << i;
    EXPECT_FALSE(outer.middle.defined());
  }
}

TEST(ControlNetTest, OneRowOfAPictureServesTheWholeBatch) {
  const c10::InferenceMode inference;
  const auto net = make_net("tiny_net");
  const auto input = inputs(net->config(), 4, 4);
  const auto one = net->embed(picture(4, 4).narrow(0, 0, 1));
  const auto said = net->forward(input, one), repeated = net->forward(input, one.repeat({2, 1, 1, 1}));
  EXPECT_TRUE(said.middle.equal(repeated.middle));
}

// What T2I-Adapters say reaches the result, and in a level without transformers it is added behind the resampler.
TEST(UNetSignalsTest, LevelsAreAddedWhereTheReferenceAddsThem) {
  const c10::InferenceMode inference;
  const auto unet = testing::make_unet("unet_sdxl");
  auto input = testing::unet_inputs(unet->config(), {2, 4, 16, 16});
  const auto plain = unet->forward(input);
  input.signals.levels = {normal(11, {2, 32, 8, 8}), normal(12, {2, 64, 8, 8}), normal(13, {2, 96, 4, 4}),
                          normal(14, {2, 96, 4, 4})};
  EXPECT_LE(relative_error(unet->forward(input), expected("unet_sdxl.levels")), kTolerance);
  EXPECT_GT(relative_error(unet->forward(input), plain), 0.01);
  input.signals.levels.clear();
  EXPECT_TRUE(unet->forward(input).equal(plain));
}

TEST(UNetSignalsTest, SkipsAndTheMiddleAreAddedWhereTheReferenceAddsThem) {
  const c10::InferenceMode inference;
  const auto unet = testing::make_unet("unet_sd1");
  auto input = testing::unet_inputs(unet->config(), {2, 4, 8, 8});
  const std::vector<std::vector<std::int64_t>> shapes{{32, 8}, {32, 8}, {32, 8}, {32, 4}, {64, 4},
                                                      {64, 4}, {64, 2}, {64, 2}, {64, 2}};
  for (size_t i = 0; i < shapes.size(); ++i) {
    input.signals.skips.push_back(normal(20 + i, {2, shapes[i][0], shapes[i][1], shapes[i][1]}));
  }
  input.signals.middle = normal(30, {2, 64, 2, 2});
  EXPECT_LE(relative_error(unet->forward(input), expected("unet_sd1.skips")), kTolerance);
}

}  // namespace
}  // namespace fjord
