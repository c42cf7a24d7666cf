// The texts of the bar and of the JSON lines.
#include "cli/progress_bar.h"

#include "cli/exit_codes.h"
#include "cli/progress_json.h"

#include <gtest/gtest.h>

#include <limits>

namespace fjord::cli {
namespace {

TEST(ProgressBarTest, PaceCountsFromTheFirstStep) {
  const Pace pace = pace_of({Phase::kDenoise, 4, 20, 9.0}, 1.0);
  EXPECT_DOUBLE_EQ(pace.steps_per_second, 0.5);
  EXPECT_DOUBLE_EQ(pace.eta_seconds, 32.0);
  EXPECT_EQ(pace_of({Phase::kDenoise, 0, 20, 9.0}, 1.0).steps_per_second, 0.0);
  EXPECT_EQ(pace_of({Phase::kDenoise, 1, 20, 1.0}, 1.0).steps_per_second, 0.0);
}

TEST(ProgressBarTest, ClockShowsHoursOnlyWhereNeeded) {
  EXPECT_EQ(clock_text(0.0), "0:00");
  EXPECT_EQ(clock_text(7.6), "0:08");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(754.0), "12:34");
  EXPECT_EQ(clock_text(3723.0), "1:02:03");
  EXPECT_EQ(clock_text(-1.0), "0:00");
  EXPECT_EQ(clock_text(std::numeric_limits<double>::quiet_NaN()), "0:00");
  EXPECT_EQ(clock_text(std::numeric_limits<double>::infinity()), "100000:00:00");
}

TEST(ProgressBarTest, BarShowsStepRateAndEta) {
  const Progress progress{Phase::kDenoise, 3, 20, 1.5};
  // 79 columns: 13 of words, 26 of figures, a blank and two brackets leave 37 for the bar.
  EXPECT_EQ(bar_text(progress, {2.0, 8.5}, 79),
            "denoise  3/20 [#####--------------------------------]  15%  2.00 it/s  ETA 0:09");
  EXPECT_EQ(bar_text(progress, {25.0, 0.7}, 40), "denoise  3/20  15%  25.0 it/s  ETA 0:01");
  EXPECT_EQ(bar_text({Phase::kDenoise, 0, 4, 0.1}, {}, 30), "denoise 0/4 [-----------]   0%");
  EXPECT_EQ(bar_text({Phase::kDecode, 4, 4, 0.1}, {}, 30), "decode 4/4 [############] 100%");
}

TEST(ProgressBarTest, BarNeverExceedsTheTerminal) {
  for (int columns = 0; columns < 200; ++columns) {
    const std::string text = bar_text({Phase::kDenoise, 999, 1000, 1.0}, {123.4, 5000.0}, columns);
    EXPECT_LE(text.size(), static_cast<size_t>(columns));
  }
  EXPECT_EQ(bar_text({Phase::kEncodePrompt, 0, 0, 0.0}, {}, 60).find("encode_prompt 0/0"), 0u);
}

TEST(ProgressBarTest, ModesAreReadByName) {
  EXPECT_EQ(parse_progress_mode("auto"), ProgressMode::kAuto);
  EXPECT_EQ(parse_progress_mode("bar"), ProgressMode::kBar);
  EXPECT_EQ(parse_progress_mode("json"), ProgressMode::kJson);
  EXPECT_EQ(parse_progress_mode("none"), ProgressMode::kNone);
  EXPECT_THROW(parse_progress_mode("loud"), UsageError);
}

TEST(ProgressJsonTest, LinesAreWholeObjects) {
  EXPECT_EQ(loading_line("weights/\"x\"\xff"), "{\"phase\":\"load\",\"model\":\"weights/\\\"x\\\"\ufffd\"}\n");
  EXPECT_EQ(progress_line({Phase::kDenoise, 3, 20, 1.4124}, {2.0, 8.0006}),
            "{\"phase\":\"denoise\",\"step\":3,\"steps\":20,\"seconds\":1.412,\"eta_seconds\":8.001}\n");
  EXPECT_EQ(progress_line({Phase::kEncodePrompt, 0, 20, 0.5}, {}),
            "{\"phase\":\"encode_prompt\",\"step\":0,\"steps\":20,\"seconds\":0.5,\"eta_seconds\":null}\n");
  Result result;
  result.request.seed = std::numeric_limits<std::uint64_t>::max();
  result.seconds = 2.0;
  result.warnings = {"cut"};
  EXPECT_EQ(done_line(result, {"a.png"}, "l.safetensors"),
            "{\"phase\":\"done\",\"files\":[\"a.png\"],\"seed\":18446744073709551615,\"seconds\":2.0,"
            "\"warnings\":[\"cut\"],\"latents\":\"l.safetensors\"}\n");
}

}  // namespace
}  // namespace fjord::cli
