#include "core/device.h"

#include <ATen/Parallel.h>

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
  EXPECT_TRUE(parse_device("auto").is_cpu());
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", "CPU"}) {
    EXPECT_EQ(code_of(name), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(code_of("cuda"), ErrorCode::kDeviceUnavailable);
  EXPECT_EQ(code_of("cuda:3"), ErrorCode::kDeviceUnavailable);
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
