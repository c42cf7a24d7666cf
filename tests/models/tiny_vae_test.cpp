// The tiny autoencoder against diffusers' AutoencoderTiny. Expected values: tests/reference/distilled.py.
#include "loading/config_json.h"
#include "models/unet_cases.h"
#include "models/vae/autoencoder_tiny.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>

namespace fjord {
namespace {

using testing::normal;
using testing::relative_error;

constexpr double kTolerance = 1e-5;  // float32, as in parity_test.cpp

class TinyVaeParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TinyVaeParityTest, EncoderAndDecoderMatchReference) {
  const c10::InferenceMode inference;
  const auto& name = GetParam();
  models::AutoencoderTiny vae(loading::read_tiny_vae_config(testing::model_config_text(name), name), at::kFloat);
  testing::fill(vae, testing::kModelSeed);
  const auto latents = vae.encode(normal(1, {2, 3, 20, 36}));
  EXPECT_FALSE(latents.has_spread());
  EXPECT_TRUE(latents.sample({}).equal(latents.mode()));
  EXPECT_LE(relative_error(latents.mode(), testing::recorded_tensor("models/" + name, "latents")), kTolerance);
  const auto decoded = vae.decode(2 * normal(3, {2, 4, 5, 9}));
  EXPECT_LE(relative_error(decoded, testing::recorded_tensor("models/" + name, "decoded")), kTolerance);
  EXPECT_EQ(vae.factor(), 4);
}

INSTANTIATE_TEST_SUITE_P(Cases, TinyVaeParityTest, ::testing::ValuesIn(testing::model_cases("tiny_vae")),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace fjord
