// Control networks of the published sizes in single files: what is told from names and shapes builds the network to
// which every tensor belongs. Expected lists: tests/reference/addition_key_lists.py.
#include "loading/control_file.h"

#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/load_into.h"
#include "loading/sparse_file.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "support/temp_folder.h"

#include <gtest/gtest.h>

namespace fjord::testing {
namespace {

const std::string kKeys = FJORD_TEST_DATA "/keys/";
const at::TensorOptions kMeta = at::TensorOptions(at::kMeta).dtype(at::kHalf);

struct Published {
  const char* list;
  const char* unet;  // of the models that it is for
};

void PrintTo(const Published& each, std::ostream* out) { *out << each.list; }

class PublishedControlTest : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedControlTest, EveryTensorHasItsPlace) {
  const TempFolder folder;
  const auto& [list, unet] = GetParam();
  const auto shapes = read_packed_names(kKeys + list + ".keys");
  ASSERT_GT(shapes.size(), 10u);
  write_sparse_file(folder.file("net.safetensors"), shapes);
  const auto text = loading::read_text(*loading::open_folder(kKeys), std::string(unet) + ".json", 1 << 20);
  const auto file = loading::open_control(folder.file("net.safetensors"), loading::read_unet_config(text, unet));
  EXPECT_EQ(file.weights->names().size(), shapes.size());
  if (const auto* net = std::get_if<config::ControlNet>(&file.config)) {
    models::ControlNetModel network(*net, kMeta);
    EXPECT_NO_THROW(loading::check_keys(network, *file.weights, {}, list));
    return;
  }
  models::T2IAdapter adapter(std::get<config::T2IAdapter>(file.config), kMeta);
  EXPECT_NO_THROW(loading::check_keys(adapter, *file.weights, {}, list));
}

INSTANTIATE_TEST_SUITE_P(
    Files, PublishedControlTest,
    ::testing::Values(Published{"controlnet_sd15", "unet_sd15"}, Published{"controlnet_sd15_original", "unet_sd15"},
                      Published{"controlnet_sd21", "unet_sd21"}, Published{"controlnet_sd21_original", "unet_sd21"},
                      Published{"controlnet_sdxl", "unet_sdxl"}, Published{"controlnet_sdxl_original", "unet_sdxl"},
                      Published{"t2iadapter_sd15", "unet_sd15"}, Published{"t2iadapter_sd15_light", "unet_sd15"},
                      Published{"t2iadapter_sdxl", "unet_sdxl"}),
    [](const auto& each) { return std::string(each.param.list); });

}  // namespace
}  // namespace fjord::testing
