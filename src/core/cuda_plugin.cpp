#include "core/cuda_plugin.h"

#include "core/check.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace fjord {
namespace {

constexpr const char* kName = "libfjord_cuda.so";

std::atomic<const CudaOps*> stand_in = nullptr;  // of CudaOpsScope

std::string folder_of_this_code() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&cuda_plugin), &info) == 0 || info.dli_fname == nullptr) return ".";
  return std::filesystem::absolute(info.dli_fname).parent_path().string();
}

// Beside the library, or beside bin/ in lib/.
std::string find_plugin() {
  if (const char* given = std::getenv("FJORD_CUDA_PLUGIN"); given != nullptr && *given != '\0') return given;
  const auto folder = folder_of_this_code();
  for (const auto& path : {folder + "/" + kName, folder + "/../lib/" + kName}) {
    if (std::filesystem::exists(path)) return std::filesystem::path(path).lexically_normal().string();
  }
  return folder + "/" + kName;
}

// Never closed: LibTorch's registrations cannot be taken back.
std::string open_for_good(const char* name) {
  return dlopen(name, RTLD_NOW | RTLD_GLOBAL) == nullptr ? std::string(dlerror()) : std::string();
}

}  // namespace

CudaPlugin open_cuda_plugin(const CudaDriver& driver, const std::string& path) {
  CudaPlugin plugin{.ops = nullptr, .fault = driver.fault, .driver = driver, .path = path};
  if (!plugin.fault.empty()) return plugin;
  if (!std::filesystem::exists(path)) {
    plugin.fault = concat("the plug-in ", path, " is not there; build with CUDA (docs/cuda.md)");
    return plugin;
  }
  if (const auto error = open_for_good("libtorch_cuda.so"); !error.empty()) {
    plugin.fault =
        concat("LibTorch's CUDA library cannot be loaded (", error, "); scripts/setup.sh --cuda installs it");
    return plugin;
  }
  if (const auto error = open_for_good(path.c_str()); !error.empty()) {
    plugin.fault = concat("the plug-in cannot be loaded (", error, ")");
    return plugin;
  }
  using Entry = const CudaOps* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD), "fjord_cuda_ops"));
  const CudaOps* const ops = entry != nullptr ? entry() : nullptr;
  if (ops == nullptr || ops->version != CudaOps::kVersion) {
    plugin.fault = concat("the plug-in ", path, " belongs to another version of fjord");
    return plugin;
  }
  plugin.ops = ops;
  return plugin;
}

const CudaPlugin& cuda_plugin() {
  static const CudaPlugin plugin = open_cuda_plugin(probe_cuda_driver(), find_plugin());
  return plugin;
}

const CudaOps* cuda_ops(const at::Tensor& x) { return x.defined() ? cuda_ops(x.device()) : nullptr; }

const CudaOps* cuda_ops(at::Device device) {
  if (const CudaOps* ops = stand_in) return ops;
  return device.is_cuda() ? cuda_plugin().ops : nullptr;
}

CudaOpsScope::CudaOpsScope(const CudaOps* ops) : previous_(stand_in) { stand_in = ops; }
CudaOpsScope::~CudaOpsScope() { stand_in = previous_; }

}  // namespace fjord
