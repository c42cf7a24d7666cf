// The few functions are declared here as NVIDIA's CUDA driver API documents them; no CUDA header is needed.
#include "core/cuda_driver.h"

#include "core/check.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>

namespace fjord {
namespace {

constexpr int kMajor = 75, kMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*

struct DriverApi {
  void* library = nullptr;

  // Calls a function by its name; 0 is success, -1 a function that the driver does not have.
  template <typename... Arguments>
  int call(const char* function, Arguments... arguments) const {
    using Function = int (*)(Arguments...);
    const auto address = reinterpret_cast<Function>(dlsym(library, function));
    return address == nullptr ? -1 : address(arguments...);
  }
};

std::string version_text(int version) { return concat(version / 1000, ".", version % 1000 / 10); }

CudaGpu describe(const DriverApi& api, int index) {
  CudaGpu gpu;
  int device = 0, major = 0, minor = 0;
  size_t memory = 0;
  std::array<char, 256> name = {};
  api.call("cuDeviceGet", &device, index);
  api.call("cuDeviceGetName", name.data(), static_cast<int>(name.size() - 1), device);
  api.call("cuDeviceGetAttribute", &major, kMajor, device);
  api.call("cuDeviceGetAttribute", &minor, kMinor, device);
  api.call("cuDeviceTotalMem_v2", &memory, device);
  gpu.name = name.data();
  gpu.capability = 10 * major + minor;
  gpu.memory = memory;
  return gpu;
}

std::string fault_of(const CudaDriver& driver) {
  if (driver.version < kCudaVersion)
    return concat("the NVIDIA driver serves CUDA up to ", version_text(driver.version), ", fjord needs ",
                  version_text(kCudaVersion), ": a newer driver is needed");
  if (driver.gpus.empty()) return "the NVIDIA driver finds no GPU";
  const auto best = std::max_element(driver.gpus.begin(), driver.gpus.end(),
                                     [](const auto& a, const auto& b) { return a.capability < b.capability; });
  if (best->capability < kLeastCapability)
    return concat("the GPU ", best->name, " has compute capability ", best->capability / 10, ".", best->capability % 10,
                  ", fjord needs 8.0");
  return "";
}

}  // namespace

CudaDriver probe_cuda_driver(const std::string& name) {
  CudaDriver driver;
  const DriverApi api{dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)};
  if (api.library == nullptr) {
    driver.fault = concat("there is no NVIDIA driver (", dlerror(), ")");
    return driver;
  }
  const int error = api.call("cuInit", 0U);
  api.call("cuDriverGetVersion", &driver.version);
  if (error != 0) {
    driver.fault = error == 100 ? "the NVIDIA driver finds no GPU"
                                : concat("the NVIDIA driver does not start (CUDA error ", error, ")");
    return driver;
  }
  int count = 0;
  api.call("cuDeviceGetCount", &count);
  for (int i = 0; i < count; ++i) driver.gpus.push_back(describe(api, i));
  driver.fault = fault_of(driver);
  return driver;
}

}  // namespace fjord
