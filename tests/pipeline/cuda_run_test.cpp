// Whole requests on a GPU's ways, with a stand-in for the GPU: the pictures are those of the plain way, and what does
// not serve is said.
#include "pipeline/control_networks.h"
#include "pipeline/memory_plan.h"
#include "pipeline/offload.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "support/fake_cuda.h"

#include <fjord/pipeline.h>

#include <c10/util/Exception.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace fjord::pipeline {
namespace {

using ::fjord::testing::error_of;
using ::fjord::testing::FakeCuda;
using ::fjord::testing::tiny_model;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kSteps = 6;
constexpr double kRounding = 2e-4;  // float32 sums in another order, over the steps of a request

LoadOptions options_with(const std::string& paths) {
  LoadOptions options;
  options.cpu_kernels = "reference";
  options.precision = Precision::kFloat32;
  options.cuda_paths = paths;
  return options;
}

Request small_request(const std::string& prompt = "a blue gem on a white background") {
  Request request;
  request.prompt = prompt;
  request.width = request.height = 64;
  request.steps = kSteps;
  request.seed = 5;
  return request;
}

double error_of_latents(const Result& result, const Result& expected) {
  const auto &x = result.latents.values, &y = expected.latents.values;
  EXPECT_EQ(x.size(), y.size());
  double most = 0, largest = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    most = std::max(most, static_cast<double>(std::abs(x[i] - y[i])));
    largest = std::max(largest, static_cast<double>(std::abs(y[i])));
  }
  return most / largest;
}

// Made without any GPU.
Result plain(const Request& request) {
  static const auto pipeline = Pipeline::load(tiny_model(), options_with("auto"));
  return pipeline.generate(request);
}

class CudaRunTest : public ::testing::Test {
 protected:
  static Pipeline load(const std::string& paths) { return Pipeline::load(tiny_model(), options_with(paths)); }
  // The request's result there and that of the plain way agree.
  static Result expect_plain(const Pipeline& pipeline, const Request& request, const Result& expected) {
    auto result = pipeline.generate(request);
    EXPECT_LE(error_of_latents(result, expected), kRounding);
    return result;
  }
  testing::FakeCudaCounts& counts() { return gpu_.counts(); }

  Result expected_ = plain(small_request());  // before there is a GPU
  Result other_ = plain(small_request("a gold crown on red cloth"));
  FakeCuda gpu_;
};

TEST_F(CudaRunTest, EveryWayGivesThePlainPicture) {
  for (const char* paths : {"none", "graph", "update", "sums", "projections", "upsampling", "products", "convolutions",
                            "graph,update", "auto"}) {
    SCOPED_TRACE(paths);
    const auto result = expect_plain(load(paths), small_request(), expected_);
    EXPECT_THAT(result.notes, IsEmpty());
    EXPECT_EQ(result.images.size(), 1U);
  }
}

TEST_F(CudaRunTest, OtherNamesAreRefused) {
  const auto error = error_of([&] { load("graph,fast"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
}

TEST_F(CudaRunTest, AGraphServesAllRequestsOfItsShapes) {
  const auto pipeline = load("graph");
  expect_plain(pipeline, small_request(), expected_);
  EXPECT_EQ(counts().records, 1);
  EXPECT_EQ(counts().replays, 1 + kSteps - 2);  // compared once; the first evaluations run plainly
  counts().replays = 0;
  expect_plain(pipeline, small_request("a gold crown on red cloth"), other_);
  EXPECT_EQ(counts().records, 1);
  EXPECT_EQ(counts().replays, kSteps);
}

TEST_F(CudaRunTest, ATimetableOfAnotherLengthNeedsNoOtherGraph) {
  auto request = small_request();
  request.steps = 9;
  request.scheduler = "EulerAncestralDiscreteScheduler";
  const auto pipeline = load("graph,update");
  expect_plain(pipeline, small_request(), expected_);
  const auto result = pipeline.generate(request);
  EXPECT_EQ(counts().records, 1);
  const auto without = load("none").generate(request);
  EXPECT_LE(error_of_latents(result, without), kRounding);
}

TEST_F(CudaRunTest, OtherShapesAreRecordedForThemselves) {
  auto unguided = small_request();
  unguided.guidance = 1;
  auto wider = small_request();
  wider.width = 128;
  const auto pipeline = load("graph"), none = load("none");
  for (const auto& request : {small_request(), unguided, wider}) {
    expect_plain(pipeline, request, none.generate(request));
  }
  EXPECT_EQ(counts().records, 3);
}

// Two requests side by side have a graph each, and later requests find both.
TEST_F(CudaRunTest, RequestsSideBySideDoNotMix) {
  const auto pipeline = load("auto");
  expect_plain(pipeline, small_request(), expected_);
  auto first = pipeline.start(small_request()), second = pipeline.start(small_request("a gold crown on red cloth"));
  for (int i = 0; i < kSteps; ++i) {
    first.advance();
    second.advance();
  }
  EXPECT_LE(error_of_latents(first.finish(), expected_), kRounding);
  EXPECT_LE(error_of_latents(second.finish(), other_), kRounding);
  EXPECT_EQ(counts().records, 2);
}

TEST_F(CudaRunTest, GuidanceThatVariesHasAGraphForEachOfItsShapes) {
  auto request = small_request();
  request.steps = 10;
  request.approximation.guidance_begin = 0.2;
  request.approximation.guidance_end = 0.7;
  const auto none = load("none").generate(request);
  expect_plain(load("auto"), request, none);
  EXPECT_EQ(counts().records, 2);
}

TEST_F(CudaRunTest, PerturbedGuidanceIsRecordedForItsRequestAlone) {
  auto request = small_request();
  request.steps = 8;
  request.guidance_options.perturbed_scale = 2;
  const auto none = load("none").generate(request);
  const auto pipeline = load("auto");
  for (int i = 1; i <= 2; ++i) {
    expect_plain(pipeline, request, none);
    EXPECT_EQ(counts().records, i);
  }
  request.steps = kSteps;  // not worth it
  pipeline.generate(request);
  EXPECT_EQ(counts().records, 2);
}

TEST_F(CudaRunTest, ControlNetworksSpeakToTheGraph) {
  auto request = small_request();
  request.steps = 8;
  Image picture;
  picture.width = picture.height = 64;
  for (int i = 0; i < 64 * 64 * 3; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 7 % 256));
  const auto result_of = [&](const std::string& paths) {
    const auto pipeline = load(paths);
    ControlUse use;
    use.control = pipeline.load_control(fjord::testing::control_folder("tiny_net"));
    use.image = picture;
    use.end = 0.6;
    request.controls = {use};
    return pipeline.generate(request);
  };
  const auto none = result_of("none");
  EXPECT_LE(error_of_latents(result_of("auto"), none), kRounding);
  EXPECT_EQ(counts().records, 2);  // with its maps, and without
}

TEST_F(CudaRunTest, SaysWhatIsNotRecorded) {
  const auto pipeline = load("auto");
  auto merging = small_request();
  merging.approximation.merge_ratio = 0.5;
  EXPECT_THAT(pipeline.generate(merging).notes, Contains("token merging runs without a graph"));
  auto caching = small_request();
  caching.approximation.cache_interval = 2;
  EXPECT_THAT(pipeline.generate(caching).notes, Contains("approximations that reuse features run without a graph"));
  EXPECT_EQ(counts().records, 0);
  EXPECT_THAT(load("none").generate(merging).notes, IsEmpty());
}

TEST_F(CudaRunTest, WhatCannotBeRecordedRunsPlainly) {
  const auto pipeline = load("graph");
  gpu_.before_recording() = [] { TORCH_CHECK(false, "operation not permitted when stream is capturing"); };
  for (int i = 0; i < 2; ++i) {
    const auto result = expect_plain(pipeline, small_request(), expected_);
    EXPECT_THAT(result.notes, Contains(HasSubstr("could not be recorded and runs without a graph: operation not")));
  }
  EXPECT_EQ(counts().records, 1);  // not tried again
  EXPECT_EQ(counts().replays, 0);
}

TEST_F(CudaRunTest, AGraphWithoutMemoryRunsPlainly) {
  const auto pipeline = load("graph");
  gpu_.before_recording() = [] { TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory"); };
  const auto result = expect_plain(pipeline, small_request(), expected_);
  EXPECT_THAT(result.notes, Contains(HasSubstr("no memory for a graph")));
}

TEST_F(CudaRunTest, AGraphThatGivesSomethingElseIsNotUsed) {
  const auto pipeline = load("graph");
  gpu_.after_replay() = [](const at::Tensor& output) { output.mul_(1.01); };
  const auto result = expect_plain(pipeline, small_request(), expected_);
  EXPECT_THAT(result.notes, Contains(HasSubstr("gave another result than the plain way")));
  EXPECT_EQ(counts().replays, 1);
}

TEST_F(CudaRunTest, AStepIsOneSum) {
  const auto pipeline = load("update");
  expect_plain(pipeline, small_request(), expected_);
  EXPECT_EQ(counts().combines, kSteps);
  EXPECT_EQ(counts().marks, kSteps);
  EXPECT_EQ(counts().waits, kSteps);
  EXPECT_LE(counts().most_ahead, 3);  // two that are not waited for, and the newest
}

TEST_F(CudaRunTest, SolversThatLookBackAndDrawAreSumsAsWell) {
  const auto none = load("none"), pipeline = load("update");
  for (const char* name : {"DPMSolverMultistepScheduler", "DEISMultistepScheduler", "HeunDiscreteScheduler",
                           "EulerAncestralDiscreteScheduler", "EulerDiscreteScheduler", "LCMScheduler"}) {
    SCOPED_TRACE(name);
    auto request = small_request();
    request.scheduler = name;
    counts().combines = 0;
    const auto result = expect_plain(pipeline, request, none.generate(request));
    EXPECT_GE(counts().combines, kSteps);
    EXPECT_THAT(result.notes, IsEmpty());
  }
}

TEST_F(CudaRunTest, SaysWhatIsNoSum) {
  const auto none = load("none"), pipeline = load("update");
  auto clipped = small_request();
  clipped.scheduler_options["clip_sample"] = "true";
  auto result = expect_plain(pipeline, clipped, none.generate(clipped));
  EXPECT_THAT(result.notes, Contains(HasSubstr("the scheduler's step is no sum")));
  auto correcting = small_request();
  correcting.scheduler = "UniPCMultistepScheduler";  // corrects by all that went before
  result = expect_plain(pipeline, correcting, none.generate(correcting));
  EXPECT_THAT(result.notes, Contains(HasSubstr("the scheduler's step is no sum")));
  auto rescaled = small_request();
  rescaled.guidance_rescale = 0.7;
  result = expect_plain(pipeline, rescaled, none.generate(rescaled));
  EXPECT_THAT(result.notes, Contains(HasSubstr("guidance of this request is no sum")));
  EXPECT_EQ(counts().waits, 3 * kSteps);  // and yet nobody waits within the loop
}

TEST_F(CudaRunTest, NaNIsFoundAtItsStep) {
  auto request = small_request();
  request.latents = {{1, 4, 8, 8}, std::vector<float>(4 * 8 * 8, 3e38F)};
  const auto message = error_of([&] { load("none").generate(request); });
  EXPECT_EQ(message.code(), ErrorCode::kNonFinite);
  for (const char* paths : {"update", "auto"}) {
    const auto pipeline = load(paths);
    const auto error = error_of([&] { pipeline.generate(request); });
    EXPECT_EQ(error.code(), ErrorCode::kNonFinite);
    EXPECT_STREQ(error.what(), message.what());
    expect_plain(pipeline, small_request(), expected_);
  }
}

TEST_F(CudaRunTest, PreviewsAndMasksSeeTheSummedSteps) {
  const auto none = load("none"), pipeline = load("auto");
  auto a = none.start(small_request()), b = pipeline.start(small_request());
  for (int i = 0; i < 3; ++i) {
    a.advance();
    b.advance();
  }
  const auto expected = a.preview().at(0).pixels, seen = b.preview().at(0).pixels;
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(expected[i], seen[i], 1) << i;
  auto request = small_request();
  request.image_input.images = expected_.images;
  request.image_input.strength = 0.7;
  request.image_input.inpaint.mask.width = request.image_input.inpaint.mask.height = 64;
  request.image_input.inpaint.mask.values.assign(64 * 64, 0);
  std::fill_n(request.image_input.inpaint.mask.values.begin(), 64 * 32, std::uint8_t{255});
  expect_plain(pipeline, request, none.generate(request));
}

TEST_F(CudaRunTest, WhatTheGpuLearnedIsNoted) {
  gpu_.learned() = {"cuBLASLt does not serve a product"};
  EXPECT_THAT(load("auto").generate(small_request()).notes, Contains("cuBLASLt does not serve a product"));
}

// Parts of 10, 20 and 30 MB, of which 1 MB each stays and the largest tensor is 2 MB.
constexpr std::uint64_t kMb = 1 << 20;
ModelBytes example_bytes() {
  const auto part = [](std::uint64_t all) { return WeightBytes{all * kMb, kMb, 2 * kMb}; };
  return {.text = part(10), .unet = part(30), .vae = part(20)};
}

TEST(OffloadTest, TheLeastThatFitsIsChosen) {
  const auto model = example_bytes();
  const RequestBytes request{.denoising = 5 * kMb, .decoding = 8 * kMb};
  EXPECT_EQ(choose_offload(0, model, request), Offload::kNone);
  EXPECT_EQ(choose_offload(68 * kMb, model, request), Offload::kNone);       // 60 + 8
  EXPECT_EQ(choose_offload(68 * kMb - 1, model, request), Offload::kParts);  // 30 + 2 + (8 + 4)
  EXPECT_EQ(choose_offload(44 * kMb, model, request), Offload::kParts);
  EXPECT_EQ(choose_offload(44 * kMb - 1, model, request), Offload::kLayers);  // 3 + (8 + 4)
  EXPECT_EQ(choose_offload(15 * kMb, model, request), Offload::kLayers);
  const auto error = error_of([&] { choose_offload(15 * kMb - 1, model, request); });
  EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  EXPECT_THAT(error.what(), HasSubstr("memory_budget allows 14 MiB"));
}

TEST_F(CudaRunTest, AModelKeepsToItsBudget) {
  const auto whole = load("auto").plan(small_request());
  EXPECT_EQ(whole.offload, Offload::kNone);
  auto options = options_with("auto");
  std::vector<Offload> seen;
  for (auto budget = whole.peak + 8 * kMb; budget > kMb && seen.size() < 3; budget -= 2 * kMb) {
    options.memory_budget = budget;
    try {
      const auto pipeline = Pipeline::load(tiny_model(), options);
      const auto offload = pipeline.plan(small_request()).offload;
      if (!seen.empty() && seen.back() == offload) continue;
      seen.push_back(offload);
      counts() = {};
      const auto result = expect_plain(pipeline, small_request(), expected_);
      EXPECT_LE(pipeline.plan(small_request()).peak, budget);
      const auto plan = pipeline.plan(small_request());
      EXPECT_EQ(counts().records, plan.graph ? 1 : 0);
      EXPECT_EQ(result.notes.empty(), plan.graph);
      EXPECT_EQ(counts().uploads > 10, offload != Offload::kNone);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory) << error.what();
      break;
    }
  }
  EXPECT_EQ(seen, (std::vector{Offload::kNone, Offload::kParts, Offload::kLayers}));
}

}  // namespace
}  // namespace fjord::pipeline
