// Reports as tables and as JSON.
#include "cli/facts_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fjord::cli {
namespace {

ModelReport report() {
  PartReport part;
  part.name = "unet\x1b";
  part.facts = {{"class", "UNet2DConditionModel"}, {"size", "16"}};
  part.tensors = {{"conv.weight", "F16", {4, 3, 3, 3}}, {"b", "F32", {}}};
  part.metadata = {{"format", "pt\n"}};
  return {"pipeline folder", {part}};
}

TEST(FactsTextTest, TablesAreAlignedAndSafeForTerminals) {
  EXPECT_EQ(facts_text({{"a", "1"}, {"long", "2\n3"}}, "  "), "  a     1\n  long  2\\x0a3\n");
  EXPECT_EQ(report_text(report(), true),
            "pipeline folder\n\nunet\\x1b\n"
            "  class            UNet2DConditionModel\n"
            "  size             16\n"
            "  tensors          2\n"
            "  parameters       109\n"
            "  precision        F16 (1), F32 (1)\n"
            "  metadata format  pt\\x0a\n"
            "    conv.weight  F16  [4, 3, 3, 3]\n"
            "    b            F32  []\n");
  EXPECT_EQ(report_text(report(), false).find("conv.weight"), std::string::npos);
}

TEST(FactsTextTest, JsonHoldsTheSame) {
  const auto json = nlohmann::json::parse(report_json(report(), true));
  EXPECT_EQ(json["kind"], "pipeline folder");
  const auto& part = json["parts"][0];
  EXPECT_EQ(part["facts"]["size"], "16");
  EXPECT_EQ(part["parameter_count"], 109);
  EXPECT_EQ(part["metadata"]["format"], "pt\n");
  EXPECT_EQ(part["tensors"][0]["shape"], (std::vector<int>{4, 3, 3, 3}));
  EXPECT_FALSE(nlohmann::json::parse(report_json(report(), false))["parts"][0].contains("tensors"));
  EXPECT_EQ(nlohmann::json::parse(facts_json({{"x", "\xff"}}))["x"], "\ufffd");
}

}  // namespace
}  // namespace fjord::cli
