// system_facts() of the public interface: what `fjord doctor` prints.
#include <fjord/inspect.h>
#include <fjord/version.h>

#include "core/check.h"
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
      {"devices", "cpu"},
      {"cuda", "off: this build of fjord runs on the CPU only"},
      {"precisions", "float32, bfloat16"},
      {"schedulers", joined(schedulers::scheduler_names())},
  };
}

}  // namespace fjord
