// system_facts() of the public interface: what `fjord doctor` prints.
#include <fjord/inspect.h>
#include <fjord/version.h>

#include "core/check.h"
#include "core/cuda_plugin.h"
#include "schedulers/make_scheduler.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <sys/resource.h>
#include <fstream>
#include <thread>

namespace fjord {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// A line of /proc/meminfo in MiB.
std::string memory(const std::string& field) {
  std::ifstream file("/proc/meminfo");
  for (std::string name; file >> name;) {
    std::int64_t kib = 0;
    file >> kib;
    if (name == field + ":") return concat(kib / 1024, " MiB");
    file.ignore(1 << 10, '\n');
  }
  return "unknown";
}

std::string limit_of(decltype(RLIMIT_AS) resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return "unknown";
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : concat(limit.rlim_cur);
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string gpu_text(const CudaGpu& gpu) {
  return concat(gpu.name, " (sm_", gpu.capability, ", ", gpu.memory >> 20, " MiB)");
}

std::string devices() {
  std::vector<std::string> names = {"cpu"};
  if (cuda_plugin().ops != nullptr) {
    for (size_t i = 0; i < cuda_plugin().driver.gpus.size(); ++i) names.push_back(concat("cuda:", i));
  }
  return joined(names);
}

std::string cuda_state() {
  const auto& plugin = cuda_plugin();
  std::vector<std::string> parts;
  for (const auto& gpu : plugin.driver.gpus) parts.push_back(gpu_text(gpu));
  const int version = plugin.driver.version;
  if (version > 0) parts.push_back(concat("driver for CUDA ", version / 1000, ".", version % 1000 / 10));
  if (plugin.ops != nullptr) return "on: " + joined(parts);
  return "off: " + plugin.fault + (parts.empty() ? "" : "; " + joined(parts));
}

}  // namespace

Facts system_facts() {
  return {
      {"fjord", version()},
      {"LibTorch", TORCH_VERSION},
      {"processor", processor_name()},
      {"processors", concat(std::thread::hardware_concurrency())},
      {"CPU kernels", joined(cpu_kernel_names())},
      {"LibTorch CPU kernels", at::get_cpu_capability()},
      {"threads", concat(at::get_num_threads())},
      {"OpenMP", at::hasOpenMP() ? "yes" : "no"},
      {"oneDNN", at::hasMKLDNN() ? "yes" : "no"},
      {"memory", memory("MemTotal")},
      {"memory available", memory("MemAvailable")},
      {"address space limit (bytes)", limit_of(RLIMIT_AS)},
      {"open files limit", limit_of(RLIMIT_NOFILE)},
      {"devices", devices()},
      {"cuda", cuda_state()},
      {"precisions", "float32, bfloat16; on a GPU also float16"},
      {"schedulers", joined(schedulers::scheduler_names())},
  };
}

}  // namespace fjord
