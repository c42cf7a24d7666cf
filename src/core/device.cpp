#include "core/device.h"

#include "core/check.h"
#include "core/cuda_plugin.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <omp.h>

#include <algorithm>
#include <cctype>

namespace fjord {
namespace {

thread_local int limits = 0;  // ThreadLimits on this thread
thread_local int cap = 0;

bool is_cuda_name(const std::string& name) {
  if (name == "cuda") return true;
  return name.size() > 5 && name.size() <= 8 && name.starts_with("cuda:") &&
         std::all_of(name.begin() + 5, name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

at::Device parse_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return cuda_plugin().ops != nullptr ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  check(is_cuda_name(name), ErrorCode::kInvalidArgument, "device must be auto, cpu, cuda or cuda:<index>, got ",
        quoted(name));
  const auto& plugin = cuda_plugin();
  check(plugin.ops != nullptr, ErrorCode::kDeviceUnavailable, "device ", name, " is not available: ", plugin.fault);
  const int index = name == "cuda" ? 0 : std::stoi(name.substr(5));
  const auto count = static_cast<int>(plugin.driver.gpus.size());
  check(index < count, ErrorCode::kDeviceUnavailable, "device ", name, " is not available: there are ", count, " GPUs");
  const auto& gpu = plugin.driver.gpus[static_cast<size_t>(index)];
  check(gpu.capability >= kLeastCapability, ErrorCode::kDeviceUnavailable, "device ", name,
        " is not available: the GPU ", gpu.name, " has compute capability ", gpu.capability / 10, ".",
        gpu.capability % 10, ", fjord needs 8.0");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

at::ScalarType to_scalar_type(Precision precision, const at::Device& device) {
  switch (precision) {
    case Precision::kFloat32: return at::kFloat;
    case Precision::kBFloat16: return at::kBFloat16;
    case Precision::kFloat16: return at::kHalf;
    case Precision::kAuto: return device.is_cpu() ? at::kFloat : at::kBFloat16;
  }
  fail(ErrorCode::kInvalidArgument, "unknown precision ", static_cast<int>(precision));
}

// at::set_num_threads would change the number of every thread that uses LibTorch for the first time afterwards, so the
// thread's own setting in OpenMP is changed, which is what LibTorch reads.
ThreadLimit::ThreadLimit(int threads) : previous_(omp_get_max_threads()) {
  static const int usual = at::get_num_threads();  // LibTorch sets up a thread's number when it is first asked
  at::get_num_threads();
  int wanted = threads > 0 ? threads : limits > 0 ? previous_ : std::min(previous_, usual);
  if (cap > 0) wanted = std::min(wanted, cap);
  omp_set_num_threads(wanted);
  ++limits;
}

ThreadLimit::~ThreadLimit() {
  --limits;
  omp_set_num_threads(previous_);
}

ThreadCap::ThreadCap(int threads) : previous_(cap) { cap = threads; }
ThreadCap::~ThreadCap() { cap = previous_; }

}  // namespace fjord
