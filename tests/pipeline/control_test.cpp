// Pictures that ControlNets and T2I-Adapters steer, against diffusers' pipelines, and requests that are refused.
// Expected values: tests/reference/control.py.
#include "pipeline/control_requests.h"
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <future>

namespace fjord::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kFolder[] = "control";
// Levels of 255 on average; parity allows 0.005, of 0.5 % of the values by one.
constexpr double kOtherPicture = 0.05, kNoNetwork = 1.0;

const Json& all_cases() {
  static const auto cases = read_cases(kFolder);
  return cases;
}

ControlUse make_use(const Json& json, const Pipeline& pipeline) {
  ControlUse use;
  use.control = load_control(pipeline, json.at("net"));
  use.image = blotches(json.at("picture")[0], json.at("picture")[1], json.at("picture")[2]);
  use.scale = json.value("scale", 1.0);
  use.begin = json.value("begin", 0.0);
  use.end = json.value("end", 1.0);
  use.hide_painted = json.value("hide", false);
  return use;
}

Request make_control_request(const Json& json, const Pipeline& pipeline) {
  auto request = make_task_request(json);
  for (const auto& each : json.at("controls")) request.controls.push_back(make_use(each, pipeline));
  request.guess_mode = json.value("guess", false);
  return request;
}

class ControlParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ControlParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto& pipeline = control_model(json.at("model"));
  expect_pictures(pipeline.generate(make_control_request(json, pipeline)).images, recorded_images(kFolder, GetParam()));
}

// What the comparison above is worth: without the networks, and with other pictures for them, it would fail.
TEST_P(ControlParityTest, PicturesWouldTellDeafness) {
  const auto& json = all_cases().at(GetParam());
  const auto& pipeline = control_model(json.at("model"));
  const auto expected = recorded_images(kFolder, GetParam());
  auto request = make_control_request(json, pipeline);
  for (auto& use : request.controls) use.image = blotches(use.image.width, use.image.height, 77);
  EXPECT_GE(mean_difference(pipeline.generate(request).images, expected), kOtherPicture);
  request.controls.clear();
  request.guess_mode = false;
  EXPECT_GE(mean_difference(pipeline.generate(request).images, expected), kNoNetwork);
}

INSTANTIATE_TEST_SUITE_P(Cases, ControlParityTest, ::testing::ValuesIn(case_names(all_cases())),
                         [](const auto& each) { return each.param; });

struct BadUse {
  const char* name;
  void (*change)(Request&);
  const char* message;
};

class BadControlTest : public ::testing::TestWithParam<BadUse> {};

// One sentence, and the next good request gives the same picture.
TEST_P(BadControlTest, IsRefused) {
  static const auto good = pixels(request_with("tiny_net"));
  auto request = request_with("tiny_net");
  GetParam().change(request);
  const auto error = error_of([&] { pixels(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(error_of([&] { control_model("tiny").plan(request); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(pixels(request_with("tiny_net")), good);
}

void put_into_a_hole(Request& request) {
  request.image_input.images = {blotches(64, 32, 1)};
  request.image_input.inpaint.mask = blob(64, 32, {16, 8, 40, 30});
}

INSTANTIATE_TEST_SUITE_P(
    All, BadControlTest,
    ::testing::Values(
        BadUse{"empty", [](Request& r) { r.controls[0].control = {}; }, "is empty; load it first"},
        BadUse{"other_pipeline",
               [](Request& r) { r.controls[0].control = load_control(control_model("random"), "random_net"); },
               "was loaded for another pipeline"},
        BadUse{"nine", [](Request& r) { r.controls.resize(9, r.controls[0]); }, "at most 8 control networks, got 9"},
        BadUse{"scale_nan", [](Request& r) { r.controls[0].scale = NAN; }, "must be from 0 to 100"},
        BadUse{"scale_large", [](Request& r) { r.controls[0].scale = 101; }, "from 0 to 100, got 101"},
        BadUse{"scale_negative", [](Request& r) { r.controls[0].scale = -0.1; }, "from 0 to 100, got -0.1"},
        BadUse{"begin", [](Request& r) { r.controls[0].begin = -0.1; }, "heard from 0 to 1"},
        BadUse{"end", [](Request& r) { r.controls[0].end = 1.1; }, "heard from 0 to 1"},
        BadUse{"backwards", [](Request& r) { r.controls[0].begin = 0.6, r.controls[0].end = 0.4; }, "not backwards"},
        BadUse{"no_picture", [](Request& r) { r.controls[0].image = {}; }, "needs a picture"},
        BadUse{"short_picture", [](Request& r) { r.controls[0].image.pixels.pop_back(); }, "must have 6144 bytes"},
        BadUse{"flat_picture", [](Request& r) { r.controls[0].image.height = 0; }, "1 to 8192 pixels a side"},
        BadUse{"nothing_to_hide", [](Request& r) { r.controls[0].hide_painted = true; }, "there is nothing to hide"},
        BadUse{"adapter_hides",
               [](Request& r) {
                 put_into_a_hole(r);
                 r.controls[0].control = load_control(control_model("tiny"), "tiny_adapter");
                 r.controls[0].hide_painted = true;
               },
               "is a T2I-Adapter"},
        BadUse{"squares",
               [](Request& r) {
                 r.controls[0].control = load_control(control_model("tiny"), "tiny_adapter");
                 r.width = 72;
               },
               "needs a width and height that 16 divides, got 72x32"},
        BadUse{"squares_of_the_second_pass",
               [](Request& r) {
                 r.controls[0].control = load_control(control_model("tiny"), "tiny_adapter");
                 r.hires.scale = 1.25;
               },
               "that 16 divides, got 80x40"},
        BadUse{"elsewhere",
               [](Request& r) {
                 put_into_a_hole(r);
                 r.image_input.inpaint.region = PaintRegion::kNative;
                 r.controls[0].image = blotches(63, 32, 9);
               },
               "must have the size of the picture with its margins, 64x32, got 63x32"}),
    [](const auto& each) { return each.param.name; });

TEST(ControlTest, WithoutAVoiceItChangesNothing) {
  auto request = request_with("tiny_net");
  const auto heard = pixels(request);
  auto plain = request;
  plain.controls.clear();
  const auto expected = pixels(plain);
  EXPECT_NE(heard, expected);
  request.controls[0].scale = 0;
  EXPECT_EQ(pixels(request), expected);
  request.controls[0].scale = 1;
  request.controls[0].end = 0;
  EXPECT_EQ(pixels(request), expected);
  request.controls[0].control = load_control(control_model("tiny"), "tiny_adapter");
  EXPECT_EQ(pixels(request), expected);
}

TEST(ControlTest, TheResultsRequestGivesTheSamePicture) {
  const auto first = control_model("tiny").generate(request_with("tiny_net"));
  EXPECT_EQ(pixels(first.request), first.images.at(0).pixels);
}

// The request's own picture, in whole and where a region is cut out, as if it had been given.
TEST(ControlTest, AnInpaintingControlNetSeesTheRequestsOwnPicture) {
  for (const auto region : {PaintRegion::kWhole, PaintRegion::kFitted, PaintRegion::kNative}) {
    auto request = request_with("tiny_net");
    put_into_a_hole(request);
    request.image_input.inpaint.region = region;
    request.controls[0].hide_painted = true;
    request.controls[0].image = request.image_input.images[0];
    const auto given = pixels(request);
    request.controls[0].image = {};
    EXPECT_EQ(pixels(request), given);
    request.controls[0].hide_painted = false;
    request.controls[0].image = request.image_input.images[0];
    EXPECT_NE(pixels(request), given);
  }
}

// Every picture of a batch has its own: that of two pictures at once is that of each alone.
TEST(ControlTest, OwnPicturesBelongToTheImagesTheyStart) {
  auto request = request_with("tiny_net");
  put_into_a_hole(request);
  request.image_input.images.push_back(blotches(64, 32, 2));
  request.controls[0].hide_painted = true;
  request.controls[0].image = {};
  request.per_image_seeds = true;
  const auto both = control_model("tiny").generate(request).images;
  ASSERT_EQ(both.size(), 2u);
  request.image_input.images.erase(request.image_input.images.begin());
  request.seed += 1;
  const auto second = pixels(request);
  int largest = 0;
  for (size_t i = 0; i < second.size(); ++i) largest = std::max(largest, std::abs(second[i] - both[1].pixels[i]));
  EXPECT_LE(largest, 1);
}

TEST(ControlTest, ControlNetsAndT2IAdaptersAreHeardTogether) {
  auto request = request_with("tiny_net");
  const auto net = pixels(request);
  request.controls.push_back({load_control(control_model("tiny"), "tiny_adapter"), blotches(64, 32, 4)});
  const auto both = pixels(request);
  EXPECT_NE(both, net);
  std::swap(request.controls[0], request.controls[1]);
  EXPECT_EQ(pixels(request), both);
}

// Guidance by perturbed attention runs the branch with the prompt twice; where nothing is perturbed this adds nothing.
TEST(ControlTest, ThePerturbedBranchHearsWhatThePromptsBranchHears) {
  for (const bool guess : {false, true}) {
    auto request = request_with("tiny_net");
    request.guess_mode = guess;
    const auto plain = control_model("tiny").generate(request).images;
    request.guidance_options.perturbed_scale = 1e-9;
    const auto perturbed = control_model("tiny").generate(request).images;
    EXPECT_LE(pixel_differences(perturbed, at::tensor(plain[0].pixels).reshape({1, 32, 64, 3})).max().item<int>(), 1);
  }
}

TEST(ControlTest, ApproximationsWorkWithControls) {
  const auto exact = control_model("tiny").generate(request_with("tiny_net")).images;
  const auto expected = at::tensor(exact[0].pixels).reshape({1, 32, 64, 3});
  const auto difference = [&](const Approximation& approximation) {
    auto request = request_with("tiny_net");
    request.steps = 3;
    request.approximation = approximation;
    return mean_difference(control_model("tiny").generate(request).images, expected);
  };
  for (const int branch : {0, 2, control_model("tiny").info().skip_connections - 1}) {
    const auto cached = difference({.cache_interval = 2, .cache_branch = branch});
    EXPECT_GT(cached, 0) << branch;
    EXPECT_LT(cached, 40) << branch;
  }
  EXPECT_LT(difference({.guidance_every = 2}), 40);
  EXPECT_LT(difference({.text_gate = 0.7}), 40);
  EXPECT_LT(difference({.merge_ratio = 0.3}), 40);
}

// Along a closed axis nothing knows where the border is: neither the control picture's network nor the rest.
TEST(ControlTest, ATextureGoesOnWhereItEnds) {
  auto request = request_with("tiny_net");
  request.width = request.height = 64;
  request.scheduler = "DDIMScheduler";
  request.seamless = {true, true};
  const auto noise = at::randn({1, 4, 8, 8}, at::kFloat);
  const auto seen = at::tensor(blotches(64, 64, 9).pixels).reshape({64, 64, 3});
  const auto picture_of = [&](const at::Tensor& latents, const at::Tensor& control) {
    const auto flat = latents.contiguous(), bytes = control.contiguous();
    request.latents = {{1, 4, 8, 8}, {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()}};
    request.controls[0].image = {
        64, 64, {bytes.const_data_ptr<std::uint8_t>(), bytes.const_data_ptr<std::uint8_t>() + bytes.numel()}};
    return at::tensor(pixels(request)).to(at::kInt).reshape({64, 64, 3});
  };
  const auto expected = picture_of(noise, seen).roll({32, 32}, {0, 1});
  const auto moved = picture_of(noise.roll({4, 4}, {2, 3}), seen.roll({32, 32}, {0, 1}));
  EXPECT_LE((moved - expected).abs().max().item<int>(), 1);
}

TEST(ControlTest, ASecondPassHearsItAtItsOwnSize) {
  auto request = request_with("tiny_net");
  request.hires.scale = 1.5;
  const auto with = control_model("tiny").generate(request).images.at(0);
  EXPECT_EQ(with.width, 96);
  request.controls[0].image = blotches(64, 32, 10);
  EXPECT_NE(pixels(request), with.pixels);
}

// Requests with other controls, or none, run beside each other and give what they give alone.
TEST(ControlTest, ThreadsDoNotMeddle) {
  std::vector<Request> requests(4, request_with("tiny_net"));
  requests[1].controls[0].control = load_control(control_model("tiny"), "tiny_other");
  requests[2].controls.clear();
  requests[3].controls[0].control = load_control(control_model("tiny"), "tiny_adapter");
  std::vector<std::vector<std::uint8_t>> alone;
  for (const auto& request : requests) alone.push_back(pixels(request));
  std::vector<std::future<std::vector<std::uint8_t>>> running;
  for (const auto& request : requests) {
    running.push_back(std::async(std::launch::async, [&request] { return pixels(request); }));
  }
  for (size_t i = 0; i < running.size(); ++i) EXPECT_EQ(running[i].get(), alone[i]) << i;
}

TEST(ControlTest, WorksInBFloat16) {
  LoadOptions options;
  options.precision = Precision::kBFloat16;
  const auto half = Pipeline::load(tiny_model(), options);
  for (const char* name : {"one", "guess", "hole", "adapter"}) {
    const auto& json = all_cases().at(name);
    const auto images = half.generate(make_control_request(json, half)).images;
    EXPECT_LT(mean_difference(images, recorded_images(kFolder, name)), 20.0) << name;
  }
}

TEST(ControlTest, TheMemoryPlanKnowsOfIt) {
  auto request = request_with("tiny_net");
  const auto with = control_model("tiny").plan(request);
  const auto control = request.controls[0];
  request.controls.clear();
  const auto without = control_model("tiny").plan(request);
  EXPECT_EQ(with.weights - without.weights, control.control.info().parameters * sizeof(float));
  EXPECT_GT(with.denoising, without.denoising);
  request.controls = {control, control};
  const auto twice = control_model("tiny").plan(request);
  EXPECT_EQ(twice.weights, with.weights);
  EXPECT_GT(twice.denoising, with.denoising);
  request.memory_budget = with.weights;
  EXPECT_EQ(error_of([&] { control_model("tiny").plan(request); }).code(), ErrorCode::kOutOfMemory);
}

}  // namespace
}  // namespace fjord::testing
