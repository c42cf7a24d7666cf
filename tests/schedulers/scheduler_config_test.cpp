// scheduler_config.json and command-line options into config::Scheduler.
#include "loading/scheduler_config.h"

#include <fjord/error.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace fjord::loading {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

config::Scheduler read(const std::string& fields) {
  return read_scheduler_config(R"({"_class_name": "DDIMScheduler")" + (fields.empty() ? "" : ", " + fields) + "}",
                               "scheduler_config.json");
}

std::string refusal(const std::string& text) {
  try {
    read_scheduler_config(text, "scheduler_config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile) << text;
    EXPECT_THAT(error.what(), HasSubstr("scheduler_config.json"));
    EXPECT_LE(std::string(error.what()).size(), 512u);
    return error.what();
  }
  ADD_FAILURE() << "accepted " << text;
  return "";
}

std::string option_refusal(const std::string& name, const std::string& key, const std::string& value) {
  config::Scheduler config;
  config.class_name = name;
  try {
    apply_option(config, key, value);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted " << key << "=" << value;
  return "";
}

TEST(SchedulerConfigTest, ReadsTheShippedModel) {
  std::ifstream file(std::string(FJORD_SOURCE_DIR) + "/weights/tiny/scheduler/scheduler_config.json");
  std::ostringstream text;
  text << file.rdbuf();
  const auto config = read_scheduler_config(text.str(), "scheduler_config.json");
  EXPECT_EQ(config.class_name, "DDIMScheduler");
  EXPECT_EQ(config.beta_end, 0.012);
  EXPECT_EQ(config.beta_schedule, "scaled_linear");
  EXPECT_EQ(config.clip_sample, false);
  EXPECT_EQ(config.steps_offset, 1);
  EXPECT_EQ(config.trained_betas, std::nullopt);
  EXPECT_TRUE(config.ignored_fields.empty());
}

TEST(SchedulerConfigTest, LeavesAbsentFieldsToTheClass) {
  const auto config = read("");
  EXPECT_EQ(config.beta_start, std::nullopt);
  EXPECT_EQ(config.lower_order_final, std::nullopt);
}

TEST(SchedulerConfigTest, DropsValuesThatWereDefaultsOfAnotherClass) {
  const auto config = read(R"("timestep_spacing": "leading", "steps_offset": 1,
                              "_use_default_values": ["timestep_spacing", "rescale_betas_zero_snr"])");
  EXPECT_EQ(config.timestep_spacing, std::nullopt);
  EXPECT_EQ(config.steps_offset, 1);
}

TEST(SchedulerConfigTest, KeepsFieldsThatOnlyOtherClassesRead) {
  const auto config = read(R"("solver_order": 3, "use_karras_sigmas": true)");
  EXPECT_EQ(config.solver_order, 3);
  EXPECT_EQ(config.use_karras_sigmas, true);
}

TEST(SchedulerConfigTest, NamesTheFieldsItIgnores) {
  EXPECT_THAT(read(R"("solver_p": null, "eta": 1, "_diffusers_version": "0.6")").ignored_fields,
              ElementsAre("eta", "solver_p"));
}

TEST(SchedulerConfigTest, ReadsTheInfinityThatPythonWrites) {
  EXPECT_EQ(read(R"("lambda_min_clipped": -Infinity)").lambda_min_clipped, -INFINITY);
  EXPECT_EQ(read(R"("lambda_min_clipped": -5.1)").lambda_min_clipped, -5.1);
  EXPECT_EQ(read(R"("x\"-Infinity": "\\", "lambda_min_clipped": "-Infinity")").lambda_min_clipped, -INFINITY);
  EXPECT_THAT(read(R"("x\"-Infinity": "\\")").ignored_fields, ElementsAre("x\"-Infinity"));
}

TEST(SchedulerConfigTest, TakesNullAsPythonDoes) {
  const auto config = read(R"("trained_betas": null, "variance_type": null, "lower_order_final": null)");
  EXPECT_EQ(config.trained_betas, std::nullopt);
  EXPECT_EQ(config.variance_type, std::nullopt);
  EXPECT_EQ(config.lower_order_final, false);
}

TEST(SchedulerConfigTest, RefusesValuesByNameOfTheirField) {
  const std::vector<std::array<const char*, 2>> cases = {{"num_train_timesteps", "0"},
                                                         {"num_train_timesteps", "1"},
                                                         {"num_train_timesteps", "1000000000"},
                                                         {"num_train_timesteps", "-1"},
                                                         {"num_train_timesteps", "1e2"},
                                                         {"num_train_timesteps", "true"},
                                                         {"num_train_timesteps", "9223372036854775808"},
                                                         {"num_train_timesteps", "\"1000\""},
                                                         {"num_train_timesteps", "null"},
                                                         {"beta_start", "0"},
                                                         {"beta_start", "-Infinity"},
                                                         {"beta_start", "0.5"},
                                                         {"beta_end", "1.5"},
                                                         {"beta_end", "[]"},
                                                         {"beta_end", "0.00001"},
                                                         {"beta_schedule", "7"},
                                                         {"trained_betas", "[]"},
                                                         {"trained_betas", "[0.1, 2]"},
                                                         {"trained_betas", "[0.1, \"a\"]"},
                                                         {"trained_betas", "0.1"},
                                                         {"steps_offset", "-1"},
                                                         {"steps_offset", "0.5"},
                                                         {"clip_sample", "1"},
                                                         {"clip_sample", "\"true\""},
                                                         {"clip_sample_range", "0"},
                                                         {"dynamic_thresholding_ratio", "1.1"},
                                                         {"sample_max_value", "-2"},
                                                         {"solver_order", "4"},
                                                         {"solver_order", "0"},
                                                         {"lambda_min_clipped", "Infinity"},
                                                         {"lambda_min_clipped", "\"\\u0000\\n\""},
                                                         {"prediction_type", "null"},
                                                         {"_class_name", "3"},
                                                         {"_use_default_values", "3"}};
  for (const auto& [key, value] : cases) {
    const std::string name = std::string(key) == "_class_name" ? "" : R"("_class_name": "DDIMScheduler", )";
    const std::string text = "{" + name + "\"" + key + "\": " + value + "}";
    const auto message = refusal(text);
    const bool both_betas = std::string(key) == "beta_start" && std::string(value) == "0.5";
    EXPECT_THAT(message, HasSubstr(both_betas ? "beta_end" : key)) << text;
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
  }
}

TEST(SchedulerConfigTest, RefusesTextThatIsNoJsonObject) {
  std::string deep(100000, '[');
  for (const std::string& text : {std::string(), std::string("\xEF\xBB\xBF"), std::string("[]"), std::string("{"),
                                  std::string("{'a': 1}"), std::string("{\"a\": NaN}"), std::string("{\"a\": 1,}"),
                                  std::string("{\"a\": 0x10}"), std::string("{\"a\": 1E400}"), deep, "{\"a\": " + deep,
                                  std::string((1 << 20) + 1, ' '), std::string("{\"beta_start\": 0.1}"),
                                  std::string("{\"_class_name\": \"\"}"), std::string("{\"a\": \"\xff\"}")}) {
    refusal(text);
  }
}

TEST(SchedulerOptionTest, ParsesJsonOrElseAWord) {
  config::Scheduler config;
  config.class_name = "DPMSolverMultistepScheduler";
  apply_option(config, "algorithm_type", "sde-dpmsolver++");
  apply_option(config, "solver_type", "\"heun\"");
  apply_option(config, "solver_order", "3");
  apply_option(config, "use_karras_sigmas", "true");
  apply_option(config, "lambda_min_clipped", "-Infinity");
  apply_option(config, "trained_betas", "[0.1, 0.2]");
  EXPECT_EQ(config.algorithm_type, "sde-dpmsolver++");
  EXPECT_EQ(config.solver_type, "heun");
  EXPECT_EQ(config.solver_order, 3);
  EXPECT_EQ(config.use_karras_sigmas, true);
  EXPECT_EQ(config.lambda_min_clipped, -INFINITY);
  EXPECT_THAT(*config.trained_betas, ElementsAre(0.1, 0.2));
}

TEST(SchedulerOptionTest, ListsTheFieldsOfTheClassForAnUnknownKey) {
  EXPECT_THAT(option_refusal("DDIMScheduler", "etta", "1"),
              AllOf(HasSubstr("\"etta\""), HasSubstr("eta"), HasSubstr("set_alpha_to_one")));
  EXPECT_THAT(option_refusal("DDPMScheduler", "eta", "1"), HasSubstr("variance_type"));
  EXPECT_THAT(option_refusal("DPMSolverSinglestepScheduler", "timestep_spacing", "leading"), HasSubstr("solver_order"));
  EXPECT_THAT(option_refusal("PNDMScheduler", "eta", "1"), HasSubstr("PNDMScheduler"));
  EXPECT_THAT(option_refusal("DDIMScheduler", "", "1"), HasSubstr("eta"));
}

TEST(SchedulerOptionTest, RefusesValuesByNameOfTheirKey) {
  for (const auto* value : {"NaN", "Infinity", "-1", "1.5", "a", "", "null", "true"}) {
    EXPECT_THAT(option_refusal("DDIMScheduler", "eta", value), HasSubstr("eta")) << value;
  }
  EXPECT_THAT(option_refusal("DDIMScheduler", "clip_sample", "True"), HasSubstr("true or false"));
  EXPECT_THAT(option_refusal("DDIMScheduler", "eta", std::string(200000, '[')), HasSubstr("eta"));
  EXPECT_THAT(option_refusal("DDIMScheduler", "eta", std::string(2 << 20, '1')), HasSubstr("eta"));
}

TEST(SchedulerOptionTest, ARefusedValueChangesNothing) {
  config::Scheduler config;
  config.class_name = "DDIMScheduler";
  config.eta = 0.5;
  EXPECT_THROW(apply_option(config, "eta", "7"), Error);
  EXPECT_EQ(config.eta, 0.5);
}

}  // namespace
}  // namespace fjord::loading
