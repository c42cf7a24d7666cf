// Image prompts on the command line and in the record.
#include "cli/image_prompt_options.h"

#include "cli/exit_codes.h"
#include "cli/image_prompt_json.h"

#include <fjord/error.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fjord::cli {
namespace {

ImagePromptFiles parse(std::vector<const char*> arguments) {
  ImagePromptFiles files;
  CommandLine line("about", "", "fjord 1.2.3");
  CommandOptions options = line.add_command("make", "makes", "", [] {});
  add_image_prompt_options(options, files);
  arguments.insert(arguments.begin(), {"fjord", "make"});
  EXPECT_EQ(line.parse(static_cast<int>(arguments.size()), arguments.data()), "");
  return files;
}

std::string refusal(std::vector<const char*> arguments) {
  try {
    auto files = parse(std::move(arguments));
    read_image_prompts(files);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

TEST(ImagePromptOptionsTest, ReadsPicturesScalesMasksAndLayers) {
  const auto files = parse({"--image-adapter", "ip.safetensors", "--image-encoder", "encoder", "--image-prompt",
                            "a.png,b:c.png:0.5", "--image-prompt", "d.png", "--image-prompt-mask", "left.png,right.png",
                            "--image-prompt-layers", "mid=0.25,up_blocks.0=-1"});
  ASSERT_EQ(files.prompts.size(), 2u);
  ASSERT_EQ(files.prompts[0].images.size(), 2u);
  EXPECT_EQ(files.prompts[0].images[1].path, "b:c.png");
  EXPECT_EQ(files.prompts[0].scale, 0.5);
  EXPECT_EQ(files.prompts[1].scale, 1.0);
  EXPECT_EQ(files.masks.at(0).at(1).path, "right.png");
  EXPECT_EQ(files.layer_scales.at(0), (std::map<std::string, double>{{"mid", 0.25}, {"up_blocks.0", -1}}));
  EXPECT_EQ(files.encoders.at(0).path, "encoder");
}

TEST(ImagePromptOptionsTest, ListsThatDoNotBelongTogetherAreUsageErrors) {
  EXPECT_EQ(refusal({}), "none");
  EXPECT_NE(refusal({"--image-prompt", "a.png"}).find("needs --image-adapter"), std::string::npos);
  EXPECT_NE(refusal({"--image-adapter", "a", "--image-adapter", "b", "--image-prompt", "a.png"}).find("got 2"),
            std::string::npos);
  EXPECT_NE(refusal({"--image-adapter", "a", "--image-encoder", "b", "--image-encoder", "c", "--image-prompt", "a.png"})
                .find("one --image-encoder"),
            std::string::npos);
  EXPECT_NE(refusal({"--image-adapter", "a", "--image-prompt-mask", "m.png"}).find("there are 0 of those"),
            std::string::npos);
  EXPECT_NE(refusal({"--image-prompt", "a.png,:1"}).find("expected FILE.png"), std::string::npos);
  EXPECT_NE(refusal({"--image-prompt-layers", "mid"}).find("expected NAME=SCALE"), std::string::npos);
}

TEST(ImagePromptJsonTest, RoundTrips) {
  ImagePromptFiles files;
  files.adapters = {{"ip.safetensors", "0123"}};
  files.encoders = {{"encoder", "4567"}};
  files.prompts = {{{{"a.png", "89ab"}, {"b.png", "cdef"}}, 0.75}, {{{"c.png", ""}}, 1.0}};
  files.masks = {{{"m.png", "1111"}, {"n.png", "2222"}}};
  files.layer_scales = {{{"mid", 0.5}}, {}};
  const auto json = image_prompts_to_json(files);
  const auto back = image_prompts_from_json(json, "here");
  EXPECT_EQ(image_prompts_to_json(back), json);
  EXPECT_EQ(back.prompts.at(0).images.at(1).fingerprint, "cdef");
  EXPECT_EQ(back.prompts.at(0).scale, 0.75);
  EXPECT_EQ(back.masks.at(0).at(0).path, "m.png");
  EXPECT_EQ(back.layer_scales.at(0).at("mid"), 0.5);
}

TEST(ImagePromptJsonTest, RefusesWhatItDoesNotKnow) {
  const auto code = [](const char* text) {
    try {
      image_prompts_from_json(nlohmann::ordered_json::parse(text), "here");
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code(R"({"faces": []})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code(R"({"prompts": [{"images": 3}]})"), ErrorCode::kBadFile);
  EXPECT_EQ(code(R"({"masks": [3]})"), ErrorCode::kBadFile);
  EXPECT_EQ(code(R"({"layer_scales": [{"mid": "much"}]})"), ErrorCode::kBadFile);
}

}  // namespace
}  // namespace fjord::cli
