// Names and shapes of the published full-size networks, built on the meta device: nothing is allocated.
// Expected lists: tests/reference/key_lists.py, tests/reference/addition_key_lists.py.
#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "models/clip/clip_text_model.h"
#include "models/clip/clip_vision_model.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "models/unet/unet_2d_condition.h"
#include "models/vae/autoencoder_kl.h"
#include "models/vae/autoencoder_tiny.h"
#include "support/packed_names.h"

#include <gmock/gmock.h>

namespace fjord {
namespace {

using testing::Shapes;

const std::string kFolder = FJORD_TEST_DATA "/keys";
const at::TensorOptions kMeta = at::TensorOptions(at::kMeta).dtype(at::kHalf);

std::string config_text(const std::string& name) {
  return loading::read_text(*loading::open_folder(kFolder), name + ".json", 1 << 20);
}

Shapes shapes_of(nn::Module& module) {
  Shapes out;
  for (const auto& parameter : module.named_parameters()) {
    EXPECT_TRUE(out.emplace(parameter.name, parameter.tensor->sizes().vec()).second) << parameter.name << " twice";
    EXPECT_TRUE(parameter.tensor->is_meta());
    EXPECT_EQ(parameter.tensor->scalar_type(), at::kHalf);
  }
  return out;
}

// `prefix`: of names in the reference class; it depends on the release of transformers.
void expect_keys(nn::Module&& module, const std::string& name, const std::string& prefix = "") {
  const auto expected = testing::read_packed_names(kFolder + "/" + name + ".keys", prefix);
  ASSERT_GT(expected.size(), 10u) << "no list for " << name;
  EXPECT_THAT(shapes_of(module), ::testing::ContainerEq(expected));
}

class KeyListTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KeyListTest, NamesAndShapesEqualTheReference) {
  const std::string name = GetParam(), text = config_text(name), kind = name.substr(0, name.find('_'));
  if (kind == "unet") {
    expect_keys(models::UNet2DConditionModel(loading::read_unet_config(text, name), kMeta), name);
  } else if (name == "vae_taesd") {
    expect_keys(models::AutoencoderTiny(loading::read_tiny_vae_config(text, name), kMeta), name);
  } else if (kind == "vae") {
    expect_keys(models::AutoencoderKL(loading::read_vae_config(text, name), kMeta), name);
  } else if (kind == "controlnet") {
    expect_keys(models::ControlNetModel(loading::read_controlnet_config(text, name), kMeta), name);
  } else if (kind == "t2iadapter") {
    expect_keys(models::T2IAdapter(loading::read_t2i_adapter_config(text, name), kMeta), name);
  } else if (name.starts_with("clip_vision")) {
    expect_keys(models::ClipVisionModel(loading::read_clip_vision_config(text, name), kMeta), name, "vision_model.");
  } else {
    expect_keys(models::ClipTextModel(loading::read_clip_text_config(text, name), kMeta), name, "text_model.");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, KeyListTest,
                         ::testing::Values("unet_sd15", "unet_sd15_inpainting", "unet_sd15_pix2pix", "unet_lcm",
                                           "unet_bk_base", "unet_bk_small", "unet_bk_tiny", "unet_sd21", "unet_sdxl",
                                           "unet_sdxl_inpainting", "unet_sdxl_pix2pix", "unet_sdxl_refiner", "unet_ssd",
                                           "unet_vega", "vae_sd15", "vae_sd21", "vae_sdxl", "vae_taesd", "clip_l",
                                           "openclip_h", "openclip_bigg", "controlnet_sd15", "controlnet_sd21",
                                           "controlnet_sdxl", "t2iadapter_sd15", "t2iadapter_sd15_light",
                                           "t2iadapter_sdxl", "clip_vision_h", "clip_vision_bigg"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace fjord
