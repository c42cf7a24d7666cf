#include "pipeline/cpu_kernels.h"

#include "core/check.h"

#include <fjord/inspect.h>

namespace fjord {

std::vector<std::string> cpu_kernel_names() {
  std::vector<std::string> out;
  for (const auto* table : kernels::supported_cpu_kernels()) out.emplace_back(table->name);
  return out;
}

namespace pipeline {

const kernels::CpuKernels* choose_cpu_kernels(const std::string& name) {
  if (name == "reference") return nullptr;
  const auto& tables = kernels::supported_cpu_kernels();
  if (name == "auto") return tables.front();
  std::string names;
  for (const auto* table : tables) {
    if (name == table->name) return table;
    names += std::string(", ") + table->name;
  }
  fail(ErrorCode::kInvalidArgument, "CPU kernels must be auto, reference", names, ", got ", quoted(name));
}

}  // namespace pipeline
}  // namespace fjord
