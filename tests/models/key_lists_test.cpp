// Names and shapes of the published full-size models, built on the meta device: nothing is allocated.
// Expected lists: tests/reference/key_lists.py.
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>

namespace fjord {
namespace {

using KeyList = std::map<std::string, std::string>;  // name -> shape, "320,4,3,3"

const std::string kFolder = FJORD_TEST_DATA "/keys";
const at::TensorOptions kMeta = at::TensorOptions(at::kMeta).dtype(at::kHalf);

std::string config_text(const std::string& name) {
  return loading::read_text(*loading::open_folder(kFolder), name + ".json", 1 << 20);
}

// The list of a reference class; the prefix that depends on the release of transformers is dropped.
KeyList expected_keys(const std::string& name) {
  constexpr std::string_view prefix = "text_model.";
  std::ifstream file(kFolder + "/" + name + ".keys");
  KeyList out;
  std::string key;
  std::string shape;
  while (file >> key >> shape) out[key.starts_with(prefix) ? key.substr(prefix.size()) : key] = shape;
  return out;
}

KeyList keys_of(nn::Module& module) {
  KeyList out;
  for (const auto& parameter : module.named_parameters()) {
    std::string shape;
    for (const auto size : parameter.tensor->sizes()) {
      if (!shape.empty()) shape += ',';
      shape += std::to_string(size);
    }
    EXPECT_TRUE(out.emplace(parameter.name, shape).second) << parameter.name << " stands twice";
    EXPECT_TRUE(parameter.tensor->is_meta());
    EXPECT_EQ(parameter.tensor->scalar_type(), at::kHalf);
  }
  return out;
}

void expect_keys(nn::Module& module, const std::string& name) {
  const auto expected = expected_keys(name);
  ASSERT_GT(expected.size(), 100u) << "no list for " << name;
  EXPECT_THAT(keys_of(module), ::testing::ContainerEq(expected));
}

class KeyListTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KeyListTest, NamesAndShapesEqualTheReference) {
  const std::string name = GetParam();
  const std::string text = config_text(name);
  if (name.starts_with("unet")) {
    models::UNet2DConditionModel unet(loading::read_unet_config(text, name), kMeta);
    expect_keys(unet, name);
  } else if (name.starts_with("vae")) {
    models::AutoencoderKL vae(loading::read_vae_config(text, name), kMeta);
    expect_keys(vae, name);
  } else {
    models::ClipTextModel encoder(loading::read_clip_text_config(text, name), kMeta);
    expect_keys(encoder, name);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, KeyListTest,
                         ::testing::Values("unet_sd15", "unet_sd15_inpainting", "unet_sd21", "unet_sdxl",
                                           "unet_sdxl_refiner", "vae_sd15", "vae_sd21", "vae_sdxl", "clip_l",
                                           "openclip_h", "openclip_bigg"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace fjord
