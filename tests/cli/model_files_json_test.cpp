// Where a model's parts came from, in the record of a picture.
#include "cli/model_files_json.h"
#include "cli/png_metadata.h"

#include <fjord/error.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fjord::cli {
namespace {

ModelFilesRecord full() {
  ModelFilesRecord record;
  record.files.variant = "fp16";
  record.files.vae = "vae.safetensors";
  record.files.tokenizer = "tokenizer";
  record.files.prediction_type = "v_prediction";
  record.files.zero_terminal_snr = false;
  record.files.skip_unknown = true;
  record.vae_fingerprint = "0123456789abcdef";
  record.tokenizer_fingerprint = "fedcba9876543210";
  return record;
}

void expect_equal(const ModelFilesRecord& got, const ModelFilesRecord& expected) {
  EXPECT_EQ(model_files_to_json(got).dump(), model_files_to_json(expected).dump());
  EXPECT_EQ(got.files.variant, expected.files.variant);
  EXPECT_EQ(got.files.vae, expected.files.vae);
  EXPECT_EQ(got.vae_fingerprint, expected.vae_fingerprint);
  EXPECT_EQ(got.files.tokenizer, expected.files.tokenizer);
  EXPECT_EQ(got.tokenizer_fingerprint, expected.tokenizer_fingerprint);
  EXPECT_EQ(got.files.prediction_type, expected.files.prediction_type);
  EXPECT_EQ(got.files.zero_terminal_snr, expected.files.zero_terminal_snr);
  EXPECT_EQ(got.files.skip_unknown, expected.files.skip_unknown);
}

TEST(ModelFilesJsonTest, EveryFieldSurvives) {
  expect_equal(model_files_from_json(model_files_to_json(full()), "record"), full());
  expect_equal(model_files_from_json(model_files_to_json({}), "record"), {});
  EXPECT_TRUE(is_default({}));
  EXPECT_FALSE(is_default(full().files));
}

TEST(ModelFilesJsonTest, ThePicturesRecordHasItOnlyWhereItSaysSomething) {
  PictureRecord record;
  EXPECT_EQ(to_png_text(record).at("fjord").find("model_files"), std::string::npos);
  record.files = full();
  expect_equal(record_from_png_text(to_png_text(record), "a.png").files, full());
}

TEST(ModelFilesJsonTest, OtherTypesAndFieldsAreRefused) {
  for (const char* text :
       {R"({"variant": 1})", R"({"vae": "path"})", R"({"zero_terminal_snr": "yes"})", R"({"odd": 1})"}) {
    EXPECT_THROW(model_files_from_json(nlohmann::ordered_json::parse(text), "record"), Error) << text;
  }
}

}  // namespace
}  // namespace fjord::cli
