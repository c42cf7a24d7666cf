// IP-Adapters of the published sizes: what is told from names and shapes builds the network to which every tensor
// belongs. Expected lists: tests/reference/addition_key_lists.py.
#include "adapters/image_adapter_file.h"

#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/load_into.h"
#include "loading/sparse_file.h"
#include "support/temp_folder.h"

#include <gtest/gtest.h>

namespace fjord::testing {
namespace {

using models::ProjectionKind;

const std::string kKeys = FJORD_TEST_DATA "/keys/";
const at::TensorOptions kMeta = at::TensorOptions(at::kMeta).dtype(at::kHalf);

struct Published {
  const char* list;
  const char* unet;
  ProjectionKind kind;
  std::int64_t image_features, tokens;  // of tokens 0: as many as the picture has patches
};

void PrintTo(const Published& each, std::ostream* out) { *out << each.list; }

class PublishedImageAdapterTest : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedImageAdapterTest, EveryTensorHasItsPlace) {
  const TempFolder folder;
  const auto& wanted = GetParam();
  const auto shapes = read_packed_names(kKeys + wanted.list + ".keys");
  ASSERT_GT(shapes.size(), 10u);
  write_sparse_file(folder.file("adapter.safetensors"), shapes);
  const auto text = loading::read_text(*loading::open_folder(kKeys), std::string(wanted.unet) + ".json", 1 << 20);
  const models::UNet2DConditionModel unet(loading::read_unet_config(text, wanted.unet), kMeta);
  loading::Safetensors file(loading::open_file(folder.file("adapter.safetensors")));
  const auto config = adapters::image_adapter_config(file, unet);
  EXPECT_EQ(config.projection.kind, wanted.kind);
  EXPECT_EQ(config.projection.image_features, wanted.image_features);
  EXPECT_EQ(config.projection.tokens, wanted.tokens);
  models::IpAdapter adapter(config, kMeta);
  EXPECT_NO_THROW(loading::check_keys(adapter, loading::Checkpoint(std::move(file)), {}, wanted.list));
}

INSTANTIATE_TEST_SUITE_P(
    Files, PublishedImageAdapterTest,
    ::testing::Values(Published{"ip_adapter_sd15", "unet_sd15", ProjectionKind::kWhole, 1024, 4},
                      Published{"ip_adapter_plus_sd15", "unet_sd15", ProjectionKind::kResampler, 1280, 16},
                      Published{"ip_adapter_full_face_sd15", "unet_sd15", ProjectionKind::kPatches, 1280, 0},
                      Published{"ip_adapter_sdxl", "unet_sdxl", ProjectionKind::kWhole, 1280, 4},
                      Published{"ip_adapter_plus_sdxl_vit_h", "unet_sdxl", ProjectionKind::kResampler, 1280, 16}),
    [](const auto& each) { return std::string(each.param.list); });

}  // namespace
}  // namespace fjord::testing
