#include "core/device.h"

#include "core/cuda_plugin.h"

#include <ATen/Parallel.h>

#include <omp.h>

#include <thread>

namespace fjord {
namespace {

ErrorCode code_of(const std::string& name) {
  try {
    parse_device(name);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << name;
  return ErrorCode::kInternal;
}

TEST(DeviceTest, ParsesNames) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  EXPECT_EQ(parse_device("auto").is_cpu(), cuda_plugin().ops == nullptr);
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", "CPU"}) {
    EXPECT_EQ(code_of(name), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(code_of("cuda:999"), ErrorCode::kDeviceUnavailable);
  EXPECT_TRUE(cuda_plugin().ops != nullptr || code_of("cuda") == ErrorCode::kDeviceUnavailable);
}

TEST(ThreadLimitTest, LeavesTheHostsOpenMpSettingAndOtherThreadsAlone) {
  const auto of_another_thread = [] {
    int seen = 0;
    std::thread([&seen] { seen = at::get_num_threads(); }).join();
    return seen;
  };
  const int usual = of_another_thread();
  omp_set_num_threads(usual + 2);
  {
    const ThreadLimit limit(usual + 1);
    EXPECT_EQ(of_another_thread(), usual);  // at::set_num_threads would have changed it
    EXPECT_EQ(omp_get_max_threads(), usual + 1);
  }
  EXPECT_EQ(omp_get_max_threads(), usual + 2);
}

TEST(ThreadLimitTest, ACapHoldsForAllLimitsWithin) {
  const ThreadCap cap(1);
  const ThreadLimit limit(4);
  EXPECT_EQ(at::get_num_threads(), 1);
}

TEST(ThreadLimitTest, HoldsInItsScopeOnly) {
  const int before = at::get_num_threads();
  {
    const ThreadLimit limit(before + 1);
    EXPECT_EQ(at::get_num_threads(), before + 1);
    const ThreadLimit none(0);
    EXPECT_EQ(at::get_num_threads(), before + 1);
  }
  EXPECT_EQ(at::get_num_threads(), before);
}

}  // namespace
}  // namespace fjord
