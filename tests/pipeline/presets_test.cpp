// Prompts with weights and whole pictures as other programs make them, against formulas in numpy.
// Expected values: tests/reference/presets.py.
#include "loading/json_text.h"
#include "loading/source.h"
#include "loading/tokenizer_files.h"
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "text/prompt_chunks.h"
#include "text/prompt_weights.h"

#include <fjord/preset.h>

namespace fjord {
namespace {

using testing::family_pipeline;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kFolder[] = "presets";

const Json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

Request make_request(const Json& json) {
  auto request = testing::make_request(json);
  request.scheduler = json.at("sampler") == "euler" ? "EulerDiscreteScheduler" : "DPMSolverMultistepScheduler";
  if (json.value("karras", false)) request.scheduler_options["use_karras_sigmas"] = "true";
  request.prompting.clip_skip = json.value("clip_skip", 0);
  apply_preset(json.at("preset") == "a1111" ? Preset::kA1111 : Preset::kComfyUi, request);
  return request;
}

class PresetParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(PresetParityTest, PicturesMatchTheFormula) {
  const auto& json = all_cases().at(GetParam());
  const auto images = family_pipeline(json.at("model").get<std::string>()).generate(make_request(json)).images;
  testing::expect_pictures(images, testing::recorded_images(kFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, PresetParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) {
                           auto name = each.param;
                           name[name.find('.')] = '_';
                           return name;
                         });

const text::ClipTokenizer& tokenizer() {
  static const auto shared = [] {
    const auto source = loading::open_folder(testing::tiny_model() + "/tokenizer");
    loading::TokenizerFiles files;
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
      files.emplace(name, loading::read_text(*source, name, 1 << 20));
    }
    return text::ClipTokenizer(loading::read_tokenizer(files));
  }();
  return shared;
}

void expect_parts(const std::vector<text::WeightedText>& parts, const Json& expected) {
  ASSERT_EQ(parts.size(), expected.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].text, expected[i][0].get<std::string>());
    EXPECT_EQ(parts[i].is_break, expected[i][1].is_null());
    if (!parts[i].is_break) {
      EXPECT_NEAR(parts[i].weight, expected[i][1].get<double>(), 1e-12);
    }
  }
}

// The recorded chunks end with the end token: what follows is padding.
void expect_chunks(const text::ChunkedPrompt& prompt, const Json& expected) {
  ASSERT_EQ(prompt.chunks.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    auto [ids, weights] = prompt.chunks[i];
    ASSERT_EQ(ids.size(), 77u);
    ids.resize(expected[i][0].size());
    weights.resize(ids.size());
    EXPECT_EQ(ids, expected[i][0].get<std::vector<std::int64_t>>());
    EXPECT_EQ(weights, expected[i][1].get<std::vector<float>>());
  }
}

TEST(PromptSyntaxTest, PartsAndChunksMatchTheFormula) {
  const auto folder = loading::open_folder(FJORD_TEST_DATA "/presets");
  const auto records = loading::parse_json_object(loading::read_text(*folder, "prompts.json", 1 << 20), "prompts");
  ASSERT_GT(records.size(), 30u);
  for (const auto& [prompt, record] : records.items()) {
    SCOPED_TRACE(prompt);
    expect_parts(text::parse_a1111(prompt), record.at("a1111").at("parts"));
    expect_parts(text::parse_comfyui(prompt), record.at("comfyui").at("parts"));
    expect_chunks(text::a1111_prompt(tokenizer(), prompt), record.at("a1111").at("chunks"));
    expect_chunks(text::comfyui_prompt(tokenizer(), prompt), record.at("comfyui").at("chunks"));
  }
}

Request plain_request() { return make_request(all_cases().at("a1111.plain")); }

TEST(PresetTest, DiffusersIsWhatANewRequestSays) {
  auto request = plain_request();
  apply_preset(Preset::kDiffusers, request);
  EXPECT_EQ(request.prompting.syntax, PromptSyntax::kPlain);
  EXPECT_EQ(request.reproduction.noise, NoiseSource::kTorchCpu);
  EXPECT_EQ(request.reproduction.sigmas, SigmaGrid::kScheduler);
  EXPECT_EQ(request.reproduction.rounding, PixelRounding::kNearest);
  EXPECT_FALSE(request.per_image_seeds);
}

TEST(PresetTest, AnotherProgramsLevelsNeedASamplerOfIts) {
  auto request = plain_request();
  request.scheduler = "DDIMScheduler";
  const auto error = testing::error_of([&] { family_pipeline("no_bottom").generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("EulerDiscreteScheduler"));
  request = plain_request();
  request.timesteps = {900, 500};
  EXPECT_EQ(testing::error_of([&] { family_pipeline("no_bottom").generate(request); }).code(),
            ErrorCode::kInvalidArgument);
}

// Seven chunks against five: neither divides the other, so the shorter one is filled up.
TEST(PresetTest, PromptsOfAnyLengthsMeet) {
  auto request = plain_request();
  request.prompt = request.negative_prompt = "";
  for (int i = 0; i < 7 * 75; ++i) request.prompt += "7 ";
  for (int i = 0; i < 5 * 75; ++i) request.negative_prompt += "7 ";
  const auto embeddings =
      family_pipeline("no_bottom").encode_prompt(request.prompt, request.negative_prompt, request.prompting);
  EXPECT_EQ(embeddings.positive.shape, (std::vector<std::int64_t>{1, 7 * 77, 32}));
  EXPECT_EQ(embeddings.negative.shape, embeddings.positive.shape);
  EXPECT_EQ(family_pipeline("no_bottom").generate(request).images.size(), 1u);
}

}  // namespace
}  // namespace fjord
