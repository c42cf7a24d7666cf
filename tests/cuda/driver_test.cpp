#include "core/cuda_driver.h"

#include "core/cuda_plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fjord {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CudaDriverTest, SaysThatThereIsNone) {
  const auto driver = probe_cuda_driver("libcuda_that_is_not_there.so");
  EXPECT_THAT(driver.fault, StartsWith("there is no NVIDIA driver (libcuda_that_is_not_there.so: cannot open"));
  EXPECT_TRUE(driver.gpus.empty());
}

// A library without the driver's functions: none of them is called.
TEST(CudaDriverTest, SaysThatALibraryIsNoDriver) {
  EXPECT_THAT(probe_cuda_driver("libm.so.6").fault, HasSubstr("does not start"));
}

TEST(CudaPluginTest, GivesTheDriversFault) {
  CudaDriver driver;
  driver.fault = "the NVIDIA driver finds no GPU";
  const auto plugin = open_cuda_plugin(driver, "/nowhere/libfjord_cuda.so");
  EXPECT_EQ(plugin.ops, nullptr);
  EXPECT_EQ(plugin.fault, driver.fault);
}

TEST(CudaPluginTest, SaysThatItIsNotThere) {
  const auto plugin = open_cuda_plugin({}, "/nowhere/libfjord_cuda.so");
  EXPECT_EQ(plugin.ops, nullptr);
  EXPECT_THAT(plugin.fault, StartsWith("the plug-in /nowhere/libfjord_cuda.so is not there"));
}

}  // namespace
}  // namespace fjord
