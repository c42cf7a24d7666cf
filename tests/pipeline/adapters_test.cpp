// Requests with adapters: pictures against diffusers, side by side, and taken off again.
#include "adapters/seeded_adapter.h"
#include "loading/safetensors.h"
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "support/fake_cuda.h"
#include "support/temp_folder.h"

#include <fjord/pipeline.h>
#include <fjord/quantize.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>

namespace fjord::testing {
namespace {

using ::testing::HasSubstr;

// The adapter files of tests/reference/adapter_pipelines.py, each in a folder of its own.
class Files {
 public:
  Files() : json_(read_adapter_cases("pipelines")) {
    for (const auto& item : json_.at("files").items()) {
      paths_[item.key()] = folder_.file(item.key() + ".safetensors");
      std::filesystem::rename(write_adapter(item.value(), folder_.path()), paths_[item.key()]);
    }
  }
  const std::string& path(const std::string& name) const { return paths_.at(name); }
  const nlohmann::json& cases() const { return json_.at("cases"); }

 private:
  nlohmann::json json_;
  TempFolder folder_;
  std::map<std::string, std::string> paths_;
};

const Files& files() {
  static const Files out;
  return out;
}

const Pipeline& model() {
  static const auto pipeline = Pipeline::load(random_model());
  return pipeline;
}

Request request_of(const nlohmann::json& test, const Pipeline& pipeline) {
  auto request = make_request(test);
  if (test.contains("embeddings")) {
    for (const auto& each : test.at("embeddings")) {
      const auto path = files().path(each[0].get<std::string>());
      request.adapters.push_back({pipeline.load_embedding(path, each[1].get<std::vector<std::string>>())});
    }
  }
  if (test.contains("adapters")) {
    for (const auto& each : test.at("adapters")) {
      const auto adapter = pipeline.load_adapter(files().path(each[0].get<std::string>()));
      request.adapters.push_back({adapter, each[1].get<double>(), each[2].get<double>()});
    }
  }
  return request;
}

Request plain_request() { return request_of(files().cases().at("none"), model()); }

std::vector<std::uint8_t> pixels(const Pipeline& pipeline, const Request& request) {
  std::vector<std::uint8_t> out;
  for (const auto& image : pipeline.generate(request).images) {
    out.insert(out.end(), image.pixels.begin(), image.pixels.end());
  }
  return out;
}

void expect_parity(const Pipeline& pipeline, const Request& request, const std::string& name) {
  expect_pictures(pipeline.generate(request).images, recorded_images("adapters", name));
}

class AdapterParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(AdapterParityTest, PictureEqualsTheReference) {
  const auto& test = files().cases().at(GetParam());
  expect_parity(model(), request_of(test, model()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Cases, AdapterParityTest, ::testing::ValuesIn(case_names(files().cases())),
                         [](const auto& each) { return each.param; });

TEST(AdaptersTest, PicturesOnPlainOperatorsEqualTheReference) {
  const auto pipeline = Pipeline::load(random_model(), {.cpu_kernels = "reference"});
  for (const char* name : {"two", "dora", "word_and_lora"}) {
    expect_parity(pipeline, request_of(files().cases().at(name), pipeline), name);
  }
}

// Joined projections give way, and a request records its own network.
TEST(AdaptersTest, PicturesOnAGpusWaysEqualTheReference) {
  const FakeCuda gpu;
  const auto pipeline = Pipeline::load(random_model(), {.cpu_kernels = "reference"});
  for (const char* name : {"none", "two", "dora", "word_and_lora", "none"}) {
    expect_parity(pipeline, request_of(files().cases().at(name), pipeline), name);
  }
}

TEST(AdaptersTest, FusedAdaptersEqualTheReference) {
  for (const bool drop : {false, true}) {
    LoadOptions options;
    options.drop_text_encoder = drop;
    options.adapters = {{files().path("kohya"), 0.8, 0.5}, {files().path("diffusers"), -0.4, 0.9}};
    expect_parity(Pipeline::load(random_model(), options), make_request(files().cases().at("two")), "two");
  }
}

TEST(AdaptersTest, MergingOnFusedWeightsStartsFromThem) {
  LoadOptions options;
  options.adapters = {{files().path("dora")}};
  const auto pipeline = Pipeline::load(random_model(), options);
  auto request = plain_request();
  const auto before = pixels(pipeline, request);
  // A strength so small that the fused weights are nearly all that is left.
  request.adapters = {{pipeline.load_adapter(files().path("dora")), 1e-6, 1.0}};
  EXPECT_NE(pixels(pipeline, request), pixels(model(), plain_request()));
  request.adapters.clear();
  EXPECT_EQ(pixels(pipeline, request), before);
}

TEST(AdaptersTest, DroppedTextEncoderGivesTheSamePictures) {
  const auto pipeline = Pipeline::load(random_model(), {.drop_text_encoder = true});
  for (const char* name : {"kohya", "several_words"}) {
    const auto& test = files().cases().at(name);
    EXPECT_EQ(pixels(pipeline, request_of(test, pipeline)), pixels(model(), request_of(test, model()))) << name;
  }
}

TEST(AdaptersTest, StrengthZeroAndRemovalAreExact) {
  const auto base = pixels(model(), plain_request());
  auto request = plain_request();
  for (const char* name : {"kohya", "dora"}) {
    const auto adapter = model().load_adapter(files().path(name));
    request.adapters = {{adapter, 0.0, 0.0}};
    EXPECT_EQ(pixels(model(), request), base) << name;
    request.adapters = {{adapter}};
    EXPECT_NE(pixels(model(), request), base) << name;
    EXPECT_EQ(pixels(model(), plain_request()), base) << name;
  }
}

TEST(AdaptersTest, FourThreadsEqualTheSerialResultsBitForBit) {
  const auto a = model().load_adapter(files().path("kohya")), b = model().load_adapter(files().path("dora"));
  const std::vector<std::vector<AdapterUse>> sets{{{a, 0.7}}, {{b}}, {{a, 0.7}, {b}}, {}};
  std::vector<std::vector<std::uint8_t>> serial;
  std::vector<Request> requests;
  for (const auto& set : sets) {
    requests.push_back(plain_request());
    requests.back().adapters = set;
    serial.push_back(pixels(model(), requests.back()));
  }
  std::vector<std::future<std::vector<std::uint8_t>>> running;
  for (const auto& request : requests) {
    running.push_back(std::async(std::launch::async, [&request] { return pixels(model(), request); }));
  }
  for (size_t i = 0; i < sets.size(); ++i) EXPECT_EQ(running[i].get(), serial[i]) << i;
}

// More sets than are kept, so that merged networks come and go.
TEST(AdaptersTest, SwitchingBackAndForthChangesNothing) {
  const auto base = pixels(model(), plain_request());
  const auto lora = model().load_adapter(files().path("kohya")), dora = model().load_adapter(files().path("dora"));
  std::map<int, std::vector<std::uint8_t>> first;
  for (int cycle = 0; cycle < 14; ++cycle) {
    auto request = plain_request();
    const int kind = cycle % 7;
    request.adapters = {{kind < 6 ? dora : lora, 0.1 * (kind + 1)}};
    const auto now = pixels(model(), request);
    const auto [entry, is_new] = first.emplace(kind, now);
    EXPECT_EQ(now, entry->second) << kind;
    EXPECT_EQ(pixels(model(), plain_request()), base) << cycle;
  }
}

// KiB of this process that are in memory.
long resident() {
  long size = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> size >> pages;
  return pages * 4;
}

// Adapters that run beside the layers, one and two at once, and now and then one that is merged.
TEST(AdaptersTest, FiveHundredSwitchesLeaveTheModelAndTheMemoryAsTheyWere) {
  const auto a = model().load_adapter(files().path("kohya")), b = model().load_adapter(files().path("diffusers"));
  const auto merged = model().load_adapter(files().path("dora"));
  auto request = plain_request();
  request.width = request.height = 32;
  request.guidance = 1;
  request.steps = 1;
  const auto base = pixels(model(), request);
  [[maybe_unused]] long after_some = 0;
  for (int cycle = 0; cycle < 500; ++cycle) {
    const double strength = 0.1 + 0.01 * (cycle % 50);
    request.adapters = {{a, strength}};
    if (cycle % 2 == 1) request.adapters.push_back({b, 1 - strength});
    if (cycle % 25 == 0) request.adapters = {{merged, strength}};
    EXPECT_NE(pixels(model(), request), base) << cycle;
    request.adapters.clear();
    ASSERT_EQ(pixels(model(), request), base) << cycle;
    if (cycle == 100) after_some = resident();
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which keep what was freed
  EXPECT_LT(resident() - after_some, 2048);
#endif
}

TEST(AdaptersTest, Int8AndBFloat16TakeAdapters) {
  const TempFolder folder;
  quantize(random_model(), folder.file("int8"));
  for (const auto& [path, precision] :
       {std::pair{folder.file("int8"), Precision::kFloat32}, std::pair{random_model(), Precision::kBFloat16}}) {
    const auto pipeline = Pipeline::load(path, {.precision = precision});
    const auto base = pixels(pipeline, plain_request());
    for (const char* name : {"kohya", "dora"}) {
      const auto& test = files().cases().at(name);
      const auto result = pipeline.generate(request_of(test, pipeline));
      const auto differences = pixel_differences(result.images, recorded_images("adapters", name)).to(at::kFloat);
      const auto untouched = pixel_differences(result.images, recorded_images("adapters", "none")).to(at::kFloat);
      // Far nearer to the picture with the adapter than to the one without.
      EXPECT_LT(differences.mean().item<double>(), 0.5 * untouched.mean().item<double>()) << name;
    }
    EXPECT_EQ(pixels(pipeline, plain_request()), base);
  }
}

TEST(AdaptersTest, InfoSaysWhatAnAdapterChanges) {
  const auto lora = model().load_adapter(files().path("kohya")).info();
  EXPECT_GT(lora.unet_layers, 0);
  EXPECT_GT(lora.text_layers, 0);
  EXPECT_FALSE(lora.merges);
  EXPECT_TRUE(model().load_adapter(files().path("dora")).info().merges);
  EXPECT_EQ(model().load_embedding(files().path("one_vector")).info().tokens, std::vector<std::string>{"<ruby>"});
  EXPECT_EQ(model().load_embedding(files().path("emb_params")).info().tokens, std::vector<std::string>{"emb_params"});
}

TEST(AdaptersTest, BadUseIsRefusedAndTheNextRequestIsTheSame) {
  const auto base = pixels(model(), plain_request());
  const auto lora = model().load_adapter(files().path("kohya"));
  const auto word = model().load_embedding(files().path("one_vector"));
  const auto refusal = [](std::vector<AdapterUse> uses) {
    auto request = plain_request();
    request.adapters = std::move(uses);
    const auto error = error_of([&] { model().generate(request); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(refusal({{}}), HasSubstr("is empty"));
  EXPECT_THAT(refusal({{lora, NAN}}), HasSubstr("U-Net must be from -100 to 100"));
  EXPECT_THAT(refusal({{lora, 1.0, 1e9}}), HasSubstr("text encoders must be from -100 to 100"));
  EXPECT_THAT(refusal(std::vector<AdapterUse>(65, {lora, 0.1})), HasSubstr("at most 64"));
  EXPECT_THAT(refusal({{word, 0.5}}), HasSubstr("has no strength"));
  EXPECT_THAT(refusal({{word}, {word}}), HasSubstr("known already"));
  const auto other = Pipeline::load(random_model());
  EXPECT_THAT(refusal({{other.load_adapter(files().path("kohya"))}}), HasSubstr("another pipeline"));
  EXPECT_EQ(pixels(model(), plain_request()), base);
}

TEST(AdaptersTest, BadEmbeddingsAreRefused) {
  const TempFolder folder;
  const auto refusal = [&](const std::map<std::string, at::Tensor>& tensors, std::vector<std::string> tokens = {}) {
    loading::write_safetensors(folder.file("word.safetensors"), tensors);
    return std::string(error_of([&] { model().load_embedding(folder.file("word.safetensors"), tokens); }).what());
  };
  EXPECT_THAT(refusal({{"<a>", at::ones({2, 48})}}), HasSubstr("vectors of 32 numbers, got 48"));
  EXPECT_THAT(refusal({{"<a>", at::ones({0, 32})}}), HasSubstr("1 to 75 vectors"));
  EXPECT_THAT(refusal({{"<a>", at::ones({100, 32})}}), HasSubstr("1 to 75 vectors"));
  EXPECT_THAT(refusal({{"<a>", at::full({32}, NAN)}}), HasSubstr("NaN"));
  EXPECT_THAT(refusal({{"<a>", at::ones({32})}, {"<b>", at::ones({32})}}), HasSubstr("vectors of one token"));
  EXPECT_THAT(refusal({{"clip_g", at::ones({1, 32})}}), HasSubstr("another family"));
  EXPECT_THAT(refusal({{"<a>", at::ones({3, 32})}}, {"<x>", "<y>"}), HasSubstr("one token or 3"));
  std::map<std::string, at::Tensor> mostly_unknown{{"clip_l", at::ones({1, 32})}};
  for (int i = 0; i < 99; ++i) mostly_unknown["junk." + std::to_string(i)] = at::ones({1});
  EXPECT_THAT(refusal(mostly_unknown), HasSubstr("clip_l and clip_g, got \"junk.0\" among 100 tensors"));
  EXPECT_THAT(refusal({}), HasSubstr("got no tensors"));
  auto request = plain_request();
  loading::write_safetensors(folder.file("crown.safetensors"), {{"emb_params", at::ones({1, 32})}});
  request.adapters = {{model().load_embedding(folder.file("crown.safetensors"))}};
  EXPECT_THAT(error_of([&] { model().generate(request); }).what(), HasSubstr("word of the vocabulary"));
}

// A name is what a prompt calls the vectors, never a place in the file system.
TEST(AdaptersTest, ATokenNamedLikeAPathIsAToken) {
  const TempFolder folder;
  loading::write_safetensors(folder.file("word.safetensors"), {{"../../etc/passwd", at::ones({1, 32})}});
  const auto word = model().load_embedding(folder.file("word.safetensors"));
  EXPECT_EQ(word.info().tokens, std::vector<std::string>{"../../etc/passwd"});
}

TEST(AdaptersTest, OneTokenForEachVector) {
  const auto path = files().path("three_vectors");
  auto request = plain_request();
  request.prompt = "<p> <q> <r>";
  request.adapters = {{model().load_embedding(path, {"<p>", "<q>", "<r>"})}};
  const auto separate = pixels(model(), request);
  request.prompt = "<p>";
  request.adapters = {{model().load_embedding(path, {"<p>"})}};
  EXPECT_EQ(pixels(model(), request), separate);
}

TEST(AdaptersTest, AdapterOutlivesItsFile) {
  const TempFolder folder;
  std::filesystem::copy(files().path("kohya"), folder.file("copy.safetensors"));
  auto request = plain_request();
  request.adapters = {{model().load_adapter(folder.file("copy.safetensors"))}};
  const auto before = pixels(model(), request);
  std::filesystem::remove(folder.file("copy.safetensors"));
  EXPECT_EQ(pixels(model(), request), before);
}

}  // namespace
}  // namespace fjord::testing
