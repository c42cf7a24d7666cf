// A VAE that overflows in half precision: its last bias is the largest bfloat16, and what the last convolution adds to
// it is within float32 alone.
#include "loading/safetensors.h"
#include "loading/source.h"
#include "pipeline/test_models.h"
#include "support/temp_folder.h"

#include <fjord/pipeline.h>

#include <filesystem>
#include <limits>
#include <map>

namespace fjord {
namespace {

namespace fs = std::filesystem;

void brighten(const std::string& path) {
  std::map<std::string, at::Tensor> tensors;
  {
    const loading::Safetensors file(loading::open_file(path));
    for (const auto& [name, entry] : file.tensors()) {
      auto tensor = at::empty(entry.shape, at::kFloat);
      file.read_into(entry, name, tensor);
      tensors.emplace(name, tensor);
    }
  }
  // 8 channels and 9 taps of silu(1) = 0.731 make 1e36.
  tensors.at("decoder.conv_norm_out.weight").fill_(0);
  tensors.at("decoder.conv_norm_out.bias").fill_(1);
  tensors.at("decoder.conv_out.weight").fill_(1e36 / (8 * 9 * 0.731));
  tensors.at("decoder.conv_out.bias").fill_(std::numeric_limits<c10::BFloat16>::max());
  loading::write_safetensors(path, tensors);
}

TEST(VaeOverflowTest, ThePictureIsDecodedInFloat32AndTheResultSaysSo) {
  const testing::TempFolder folder;
  const auto path = folder.file("model");
  fs::copy(testing::random_model(), path, fs::copy_options::recursive);
  brighten(path + "/vae/diffusion_pytorch_model.safetensors");
  LoadOptions options;
  options.precision = Precision::kBFloat16;
  Request request;
  request.prompt = "a cup";
  request.steps = 1;
  request.width = request.height = 64;
  const auto result = Pipeline::load(path, options).generate(request);
  ASSERT_EQ(result.images.size(), 1u);
  EXPECT_THAT(result.images[0].pixels, ::testing::Each(255));
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_THAT(result.warnings[0], ::testing::HasSubstr("decoded in float32"));
  EXPECT_TRUE(Pipeline::load(path).generate(request).warnings.empty());
}

}  // namespace
}  // namespace fjord
