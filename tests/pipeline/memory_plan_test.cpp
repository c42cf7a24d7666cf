// The closed form against what the networks really hold at once: every tensor comes from LibTorch's CPU allocator while
// no pool is active, so a counting one sees them all.
#include "pipeline/memory_plan.h"

#include "core/device.h"
#include "core/parallel.h"
#include "kernels/cpu/kernels.h"
#include "loading/config_json.h"
#include "loading/source.h"
#include "models/vae/autoencoder_kl.h"
#include "support/error_of.h"

#include <fjord/pipeline.h>

#include <c10/core/CPUAllocator.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <new>

namespace fjord::pipeline {
namespace {

using ::testing::HasSubstr;

class CountingAllocator : public at::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    void* const memory = ::operator new (bytes + kHeader, std::align_val_t{kHeader});
    *static_cast<size_t*>(memory) = bytes;
    const auto now = live_ += bytes;
    for (auto most = most_.load(); now > most && !most_.compare_exchange_weak(most, now);) {
    }
    void* const data = static_cast<char*>(memory) + kHeader;
    return {data, data, &CountingAllocator::drop, at::kCPU};
  }
  at::DeleterFnPtr raw_deleter() const override { return &CountingAllocator::drop; }
  void copy_data(void* target, const void* source, std::size_t bytes) const override {
    default_copy_data(target, source, bytes);
  }

  // The most that was live at once while `f` ran, besides what was live before.
  template <typename F>
  std::uint64_t peak_of(const F& f) {
    const auto before = live_.load();
    most_ = before;
    c10::SetCPUAllocator(this, 100);
    f();
    c10::SetCPUAllocator(c10::GetDefaultCPUAllocator(), 100);
    return most_ - before;
  }

 private:
  static constexpr size_t kHeader = 64;  // before the data: their size

  static void drop(void* data) {
    if (data == nullptr) return;
    void* const memory = static_cast<char*>(data) - kHeader;
    live_ -= *static_cast<size_t*>(memory);
    ::operator delete (memory, std::align_val_t{kHeader});
  }

  inline static std::atomic<std::uint64_t> live_ = 0, most_ = 0;
};

// Lives for ever: tensors of LibTorch's own may outlive the tests.
CountingAllocator& counter() {
  static auto* const allocator = new CountingAllocator;
  return *allocator;
}

std::string config_text(const std::string& name) {
  const auto source = loading::open_folder(FJORD_TEST_DATA "/keys");
  return loading::read_text(*source, name + ".json", 1 << 20);
}

// A published model with a quarter of its channels (in groups of 8), so that the test is quick.
config::UNet small_unet(const std::string& name) {
  auto config = loading::read_unet_config(config_text(name), name);
  for (auto& channels : config.block_out_channels) channels /= 4;
  config.norm_num_groups = 8;
  return config;
}

config::Vae small_vae() {
  auto config = loading::read_vae_config(config_text("vae_sd15"), "vae_sd15");
  for (auto& channels : config.block_out_channels) channels /= 4;
  config.norm_num_groups = 8;
  return config;
}

void fill(nn::Module& network, bool packed) {
  for (const auto& [name, tensor] : network.named_parameters()) tensor->fill_(0.01);
  if (packed) network.pack_all(*kernels::supported_cpu_kernels().front());
}

double ratio(std::uint64_t predicted, std::uint64_t measured) {
  return static_cast<double>(predicted) / static_cast<double>(measured);
}

// The form allows a sixteenth for what lies idle in a pool, and does not follow small tensors.
constexpr double kTolerance = 0.15;
constexpr int kThreads = 2;  // on any machine: what convolutions hold transformed grows with them

Compute own_kernels() {
  return {.element_bytes = 4, .fused = true, .transformed_bytes = std::int64_t{parallel_workers()} * 8 << 20};
}

TEST(MemoryPlanTest, FollowsTheUNet) {
  const ThreadLimit threads(kThreads);
  const c10::InferenceMode inference;
  for (const char* name : {"unet_sd15", "unet_sd21"}) {
    for (const MapSize& size : {MapSize{32, 32}, {24, 16}}) {
      const auto config = small_unet(name);
      models::UNet2DConditionModel unet(config, at::TensorOptions().dtype(at::kFloat));
      fill(unet, true);
      models::RunMemory memory;
      memory.timesteps = {500};
      models::UNetInput input;
      input.sample = at::ones({2, 4, size.height, size.width});
      input.timestep = 500;
      input.encoder_hidden_states = at::ones({2, 77, config.cross_attention_dim.front()});
      input.memory = &memory;
      const auto measured = counter().peak_of([&] { unet.forward(input); });
      const auto predicted = unet_memory(config, 2, size, 77, own_kernels());
      EXPECT_NEAR(ratio(predicted, measured), 1, kTolerance) << name << " " << size.height << " " << measured;
    }
  }
}

TEST(MemoryPlanTest, FollowsTheDecoder) {
  const ThreadLimit threads(kThreads);
  const c10::InferenceMode inference;
  const auto config = small_vae();
  models::AutoencoderKL vae(config, at::TensorOptions().dtype(at::kFloat));
  fill(vae, true);
  for (const MapSize& size : {MapSize{32, 32}, {48, 16}}) {
    const auto latents = at::ones({1, 4, size.height, size.width});
    const auto measured = counter().peak_of([&] { vae.decode(latents); });
    const auto predicted = decoder_memory(config, size, own_kernels());
    EXPECT_NEAR(ratio(predicted, measured), 1, kTolerance) << size.height << " " << measured;
  }
}

class BudgetTest : public ::testing::Test {
 protected:
  const Pipeline pipeline_ = Pipeline::load(FJORD_SOURCE_DIR "/weights/tiny");
  static Request request(int side, int images) {
    Request request;
    request.prompt = "a gold crown on red cloth";
    request.steps = 1;
    request.width = request.height = side;
    request.images = images;
    return request;
  }
};

TEST_F(BudgetTest, PlanGrowsWithTheRequest) {
  const auto small = pipeline_.plan(request(128, 1)), large = pipeline_.plan(request(256, 1));
  EXPECT_GT(small.weights, std::uint64_t{5} << 20);  // 11.8 MB of float16, and as float32 twice that
  EXPECT_EQ(small.weights, large.weights);
  EXPECT_GT(large.denoising, small.denoising);
  EXPECT_GT(large.decoding, small.decoding);
  EXPECT_EQ(large.peak, large.weights + std::max(large.denoising, large.decoding));
  EXPECT_FALSE(large.vae_tiling);
  EXPECT_GT(pipeline_.plan(request(128, 8)).denoising, small.denoising);
}

TEST_F(BudgetTest, ChoosesTilesThenRefuses) {
  auto wanted = request(256, 1);
  wanted.guidance = 1;
  const auto whole = pipeline_.plan(wanted);
  wanted.memory_budget = whole.peak;
  EXPECT_FALSE(pipeline_.plan(wanted).vae_tiling);
  wanted.memory_budget = whole.peak - 1;
  const auto tiled = pipeline_.plan(wanted);
  EXPECT_TRUE(tiled.vae_tiling);
  EXPECT_LE(tiled.peak, wanted.memory_budget);
  EXPECT_TRUE(pipeline_.generate(wanted).request.vae_tiling);
  wanted.memory_budget = whole.weights + 1;
  const auto error = testing::error_of([&] { pipeline_.generate(wanted); });
  EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  EXPECT_THAT(error.what(), HasSubstr("memory_budget allows"));
  EXPECT_EQ(pipeline_.generate(request(128, 1)).images.size(), 1U);
}

}  // namespace
}  // namespace fjord::pipeline
