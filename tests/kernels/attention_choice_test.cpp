#include "kernels/cuda/attention_choice.h"

#include "support/error_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fjord::kernels::cuda {
namespace {

using enum AttentionKind;
using ::testing::HasSubstr;

struct Row {
  AttentionShape shape;
  AttentionMachine machine;
  AttentionKind expected;
  bool resident;
};

constexpr auto kBf16 = Element::kBFloat16;
constexpr AttentionMachine kA100 = {80, false}, kAda = {89, false}, kHopper = {90, true}, kBlackwell = {120, true},
                           kTuring = {75, false};

// Layers of the published models, batch 2 for guidance.
const std::vector<Row> kTable = {
    {{kBf16, 2, 8, 40, 4096, 4096}, kA100, kOwn, false},
    {{kBf16, 2, 8, 40, 4096, 4096}, kHopper, kOwnHopper, false},
    {{kBf16, 2, 8, 40, 4096, 4096}, {90, false}, kOwn, false},
    {{kBf16, 2, 8, 40, 4096, 4096}, kBlackwell, kOwn, false},
    {{kBf16, 2, 8, 40, 4096, 4096}, kTuring, kMemEfficient, false},
    {{kBf16, 2, 8, 80, 1024, 1024}, kAda, kOwn, false},
    {{kBf16, 2, 8, 160, 256, 256}, kAda, kOwn, false},
    {{kBf16, 2, 8, 160, 64, 64}, kAda, kOwn, true},
    {{kBf16, 2, 8, 160, 1024, 1024}, kAda, kOwn, false},
    {{kBf16, 2, 8, 40, 4096, 77}, kA100, kOwn, true},
    {{kBf16, 2, 8, 160, 64, 231}, kAda, kOwn, false},
    {{kBf16, 2, 8, 160, 64, 231}, kA100, kOwn, false},
    {{kBf16, 2, 8, 160, 64, 231}, kHopper, kOwn, true},
    {{kBf16, 2, 10, 64, 4096, 4096}, kA100, kFlash, false},
    {{kBf16, 2, 10, 64, 4096, 4096}, kHopper, kCudnn, false},
    {{kBf16, 2, 20, 64, 1024, 77}, kHopper, kOwn, true},
    {{Element::kFloat32, 2, 8, 40, 4096, 4096}, kHopper, kMemEfficient, false},
    {{Element::kFloat32, 2, 8, 6, 64, 64}, kHopper, kMath, false},
    {{kBf16, 1, 1, 512, 16384, 16384}, kHopper, kChunked, false},
    {{Element::kFloat32, 1, 1, 512, 4096, 4096}, kA100, kChunked, false},
    {{kBf16, 1, 12, 64, 77, 77, true}, kHopper, kCudnn, false},
    {{kBf16, 2, 4, 20, 256, 256}, kA100, kMath, false},
    {{kBf16, 2, 4, 24, 256, 256}, kA100, kFlash, false},
};

TEST(AttentionChoiceTest, FollowsTheTable) {
  for (const auto& row : kTable) {
    const auto choice = choose_attention(row.shape, row.machine);
    EXPECT_EQ(choice.kind, row.expected) << "row " << &row - kTable.data() << ": " << to_string(choice.kind);
    EXPECT_EQ(choice.resident_keys, row.resident) << "row " << &row - kTable.data();
    EXPECT_FALSE(choice.reason.empty());
    EXPECT_EQ(choice.refused.size(), attention_kinds().size() - 1);
    for (const auto& refusal : choice.refused) EXPECT_FALSE(refusal.reason.empty());
  }
}

TEST(AttentionChoiceTest, ForcedKindIsTakenOrRefusedByName) {
  const AttentionShape small{kBf16, 2, 8, 40, 4096, 4096}, large{kBf16, 1, 1, 512, 4096, 4096};
  EXPECT_EQ(choose_attention(small, kA100, kMath).kind, kMath);
  EXPECT_EQ(choose_attention(small, kA100, kCudnn).kind, kCudnn);
  const auto error = testing::error_of([&] { choose_attention(large, kA100, kFlash); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(),
              HasSubstr("attention flash cannot serve 1 heads of size 512: it takes head sizes up to 256"));
  EXPECT_EQ(testing::error_of([&] { choose_attention(small, kA100, kOwnHopper); }).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(testing::error_of([&] { choose_attention(small, kA100, kChunked); }).code(), ErrorCode::kUnsupported);
}

TEST(AttentionChoiceTest, ReadsNames) {
  EXPECT_FALSE(parse_attention("auto"));
  for (const auto kind : attention_kinds()) EXPECT_EQ(parse_attention(to_string(kind)), kind);
  EXPECT_EQ(testing::error_of([] { parse_attention("xformers"); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(parse_capability("sm_90"), 90);
  EXPECT_EQ(parse_capability("sm_90a"), 90);
  EXPECT_EQ(parse_capability("8.6"), 86);
  EXPECT_EQ(parse_capability("120"), 120);
  for (const char* name : {"", "sm_", "hopper", "sm_9", "sm_9000", "90b"})
    EXPECT_EQ(testing::error_of([&] { parse_capability(name); }).code(), ErrorCode::kInvalidArgument) << name;
}

}  // namespace
}  // namespace fjord::kernels::cuda
