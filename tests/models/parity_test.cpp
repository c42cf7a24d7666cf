// Every network against the real classes of diffusers and transformers, whole tensors, float32.
// Expected values and configurations: tests/reference/models.py.
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>

#include <filesystem>

namespace fjord {
namespace {

using testing::normal;
using testing::relative_error;

constexpr std::uint64_t kSeed = 7;
constexpr double kTolerance =
    1e-5;  // float32, up to some hundred operations deep; docs/numerics.md has the measured errors

const std::string kFolder = FJORD_TEST_DATA "/models";

std::string config_text(const std::string& name) {
  return loading::read_text(*loading::open_folder(kFolder), name + ".json", 1 << 20);
}

// A tensor of the reference's outputs.
at::Tensor expected(const std::string& name, const std::string& tensor) {
  const loading::Checkpoint file{loading::Safetensors(loading::open_file(kFolder + "/" + name + ".safetensors"))};
  const auto* entry = file.find(tensor);
  if (entry == nullptr) throw std::runtime_error("no expected tensor " + tensor);
  auto out = at::empty(entry->shape, at::kFloat);
  file.read_into(tensor, out);
  return out;
}

// Compares whole tensors; the error goes into the XML report (--gtest_output=xml).
void expect_close(const at::Tensor& actual, const at::Tensor& wanted, const std::string& what) {
  const double error = relative_error(actual, wanted);
  ::testing::Test::RecordProperty(what, std::to_string(error * 1e6) + "e-6");
  EXPECT_LE(error, kTolerance) << what;
}

// The cases whose name begins so, as tests/reference/models.py wrote them.
std::vector<std::string> cases(const std::string& prefix) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const auto stem = entry.path().stem().string();
    if (entry.path().extension() == ".json" && stem.starts_with(prefix)) out.push_back(stem);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string case_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

models::UNetInput unet_inputs(const config::UNet& config, at::IntArrayRef output_sizes) {
  models::UNetInput in;
  in.sample = normal(1, {2, config.in_channels, output_sizes[2], output_sizes[3]});
  in.timesteps = at::tensor({981.0F, 3.5F});
  in.encoder_hidden_states = normal(2, {2, 7, config.encoder_hid_dim.value_or(config.cross_attention_dim[0])});
  if (config.num_class_embeds) {
    in.class_labels = at::tensor(std::vector<std::int64_t>{1, 4});
  } else if (config.class_embed_type == "timestep") {
    in.class_labels = at::tensor({20.0F, 600.0F});
  } else if (config.class_embed_type) {
    in.class_labels = normal(3, {2, *config.projection_class_embeddings_input_dim});
  }
  if (config.addition_embed_type) {
    in.text_embeds = normal(4, {2, 20});
    in.time_ids = 200 * normal(5, {2, 6}).abs();
  }
  if (config.time_cond_proj_dim) in.timestep_cond = normal(6, {2, *config.time_cond_proj_dim});
  return in;
}

class UNetParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(UNetParityTest, OutputMatchesReference) {
  const c10::InferenceMode inference;
  models::UNet2DConditionModel unet(loading::read_unet_config(config_text(GetParam()), GetParam()), at::kFloat);
  testing::fill(unet, kSeed);
  const auto sample = expected(GetParam(), "sample");
  expect_close(unet.forward(unet_inputs(unet.config(), sample.sizes())), sample, "sample");
}

INSTANTIATE_TEST_SUITE_P(Cases, UNetParityTest, ::testing::ValuesIn(cases("unet")), case_name);

class VaeParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(VaeParityTest, EncoderAndDecoderMatchReference) {
  const c10::InferenceMode inference;
  models::AutoencoderKL vae(loading::read_vae_config(config_text(GetParam()), GetParam()), at::kFloat);
  testing::fill(vae, kSeed);
  const auto posterior = vae.encode(normal(1, {2, 3, 20, 36}));
  expect_close(posterior.mode(), expected(GetParam(), "mode"), "mode");
  const auto noise = normal(2, posterior.mode().sizes());
  expect_close(posterior.sample(noise), expected(GetParam(), "sample"), "sample");
  const auto latents = normal(3, {2, vae.config().latent_channels, 5, 9});
  expect_close(vae.decode(latents), expected(GetParam(), "decoded"), "decoded");
}

TEST(TiledVaeParityTest, EncoderAndDecoderMatchReference) {
  const c10::InferenceMode inference;
  models::AutoencoderKL vae(loading::read_vae_config(config_text("tiled_vae"), "tiled_vae"), at::kFloat);
  testing::fill(vae, kSeed);
  expect_close(vae.encode(normal(1, {2, 3, 52, 84}), true).mode(), expected("tiled_vae", "mode"), "mode");
  const auto latents = normal(3, {2, vae.config().latent_channels, 13, 21});
  expect_close(vae.decode(latents, true), expected("tiled_vae", "decoded"), "decoded");
  const auto small = latents.slice(2, 0, 8).slice(3, 0, 8);
  EXPECT_TRUE(vae.decode(small, true).equal(vae.decode(small)));
}

INSTANTIATE_TEST_SUITE_P(Cases, VaeParityTest, ::testing::ValuesIn(cases("vae")), case_name);

class TextEncoderParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TextEncoderParityTest, StatesMatchReference) {
  const c10::InferenceMode inference;
  models::ClipTextModel model(loading::read_clip_text_config(config_text(GetParam()), GetParam()), at::kFloat);
  const bool projects = model.text_projection.has_value();
  testing::fill(model, kSeed, [projects](const std::string& name) {
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

INSTANTIATE_TEST_SUITE_P(Cases, TextEncoderParityTest, ::testing::ValuesIn(cases("clip")), case_name);

}  // namespace
}  // namespace fjord
