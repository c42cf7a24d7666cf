// Layers on a GPU's ways, with a stand-in for the GPU: each gives what the plain way gives.
#include "models/common/attention.h"
#include "models/common/resample.h"
#include "models/common/resnet_block.h"
#include "ops/wrap.h"
#include "support/fake_cuda.h"
#include "support/seeded_weights.h"

#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <memory>

namespace fjord::models {
namespace {

using ::fjord::testing::FakeCuda;
using ::fjord::testing::relative_error;

constexpr double kRounding = 2e-6;  // float32 sums in another order

const at::TensorOptions kOptions = at::TensorOptions().dtype(at::kFloat);

class CudaLayersTest : public ::testing::Test {
 protected:
  // A GPU for as long as a test asks for one.
  void use_gpu() { gpu_ = std::make_unique<FakeCuda>(); }
  testing::FakeCudaCounts& counts() { return gpu_->counts(); }

  const c10::InferenceMode inference_;
  std::unique_ptr<FakeCuda> gpu_;
};

AttentionConfig self_attention(bool bias) {
  return {.query_dim = 24, .context_dim = 24, .num_heads = 3, .head_dim = 8, .qkv_bias = bias};
}

TEST_F(CudaLayersTest, OneProductMakesQueriesKeysAndValues) {
  for (const bool bias : {false, true}) {
    Attention attention({nullptr, "", kOptions}, self_attention(bias));
    fjord::testing::fill(attention, 3);
    const auto x = fjord::testing::normal(4, {2, 10, 24}), residual = fjord::testing::normal(5, {2, 10, 24});
    const auto expected = attention.forward_self(x, residual);
    attention.join_projections();
    EXPECT_LE(relative_error(attention.forward_self(x, residual), expected), kRounding);
    use_gpu();
    attention.use_cuda_paths({});
    EXPECT_LE(relative_error(attention.forward_self(x, residual), expected), kRounding);
    EXPECT_EQ(counts().products, 2);  // the three together, and the last
    gpu_.reset();
  }
}

TEST_F(CudaLayersTest, OneProductMakesKeysAndValuesOfTheText) {
  Attention attention({nullptr, "", kOptions}, {.query_dim = 24, .context_dim = 40, .num_heads = 3, .head_dim = 8});
  fjord::testing::fill(attention, 3);
  const auto text = fjord::testing::normal(4, {2, 7, 40}), x = fjord::testing::normal(5, {2, 10, 24});
  const auto expected = attention.forward(x, attention.keys_and_values(text));
  attention.join_projections();
  use_gpu();
  attention.use_cuda_paths({});
  const auto keys = attention.keys_and_values(text);
  EXPECT_EQ(counts().products, 1);
  EXPECT_LE(relative_error(attention.forward(x, keys), expected), kRounding);
}

// An adapter gives a tree of its own other weights, or adds to what a layer gives.
TEST_F(CudaLayersTest, JoinedProjectionsGiveWayToChanges) {
  Attention base({nullptr, "", kOptions}, self_attention(false));
  fjord::testing::fill(base, 3);
  base.join_projections();
  base.use_cuda_paths({});
  Attention other({nullptr, "", at::TensorOptions().device(at::kMeta)}, self_attention(false));
  other.share_all(base);
  const auto x = fjord::testing::normal(4, {2, 10, 24});
  use_gpu();
  EXPECT_TRUE(at::equal(other.forward_self(x, {}), base.forward_self(x, {})));
  EXPECT_EQ(counts().products, 4);
  const auto weight = fjord::testing::normal(8, {24, 24});
  other.to_k.replace_weight(weight);
  Attention plain({nullptr, "", kOptions}, self_attention(false));
  fjord::testing::fill(plain, 3);
  plain.to_k.replace_weight(weight);
  const auto expected = plain.forward_self(x, {});
  EXPECT_LE(relative_error(other.forward_self(x, {}), expected), kRounding);
  EXPECT_GT(relative_error(base.forward_self(x, {}), expected), 0.01);
}

TEST_F(CudaLayersTest, ConvolutionsTakeBiasesAndResiduals) {
  ResnetBlock2D block({nullptr, "", kOptions},
                      {.in_channels = 16, .out_channels = 8, .temb_channels = 12, .groups = 4});
  fjord::testing::fill(block, 3);
  const auto x = fjord::testing::normal(4, {2, 16, 6, 5});
  const auto one_row = fjord::testing::normal(5, {1, 8}).expand({2, -1}), rows = fjord::testing::normal(6, {2, 8});
  const auto expected_one = block.forward(x, one_row), expected = block.forward(x, rows);
  use_gpu();
  for (const auto& paths : {CudaPaths{}, CudaPaths::none()}) {
    block.use_cuda_paths(paths);
    EXPECT_LE(relative_error(block.forward(x, one_row), expected_one), kRounding);
    EXPECT_LE(relative_error(block.forward(x, rows), expected), kRounding);
  }
  EXPECT_EQ(counts().convolutions, 4);
  EXPECT_EQ(counts().products, 2);  // the shortcut
}

TEST_F(CudaLayersTest, DoublingIsFolded) {
  Upsample2D doubling({nullptr, "", kOptions}, 12);
  fjord::testing::fill(doubling, 3);
  const auto x = fjord::testing::normal(4, {2, 12, 5, 4});
  for (const auto& wrap : {ops::Wrap{}, ops::Wrap{true, false}, ops::Wrap{true, true}}) {
    const ops::WrapScope scope(wrap);
    const auto expected = doubling.forward(x), odd = doubling.forward(x, ops::ImageSize{9, 8});
    use_gpu();
    doubling.use_cuda_paths({});
    doubling.conv.fold_doubling();
    EXPECT_LE(relative_error(doubling.forward(x), expected), kRounding);
    EXPECT_LE(relative_error(doubling.forward(x, ops::ImageSize{9, 8}), odd), kRounding);  // not twice the size
    gpu_.reset();
  }
  use_gpu();
  const auto folded = doubling.forward(x);
  doubling.conv.replace_weight(fjord::testing::normal(9, {12, 12, 3, 3}));
  Upsample2D other({nullptr, "", kOptions}, 12);
  fjord::testing::fill(other, 3);
  other.conv.replace_weight(fjord::testing::normal(9, {12, 12, 3, 3}));
  EXPECT_LE(relative_error(doubling.forward(x), other.forward(x)), kRounding);
  EXPECT_GT(relative_error(doubling.forward(x), folded), 0.01);
}

TEST_F(CudaLayersTest, RestingWeightsAreBroughtForEveryProduct) {
  ResnetBlock2D block({nullptr, "", kOptions},
                      {.in_channels = 16, .out_channels = 8, .temb_channels = 12, .groups = 4});
  fjord::testing::fill(block, 3);
  const auto x = fjord::testing::normal(4, {2, 16, 6, 5}), temb = fjord::testing::normal(5, {2, 12});
  const auto expected = block.forward(x, block.project_time(temb));
  use_gpu();
  for (const auto& [name, module] : block.modules()) module->rest(gpu_->ops(), at::kCPU);
  EXPECT_EQ(counts().rests, 4);  // conv1, conv2, conv_shortcut, time_emb_proj
  for (const auto& paths : {CudaPaths{}, CudaPaths::none()}) {
    block.use_cuda_paths(paths);
    counts().uploads = 0;
    EXPECT_LE(relative_error(block.forward(x, block.project_time(temb)), expected), kRounding);
    EXPECT_EQ(counts().uploads, 4);
  }
  block.conv1.replace_weight(fjord::testing::normal(9, {8, 16, 3, 3}));
  EXPECT_EQ(counts().rests, 5);
}

}  // namespace
}  // namespace fjord::models
