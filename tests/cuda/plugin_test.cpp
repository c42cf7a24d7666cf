// The plug-in itself, as far as a machine without a GPU can load it. In a process of its own: LibTorch's CUDA library
// stays once it is loaded.
#include "core/cuda_plugin.h"

#include <gtest/gtest.h>

#include <dlfcn.h>

namespace fjord {
namespace {

#ifdef FJORD_CUDA_PLUGIN_PATH
TEST(CudaPluginTest, LoadsAndSaysWhatIsMissing) {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
    GTEST_SKIP() << "LibTorch's CUDA libraries are not installed (scripts/setup.sh --cuda): " << dlerror();
  const auto plugin = open_cuda_plugin({}, FJORD_CUDA_PLUGIN_PATH);
  ASSERT_NE(plugin.ops, nullptr) << plugin.fault;
  EXPECT_EQ(plugin.fault, "");
  const auto driver = probe_cuda_driver();
  EXPECT_EQ(plugin.ops->device_fault().empty(), driver.fault.empty()) << plugin.ops->device_fault();
}
#endif

}  // namespace
}  // namespace fjord
