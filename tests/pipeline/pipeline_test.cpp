// What the public Pipeline promises beyond the right picture: defaults, errors, cancellation, latents and embeddings in
// and out, several threads, a scheduler of the caller's own.
#include "pipeline/test_models.h"
#include "schedulers/make_scheduler.h"

#include <fjord/pipeline.h>
#include <fjord/torch/scheduler.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

namespace fjord {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const Pipeline& tiny() {
  static const auto pipeline = Pipeline::load(testing::tiny_model());
  return pipeline;
}

Request small_request() {
  Request request;
  request.prompt = "a blue gem on a white background";
  request.width = request.height = 64;
  request.steps = 4;
  request.seed = 5;
  return request;
}

std::vector<std::uint8_t> picture(const Request& request) { return tiny().generate(request).images.at(0).pixels; }

// Runs `action`, which must throw; returns the Error.
template <typename Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return {ErrorCode::kInternal, ""};
}

TEST(PipelineTest, TellsDefaultsOfTheModel) {
  const auto& info = tiny().info();
  EXPECT_EQ(info.width, 128);
  EXPECT_EQ(info.height, 128);
  EXPECT_EQ(info.size_multiple, 8);
  EXPECT_EQ(info.steps, 25);
  EXPECT_EQ(info.guidance, 4.0);
  EXPECT_EQ(info.scheduler, "DDIMScheduler");
  EXPECT_EQ(info.max_tokens, 77);
  EXPECT_EQ(info.skip_connections, 6);
}

TEST(PipelineTest, ADroppedTextEncoderGivesTheSamePicture) {
  LoadOptions options;
  options.drop_text_encoder = true;
  const auto pipeline = Pipeline::load(testing::tiny_model(), options);
  const auto request = small_request();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(pipeline.generate(request).images.at(0).pixels, picture(request));
  EXPECT_EQ(pipeline.encode_prompt("a gem").positive.values, tiny().encode_prompt("a gem").positive.values);
}

TEST(PipelineTest, ResultCarriesTheEffectiveRequest) {
  Request request;
  request.prompt = "lava";
  request.decode = false;
  const auto result = tiny().generate(request);
  EXPECT_TRUE(result.images.empty());
  EXPECT_EQ(result.request.width, 128);
  EXPECT_EQ(result.request.steps, 25);
  EXPECT_EQ(result.request.guidance, 4.0);
  EXPECT_EQ(result.request.scheduler, "DDIMScheduler");
  EXPECT_EQ(result.latents.shape, (std::vector<std::int64_t>{1, 4, 16, 16}));
}

struct BadRequest {
  const char* name;
  void (*change)(Request&);
  const char* message;  // a part of it
};

class BadRequestTest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedAndTheNextGivesTheSamePicture) {
  const auto before = picture(small_request());
  auto request = small_request();
  GetParam().change(request);
  const auto error = error_of([&] { tiny().generate(request); });
  EXPECT_EQ(error.code(),
            std::string(GetParam().name) == "UnknownScheduler" ? ErrorCode::kUnsupported : ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  EXPECT_EQ(picture(small_request()), before);
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Fields, BadRequestTest,
    ::testing::Values(
        BadRequest{"Width7", [](Request& r) { r.width = 7; }, "width must be a multiple of 8"},
        BadRequest{"NegativeHeight", [](Request& r) { r.height = -8; }, "height must be a multiple of 8"},
        BadRequest{"HugeWidth", [](Request& r) { r.width = 1 << 30; }, "width must be"},
        BadRequest{"NegativeSteps", [](Request& r) { r.steps = -1; }, "steps must be from 1 to 1000, got -1"},
        BadRequest{"TooManySteps", [](Request& r) { r.steps = 1001; }, "steps must be from 1 to 1000"},
        BadRequest{"NanGuidance", [](Request& r) { r.guidance = kNan; }, "guidance must be"},
        BadRequest{"NegativeGuidance", [](Request& r) { r.guidance = -1; }, "guidance must be"},
        BadRequest{"NanRescale", [](Request& r) { r.guidance_rescale = kNan; }, "guidance_rescale must be"},
        BadRequest{"NoImages", [](Request& r) { r.images = 0; }, "images must be"},
        BadRequest{"UnknownScheduler", [](Request& r) { r.scheduler = "NoScheduler"; }, "DDIMScheduler"},
        BadRequest{"UnknownOption", [](Request& r) { r.scheduler_options["no_such"] = "1"; }, "no_such"},
        BadRequest{"NanTimestep",
                   [](Request& r) {
                     r.timesteps = {900, kNan};
                   },
                   "timesteps must be finite"},
        BadRequest{"RisingTimesteps",
                   [](Request& r) {
                     r.timesteps = {100, 900};
                     r.steps = 2;
                   },
                   "timesteps"},
        BadRequest{"LatentsOfWrongShape",
                   [](Request& r) {
                     r.latents = {{1, 4, 1, 1}, {0, 0, 0, 0}};
                   },
                   "latents must be"},
        BadRequest{"LatentsWithFewValues",
                   [](Request& r) {
                     r.latents = {{1, 4, 8, 8}, {0}};
                   },
                   "needs 256 values"},
        BadRequest{"InfiniteLatents",
                   [](Request& r) {
                     r.latents = {{1, 4, 8, 8}, std::vector<float>(256, INFINITY)};
                   },
                   "latents must be finite"},
        BadRequest{"EmbeddingsOfWrongWidth",
                   [](Request& r) {
                     r.embeddings.positive = {{1, 1, 3}, {0, 0, 0}};
                   },
                   "embeddings.positive must be"},
        BadRequest{"GuidanceIntervalBackwards",
                   [](Request& r) {
                     r.approximation.guidance_begin = 0.6;
                     r.approximation.guidance_end = 0.4;
                   },
                   "guidance interval must lie within 0 to 1 and not run backwards, got 0.6 to 0.4"},
        BadRequest{"NanGuidanceBegin", [](Request& r) { r.approximation.guidance_begin = kNan; }, "guidance interval"},
        BadRequest{"GuidanceEndAboveOne", [](Request& r) { r.approximation.guidance_end = 1.1; }, "guidance interval"},
        BadRequest{"GuidanceEveryZero", [](Request& r) { r.approximation.guidance_every = 0; },
                   "guidance_every must be from 1 to 1000, got 0"},
        BadRequest{"CacheIntervalZero", [](Request& r) { r.approximation.cache_interval = 0; },
                   "cache_interval must be from 1 to 1000, got 0"},
        BadRequest{"CacheBranchTooDeep", [](Request& r) { r.approximation.cache_branch = 6; },
                   "cache_branch must be from 0 to 5, got 6"},
        BadRequest{"TextGateZero", [](Request& r) { r.approximation.text_gate = 0; },
                   "text_gate must be above 0 and at most 1, got 0"},
        BadRequest{"NanTextGate", [](Request& r) { r.approximation.text_gate = kNan; }, "text_gate must be"},
        BadRequest{"MergeRatioOne", [](Request& r) { r.approximation.merge_ratio = 1; },
                   "merge_ratio must be from 0 to 0.75, got 1"},
        BadRequest{"NanMergeRatio", [](Request& r) { r.approximation.merge_ratio = kNan; }, "merge_ratio must be"},
        BadRequest{"LongText", [](Request& r) { r.prompt.assign(70000, 'a'); }, "65536"},
        BadRequest{"InvalidUtf8", [](Request& r) { r.prompt = "a \xff b"; }, "UTF-8"}),
    [](const auto& item) { return std::string(item.param.name); });

TEST(PipelineTest, LongPromptLeavesAWarning) {
  auto request = small_request();
  for (int i = 0; i < 100; ++i) request.prompt += " red";
  const auto warnings = tiny().generate(request).warnings;
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("cut to 77"));
}

TEST(PipelineTest, LatentsGoInAndOut) {
  auto request = small_request();
  request.latents = tiny().start(request).latents();
  request.seed = 999;  // no longer matters
  EXPECT_EQ(picture(request), picture(small_request()));
}

TEST(PipelineTest, EmbeddingsReplacePrompts) {
  auto request = small_request();
  request.negative_prompt = "a tree";
  const auto wanted = picture(request);
  request.embeddings = tiny().encode_prompt(request.prompt, request.negative_prompt);
  request.prompt = request.negative_prompt = "something else";
  EXPECT_EQ(picture(request), wanted);
}

TEST(PipelineTest, WithoutGuidanceTheNegativePromptIsNotLookedAt) {
  for (const double guidance : {0.0, 0.5, 1.0}) {
    auto request = small_request();
    request.guidance = guidance;
    const auto wanted = picture(request);
    request.embeddings.negative = {{1, 1, 1}, {0}};  // would not fit
    EXPECT_EQ(picture(request), wanted) << guidance;
  }
}

TEST(PipelineTest, PerImageSeedsEqualSingleRuns) {
  auto request = small_request();
  request.images = 2;
  request.per_image_seeds = true;
  const auto both = tiny().generate(request);
  for (int i = 0; i < 2; ++i) {
    auto one = small_request();
    one.seed += static_cast<std::uint64_t>(i);
    const auto single = picture(one);
    const auto& pixels = both.images.at(static_cast<size_t>(i)).pixels;
    ASSERT_EQ(pixels.size(), single.size());
    int largest = 0;
    for (size_t p = 0; p < pixels.size(); ++p) largest = std::max(largest, std::abs(pixels[p] - single[p]));
    EXPECT_LE(largest, 1) << "image " << i;  // a batch may round its sums in another order
  }
}

TEST(PipelineTest, StepByStepEqualsGenerate) {
  auto generation = tiny().start(small_request());
  int steps = 1;
  while (generation.advance()) ++steps;
  EXPECT_EQ(steps, 4);
  EXPECT_EQ(generation.progress().step, 4);
  EXPECT_EQ(generation.finish().images.at(0).pixels, picture(small_request()));
  EXPECT_EQ(generation.progress().phase, Phase::kDone);
}

TEST(PipelineTest, PreviewOfTheLastStepIsNearTheResultAndChangesNothing) {
  auto generation = tiny().start(small_request());
  std::vector<Image> preview;
  while (generation.progress().step < 4) {
    generation.advance();
    preview = generation.preview();
  }
  const auto result = generation.finish().images.at(0).pixels;
  EXPECT_EQ(result, picture(small_request()));
  double difference = 0;
  for (size_t i = 0; i < result.size(); ++i) difference += std::abs(result[i] - preview.at(0).pixels[i]);
  EXPECT_LT(difference / static_cast<double>(result.size()), 3.0);
}

TEST(PipelineTest, ObserverSeesEveryStepOnce) {
  std::vector<int> steps;
  std::vector<Phase> phases;
  tiny().generate(small_request(), [&](const Progress& progress, const Generation&) {
    steps.push_back(progress.step);
    phases.push_back(progress.phase);
    EXPECT_EQ(progress.steps, 4);
    return true;
  });
  EXPECT_THAT(steps, ::testing::ElementsAre(0, 1, 2, 3, 4, 4));
  EXPECT_EQ(phases.back(), Phase::kDone);
}

TEST(PipelineTest, ObserverCancels) {
  const auto wanted = picture(small_request());
  int last = 0;
  const auto error = error_of([&] {
    tiny().generate(small_request(), [&](const Progress& progress, const Generation&) {
      last = progress.step;
      return progress.step < 2;
    });
  });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_EQ(last, 2);
  EXPECT_EQ(picture(small_request()), wanted);
}

TEST(PipelineTest, CancelFromAnotherThread) {
  auto request = small_request();
  request.steps = 500;
  auto generation = tiny().start(request);
  generation.advance();
  std::thread([&] { generation.cancel(); }).join();
  EXPECT_EQ(error_of([&] { generation.finish(); }).code(), ErrorCode::kCancelled);
}

TEST(PipelineTest, ThreadsShareOnePipeline) {
  const auto wanted = picture(small_request());
  std::vector<std::vector<std::uint8_t>> pictures(4);
  std::vector<std::thread> threads;
  for (auto& pixels : pictures) threads.emplace_back([&pixels] { pixels = picture(small_request()); });
  for (auto& thread : threads) thread.join();
  for (const auto& pixels : pictures) EXPECT_EQ(pixels, wanted);
}

TEST(PipelineTest, BFloat16IsNearFloat32) {
  LoadOptions options;
  options.precision = Precision::kBFloat16;
  const auto pixels = Pipeline::load(testing::tiny_model(), options).generate(small_request()).images.at(0).pixels;
  const auto wanted = picture(small_request());
  double difference = 0;
  for (size_t i = 0; i < wanted.size(); ++i) difference += std::abs(wanted[i] - pixels[i]);
  EXPECT_LT(difference / static_cast<double>(wanted.size()), 8.0);
  EXPECT_NE(pixels, wanted);
}

// A scheduler of the caller's own: it hands everything to one of fjord's, but ends in NaN when told to.
class OwnScheduler : public Scheduler {
 public:
  OwnScheduler(const std::string& inner, double poison) : poison_(poison) {
    config::Scheduler config;
    config.class_name = inner;
    config.prediction_type = "v_prediction";
    config.beta_schedule = "scaled_linear";
    config.beta_start = 0.00085;
    config.beta_end = 0.012;
    config.clip_sample = false;
    config.set_alpha_to_one = false;
    config.steps_offset = 1;
    inner_ = schedulers::make_scheduler(config);
  }

  class Run : public SchedulerRun {
   public:
    Run(std::unique_ptr<SchedulerRun> inner, double poison) : inner_(std::move(inner)), poison_(poison) {}
    const std::vector<double>& timesteps() const override { return inner_->timesteps(); }
    at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                    const DrawNoise& draw_noise) override {
      return inner_->step(prediction, i, sample, draw_noise) + poison_;
    }
    at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
      return inner_->predict_clean(prediction, i, sample);
    }
    at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
      return inner_->add_noise(clean, noise, i);
    }

   private:
    std::unique_ptr<SchedulerRun> inner_;
    double poison_;
  };

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    return std::make_unique<Run>(inner_->start(plan), poison_);
  }
  std::int64_t num_train_timesteps() const override { return 1000; }
  std::string name() const override { return "OwnScheduler"; }

 private:
  std::shared_ptr<const Scheduler> inner_;
  double poison_;
};

TEST(PipelineTest, TakesASchedulerOfTheCallersOwn) {
  auto request = small_request();
  request.custom_scheduler = std::make_shared<OwnScheduler>("DDIMScheduler", 0.0);
  EXPECT_EQ(picture(request), picture(small_request()));
}

TEST(PipelineTest, NanInLatentsIsAnErrorWithTheStep) {
  auto request = small_request();
  request.custom_scheduler = std::make_shared<OwnScheduler>("DDIMScheduler", kNan);
  const auto error = error_of([&] { tiny().generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kNonFinite);
  EXPECT_THAT(error.what(), HasSubstr("after step 1 of 4"));
}

TEST(PipelineLoadTest, MissingFolderIsNotFound) {
  EXPECT_EQ(error_of([] { Pipeline::load("/no/such/model"); }).code(), ErrorCode::kNotFound);
}

TEST(PipelineLoadTest, UnknownDeviceAndAbsentDevice) {
  LoadOptions options;
  options.device = "gpu";
  EXPECT_EQ(error_of([&] { Pipeline::load(testing::tiny_model(), options); }).code(), ErrorCode::kInvalidArgument);
  options.device = "cuda:1";
  EXPECT_EQ(error_of([&] { Pipeline::load(testing::tiny_model(), options); }).code(), ErrorCode::kDeviceUnavailable);
}

TEST(PipelineLoadTest, Float16NeedsAGpu) {
  LoadOptions options;
  options.precision = Precision::kFloat16;
  EXPECT_EQ(error_of([&] { Pipeline::load(testing::tiny_model(), options); }).code(), ErrorCode::kUnsupported);
}

// A copy of the random model in which one file is changed.
class BrokenModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::random_model() + "-broken";
    fs::copy(testing::random_model(), folder_, fs::copy_options::recursive);
  }
  void TearDown() override { fs::remove_all(folder_); }
  Error load_error() {
    return error_of([this] { Pipeline::load(folder_); });
  }
  void replace(const std::string& file, const std::string& from, const std::string& to) {
    std::ifstream in(folder_ + "/" + file);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    std::ofstream(folder_ + "/" + file) << text.replace(at, from.size(), to);
  }

  std::string folder_;
};

TEST_F(BrokenModelTest, TruncatedWeights) {
  const auto file = folder_ + "/unet/diffusion_pytorch_model.safetensors";
  fs::resize_file(file, fs::file_size(file) / 2);
  const auto error = load_error();
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("truncated"));
}

TEST_F(BrokenModelTest, WeightsOfAnotherShape) {
  replace("unet/config.json", "\"in_channels\": 4", "\"in_channels\": 5");
  const auto error = load_error();
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("conv_in.weight: file [32, 4, 3, 3], model [32, 5, 3, 3]"));
}

TEST_F(BrokenModelTest, MissingPart) {
  fs::remove(folder_ + "/vae/diffusion_pytorch_model.safetensors");
  EXPECT_EQ(load_error().code(), ErrorCode::kNotFound);
}

TEST_F(BrokenModelTest, AnotherPipelineClass) {
  replace("model_index.json", "\"StableDiffusionPipeline\"", "\"FluxPipeline\"");
  EXPECT_EQ(load_error().code(), ErrorCode::kUnsupported);
}

TEST_F(BrokenModelTest, UnsupportedConfigValueIsNamed) {
  replace("unet/config.json", "\"attention_type\": \"default\"", "\"attention_type\": \"gated\"");
  const auto error = load_error();
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("attention_type"));
}

}  // namespace
}  // namespace fjord
