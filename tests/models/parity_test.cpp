// Every network against the real classes of diffusers and transformers, whole tensors, float32.
// Expected values and configurations: tests/reference/models.py.
#include "loading/config_json.h"
#include "models/clip/clip_text_model.h"
#include "models/unet_cases.h"
#include "models/vae/autoencoder_kl.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>

namespace fjord {
namespace {

using testing::model_config_text;
using testing::normal;
using testing::relative_error;

constexpr double kTolerance =
    1e-5;  // float32, up to some hundred operations deep; docs/numerics.md has the measured errors

// A tensor of the reference's outputs.
at::Tensor expected(const std::string& name, const std::string& tensor) {
  return testing::recorded_tensor("models/" + name, tensor);
}

// Compares whole tensors; the error goes into the XML report (--gtest_output=xml).
void expect_close(const at::Tensor& actual, const at::Tensor& wanted, const std::string& what) {
  const double error = relative_error(actual, wanted);
  ::testing::Test::RecordProperty(what, std::to_string(error * 1e6) + "e-6");
  EXPECT_LE(error, kTolerance) << what;
}

std::string case_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

class UNetParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(UNetParityTest, OutputMatchesReference) {
  const c10::InferenceMode inference;
  const auto unet = testing::make_unet(GetParam());
  const auto sample = expected(GetParam(), "sample");
  expect_close(unet->forward(testing::unet_inputs(unet->config(), sample.sizes())), sample, "sample");
}

INSTANTIATE_TEST_SUITE_P(Cases, UNetParityTest, ::testing::ValuesIn(testing::model_cases("unet")), case_name);

class VaeParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(VaeParityTest, EncoderAndDecoderMatchReference) {
  const c10::InferenceMode inference;
  models::AutoencoderKL vae(loading::read_vae_config(model_config_text(GetParam()), GetParam()), at::kFloat);
  testing::fill(vae, testing::kModelSeed);
  const auto posterior = vae.encode(normal(1, {2, 3, 20, 36}));
  expect_close(posterior.mode(), expected(GetParam(), "mode"), "mode");
  const auto noise = normal(2, posterior.mode().sizes());
  expect_close(posterior.sample(noise), expected(GetParam(), "sample"), "sample");
  const auto latents = normal(3, {2, vae.config().latent_channels, 5, 9});
  expect_close(vae.decode(latents), expected(GetParam(), "decoded"), "decoded");
}

TEST(TiledVaeParityTest, EncoderAndDecoderMatchReference) {
  const c10::InferenceMode inference;
  models::AutoencoderKL vae(loading::read_vae_config(model_config_text("tiled_vae"), "tiled_vae"), at::kFloat);
  testing::fill(vae, testing::kModelSeed);
  expect_close(vae.encode(normal(1, {2, 3, 52, 84}), true).mode(), expected("tiled_vae", "mode"), "mode");
  const auto latents = normal(3, {2, vae.config().latent_channels, 13, 21});
  expect_close(vae.decode(latents, true), expected("tiled_vae", "decoded"), "decoded");
  const auto small = latents.slice(2, 0, 8).slice(3, 0, 8);
  EXPECT_TRUE(vae.decode(small, true).equal(vae.decode(small)));
}

INSTANTIATE_TEST_SUITE_P(Cases, VaeParityTest, ::testing::ValuesIn(testing::model_cases("vae")), case_name);

class TextEncoderParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TextEncoderParityTest, StatesMatchReference) {
  const c10::InferenceMode inference;
  models::ClipTextModel model(loading::read_clip_text_config(model_config_text(GetParam()), GetParam()), at::kFloat);
  const bool projects = model.text_projection.has_value();
  testing::fill(model, testing::kModelSeed, [projects](const std::string& name) {
    return projects && !name.starts_with("text_projection") ? "text_model." + name : name;
  });
  const auto ids = at::tensor(std::vector<std::int64_t>{97, 5, 17, 2, 98, 98, 98, 98, 98,  //
                                                        97, 1, 96, 3, 3, 3, 80, 50, 98})
                       .view({2, 9});
  const auto out = model.forward(ids);
  expect_close(out.last_hidden_state, expected(GetParam(), "last_hidden_state"), "last_hidden_state");
  ASSERT_EQ(out.hidden_states.size(), static_cast<size_t>(model.config().num_hidden_layers + 1));
  for (size_t i = 0; i < out.hidden_states.size(); ++i) {
    const auto name = "hidden_states." + std::to_string(i);
    expect_close(out.hidden_states[i], expected(GetParam(), name), name);
  }
  const std::string pooled = projects ? "text_embeds" : "pooled";
  expect_close(projects ? out.text_embeds : out.pooled, expected(GetParam(), pooled), pooled);
}

INSTANTIATE_TEST_SUITE_P(Cases, TextEncoderParityTest, ::testing::ValuesIn(testing::model_cases("clip")), case_name);

}  // namespace
}  // namespace fjord
