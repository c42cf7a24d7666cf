// The plug-in's operators on a GPU against float64 on the CPU: our kernels may err at most twice as much as LibTorch's
// in the same type. Skipped, visibly, where there is no GPU.
#include "core/cuda_plugin.h"

#include <fjord/error.h>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>

#include <gtest/gtest.h>

#include <array>

namespace fjord {
namespace {

class CudaOpsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cuda_plugin().ops == nullptr) GTEST_SKIP() << "no CUDA: " << cuda_plugin().fault;
  }

  static const CudaOps& ops() { return *cuda_plugin().ops; }
  static at::Tensor random(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }
  // As the GPU holds it, and the same numbers in float64.
  static at::Tensor on_gpu(const at::Tensor& x, at::ScalarType dtype) { return x.to(dtype).to(at::kCUDA); }
  static at::Tensor exactly(const at::Tensor& x) { return x.to(at::kCPU, at::kDouble); }
  static double error(const at::Tensor& x, const at::Tensor& exact) {
    return (exactly(x) - exact).norm().item<double>() / exact.norm().item<double>();
  }
  // `least`: what one rounding of the result costs, where LibTorch happens to be exact.
  static void expect_as_good(const at::Tensor& ours, const at::Tensor& theirs, const at::Tensor& exact) {
    const double least = ours.scalar_type() == at::kFloat ? 1e-7 : ours.scalar_type() == at::kHalf ? 2e-4 : 2e-3;
    EXPECT_LE(error(ours, exact), 2 * std::max(error(theirs, exact), least));
  }
};

const std::vector<at::ScalarType> kTypes = {at::kFloat, at::kHalf, at::kBFloat16};

at::Tensor heads(const at::Tensor& x, std::int64_t count) {
  return x.view({x.size(0), x.size(1), count, -1}).transpose(1, 2);
}

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t count) {
  return at::scaled_dot_product_attention(heads(q, count), heads(k, count), heads(v, count))
      .transpose(1, 2)
      .reshape(q.sizes());
}

struct AttentionSizes {
  std::int64_t batch, heads, head_dim, queries, keys;
};

TEST_F(CudaOpsTest, AttentionIsAsExactAsLibTorchs) {
  for (const auto dtype : kTypes) {
    for (const auto& s : {AttentionSizes{2, 8, 40, 1024, 1024},
                          {2, 8, 40, 4096, 77},
                          {1, 10, 64, 1000, 999},
                          {2, 8, 80, 100, 154},
                          {1, 4, 128, 65, 1},
                          {2, 8, 160, 64, 64},
                          {1, 2, 160, 64, 231},
                          {1, 1, 512, 2000, 2000},
                          {1, 3, 20, 9, 9}}) {
      const auto q = on_gpu(random({s.batch, s.queries, s.heads * s.head_dim}), dtype);
      const auto k = on_gpu(random({s.batch, s.keys, s.heads * s.head_dim}), dtype);
      const auto v = on_gpu(random({s.batch, s.keys, s.heads * s.head_dim}), dtype);
      const auto exact = plain_attention(exactly(q), exactly(k), exactly(v), s.heads);
      const auto theirs = plain_attention(q, k, v, s.heads);
      for (const char* kind : {"auto", "own", "cudnn", "flash", "mem-efficient", "chunked", "math"}) {
        at::Tensor ours;
        try {
          ours = ops().attention(q, k, v, {.heads = s.heads, .kind = kind});
        } catch (const Error& refused) {
          EXPECT_EQ(refused.code(), ErrorCode::kUnsupported) << refused.what();
          continue;
        }
        SCOPED_TRACE(std::string(kind) + ", head size " + std::to_string(s.head_dim));
        expect_as_good(ours, theirs, exact);
      }
    }
  }
}

TEST_F(CudaOpsTest, GroupNormIsAsExactAsLibTorchs) {
  for (const auto dtype : kTypes) {
    for (const auto& sizes :
         {std::vector<std::int64_t>{2, 320, 64, 64}, {1, 2560, 8, 8}, {1, 128, 256, 256}, {3, 960, 5, 7}}) {
      const auto x = on_gpu(random(sizes) + 2, dtype).contiguous(at::MemoryFormat::ChannelsLast);
      const auto weight = on_gpu(random({sizes[1]}), dtype), bias = on_gpu(random({sizes[1]}), dtype);
      const auto exact = at::silu(at::group_norm(exactly(x), 32, exactly(weight), exactly(bias), 1e-5));
      expect_as_good(ops().group_norm(x, weight, bias, 32, 1e-5, true),
                     at::silu(at::group_norm(x, 32, weight, bias, 1e-5)), exact);
    }
  }
}

TEST_F(CudaOpsTest, LayerNormAddsAndNormalises) {
  for (const auto dtype : kTypes) {
    for (const std::int64_t features : {320, 1280, 2048, 24, 3000}) {
      const auto x = on_gpu(random({77, features}), dtype), residual = on_gpu(random({77, features}), dtype);
      const auto weight = on_gpu(random({features}), dtype), bias = on_gpu(random({features}), dtype);
      const auto theirs = at::layer_norm(x + residual, {features}, weight, bias, 1e-5);
      const auto [sum, normed] = ops().layer_norm(x, residual, weight, bias, 1e-5);
      EXPECT_TRUE(at::equal(sum, x + residual));
      expect_as_good(normed, theirs,
                     at::layer_norm(exactly(x + residual), {features}, exactly(weight), exactly(bias), 1e-5));
    }
  }
}

TEST_F(CudaOpsTest, GatedGeluIsAsExactAsLibTorchs) {
  for (const auto dtype : kTypes) {
    const auto x = on_gpu(random({3, 100, 2 * 640}), dtype);
    const auto halves = x.chunk(2, -1), exact = exactly(x).chunk(2, -1);
    expect_as_good(ops().gated_gelu(x), halves[0] * at::gelu(halves[1]), exact[0] * at::gelu(exact[1]));
  }
}

TEST_F(CudaOpsTest, CombinesAndWatchesForWhatIsNotFinite) {
  for (const auto dtype : kTypes) {
    const auto a = on_gpu(random({2, 4, 9, 7}), dtype), b = on_gpu(random({2, 4, 9, 7}), dtype);
    auto coefficients = at::zeros({3, 8}, at::kFloat);
    coefficients[2][0] = 0.5;
    coefficients[2][1] = -1.25;
    const auto step = at::full({1}, 2, at::kInt).to(at::kCUDA);
    const auto failed = at::zeros({1}, at::kInt).to(at::kCUDA);
    const auto out = ops().combine({a, b}, coefficients.to(at::kCUDA), step, failed);
    expect_as_good(out, 0.5 * a - 1.25 * b, 0.5 * exactly(a) - 1.25 * exactly(b));
    EXPECT_EQ(failed.item<int>(), 0);
    ops().combine({a, b / 0}, coefficients.to(at::kCUDA), step, failed);
    EXPECT_EQ(failed.item<int>(), 1);
  }
}

TEST_F(CudaOpsTest, ProductsAddBiasesAndResiduals) {
  for (const auto dtype : kTypes) {
    for (const auto& [rows, in, out] :
         {std::array<std::int64_t, 3>{4096, 320, 320}, {77, 768, 640}, {1, 320, 1280}, {9, 20, 12}}) {
      const auto x = on_gpu(random({rows, in}), dtype), residual = on_gpu(random({rows, out}), dtype);
      const auto weight = on_gpu(random({out, in}) / 10, dtype), bias = on_gpu(random({out}), dtype);
      const auto exact = at::linear(exactly(x), exactly(weight), exactly(bias)) + exactly(residual);
      const auto theirs = at::linear(x, weight, bias) + residual;
      for (const bool fused : {false, true}) {
        for (const bool timed : {false, true}) {
          for (int call = 0; call < 2; ++call)  // the first one chooses
            expect_as_good(ops().linear(x, weight, bias, {residual, fused, timed}), theirs, exact);
        }
      }
      expect_as_good(ops().linear(x, weight, {}, {{}, true, true}), at::linear(x, weight),
                     at::linear(exactly(x), exactly(weight)));
    }
  }
}

TEST_F(CudaOpsTest, ConvolutionsAddBiasesAndResiduals) {
  struct Sizes {
    std::int64_t in, out, side, kernel, stride, padding;
  };
  for (const auto dtype : kTypes) {
    for (const auto& s :
         {Sizes{320, 320, 64, 3, 1, 1}, {320, 640, 32, 3, 2, 1}, {64, 256, 16, 2, 1, 1}, {4, 320, 64, 3, 1, 1}}) {
      const auto x = on_gpu(random({2, s.in, s.side, s.side}), dtype).contiguous(at::MemoryFormat::ChannelsLast);
      const auto weight = on_gpu(random({s.out, s.in, s.kernel, s.kernel}) / 20, dtype);
      const auto bias = on_gpu(random({s.out}), dtype);
      const auto plain = at::conv2d(x, weight, bias, s.stride, s.padding);
      const auto residual = on_gpu(random(plain.sizes()), dtype);
      const auto exact = at::conv2d(exactly(x), exactly(weight), exactly(bias), s.stride, s.padding);
      for (int call = 0; call < 2; ++call) {
        expect_as_good(ops().convolution(x, weight, bias, s.stride, s.padding, {}), plain, exact);
        expect_as_good(ops().convolution(x, weight, bias, s.stride, s.padding, {residual, true, true}),
                       plain + residual, exact + exactly(residual));
      }
    }
  }
}

TEST_F(CudaOpsTest, WeightsRestAndAreBrought) {
  const auto x = on_gpu(random({8, 16, 3, 3}), at::kHalf).contiguous(at::MemoryFormat::ChannelsLast);
  const auto resting = ops().rest(x);
  EXPECT_TRUE(resting.is_cpu() && resting.is_pinned());
  const auto brought = ops().upload(resting, at::Device(at::kCUDA, 0));
  EXPECT_TRUE(at::equal(brought, x));
  EXPECT_EQ(brought.strides(), x.strides());
}

TEST_F(CudaOpsTest, AMarkTellsTheFlagOfItsMoment) {
  const auto flag = at::zeros({1}, at::kInt).to(at::kCUDA);
  const auto before = ops().mark(flag);
  flag.fill_(7);
  const auto after = ops().mark(flag);
  flag.fill_(9);
  EXPECT_EQ(after->wait(), 7);
  EXPECT_EQ(before->wait(), 0);
}

// What cannot be recorded leaves the stream and the memory in order: the next one works.
TEST_F(CudaOpsTest, AFailedRecordingLeavesNothingBehind) {
  const auto x = at::ones({1000}, at::TensorOptions().device(at::kCUDA));
  for (int i = 0; i < 2; ++i) {
    EXPECT_ANY_THROW(ops().record([&] { (x + 1).sum().item<float>(); }));
    EXPECT_THROW(ops().record([&] { throw Error(ErrorCode::kCancelled, "enough"); }), Error);
  }
  at::Tensor y;
  const auto graph = ops().record([&] { y = x + 1; });
  graph->replay();
  EXPECT_EQ(y.sum().item<float>(), 2000);
}

TEST_F(CudaOpsTest, AGraphRepeatsItsKernels) {
  const auto x = at::ones({1000}, at::TensorOptions().device(at::kCUDA));
  auto y = at::zeros({1000}, at::TensorOptions().device(at::kCUDA));
  const auto graph = ops().record([&] { y.add_(x); });
  y.zero_();
  for (int i = 0; i < 3; ++i) graph->replay();
  EXPECT_EQ(y.sum().item<float>(), 3000);
}

}  // namespace
}  // namespace fjord
