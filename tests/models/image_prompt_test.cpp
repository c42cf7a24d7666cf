// Image encoders and the projections of IP-Adapters against the real classes, whole tensors, float32.
// Expected values: tests/reference/image_prompts.py.
#include "models/clip/clip_vision_model.h"
#include "models/image_prompt/ip_adapter.h"
#include "models/seeded_image_adapter.h"
#include "models/unet_cases.h"
#include "support/error_of.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

namespace fjord {
namespace {

using testing::normal;
using testing::relative_error;

constexpr double kTolerance = 1e-5;  // float32, as all networks
const std::string kRecorded = "image_prompts/networks";

void expect_close(const at::Tensor& actual, const std::string& name) {
  const double error = relative_error(actual, testing::recorded_tensor(kRecorded, name));
  ::testing::Test::RecordProperty(name, std::to_string(error * 1e6) + "e-6");
  EXPECT_LE(error, kTolerance) << name;
}

class ImageEncoderParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ImageEncoderParityTest, StatesMatchReference) {
  const c10::InferenceMode inference;
  const auto encoder = testing::make_image_encoder(GetParam());
  const auto side = encoder->config().image_size;
  const auto out = encoder->forward(normal(1, {2, 3, side, side}));
  expect_close(out.image_embeds, GetParam() + ".image_embeds");
  expect_close(out.penultimate, GetParam() + ".penultimate");
}

TEST_P(ImageEncoderParityTest, PackedStatesMatchReference) {
  const c10::InferenceMode inference;
  const auto encoder = testing::make_image_encoder(GetParam());
  const auto side = encoder->config().image_size;
  encoder->pack_all(*kernels::supported_cpu_kernels().front());
  const auto out = encoder->forward(normal(1, {2, 3, side, side}));
  expect_close(out.image_embeds, GetParam() + ".image_embeds");
  expect_close(out.penultimate, GetParam() + ".penultimate");
}

INSTANTIATE_TEST_SUITE_P(Cases, ImageEncoderParityTest, ::testing::Values("encoder", "quick_encoder"),
                         [](const auto& each) { return each.param; });

TEST(ImageEncoderTest, RefusesPicturesOfAnotherSize) {
  const auto encoder = testing::make_image_encoder("encoder");
  const auto error = testing::error_of([&] { encoder->forward(normal(1, {1, 3, 24, 30})); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), ::testing::HasSubstr("takes pictures of 30x30 pixels, got [1, 3, 24, 30]"));
}

class ImageProjectionParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ImageProjectionParityTest, TokensMatchReference) {
  const c10::InferenceMode inference;
  for (const bool packed : {false, true}) {
    const auto adapter = testing::make_image_adapter(GetParam());
    if (packed) adapter->pack_all(*kernels::supported_cpu_kernels().front());
    const auto& projection = adapter->config().projection;
    const bool whole = projection.kind == models::ProjectionKind::kWhole;
    const auto states =
        whole ? normal(2, {2, projection.image_features}) : normal(2, {2, 26, projection.image_features});
    expect_close(adapter->tokens(states), GetParam() + ".tokens");
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ImageProjectionParityTest,
                         ::testing::Values("whole", "plus", "full", "xl_whole", "xl_plus"),
                         [](const auto& each) { return each.param; });

// A second context adds its answer before the last projection, weighted by scale and mask.
TEST(AttentionTest, FurtherContextsAddTheirAnswers) {
  const c10::InferenceMode inference;
  models::Attention layer({nullptr, "", at::kDouble},
                          {.query_dim = 8, .context_dim = 6, .num_heads = 2, .head_dim = 4});
  testing::fill(layer, 3);
  const auto double_normal = [](std::uint64_t seed, at::IntArrayRef shape) {
    return normal(seed, shape).to(at::kDouble);
  };
  const auto x = double_normal(1, {2, 5, 8});
  const auto text = layer.keys_and_values(double_normal(2, {2, 7, 6}));
  const auto picture = layer.keys_and_values(double_normal(3, {2, 4, 6}));
  const auto mask = double_normal(4, {1, 5, 1});
  const auto alone = [&](const models::KeysAndValues& keys) { return layer.forward(x, keys) - layer.to_out_0.bias; };
  // The last projection is linear, so that answers add up behind it as before it.
  const auto expected = alone(text) + 0.7 * alone(picture) + layer.to_out_0.bias;
  EXPECT_LE(relative_error(layer.forward(x, text, {}, {{picture, 0.7, {}}}), expected), 1e-10);
  const auto masked = layer.forward(x, text, {}, {{picture, 0.7, mask}});
  EXPECT_LE(relative_error(masked, alone(text) + 0.7 * mask * alone(picture) + layer.to_out_0.bias), 1e-10);
  EXPECT_TRUE(layer.forward(x, text, {}, {}).equal(layer.forward(x, text)));
}

}  // namespace
}  // namespace fjord
