#include "nn/module.h"

#include "core/parallel.h"

#include <ATen/ops/empty.h>

namespace fjord::nn {

Module::Module(const Place& place) : options_(place.options) {
  if (place.parent != nullptr) place.parent->children_.emplace_back(place.name, this);
}

std::vector<NamedParameter> Module::named_parameters() {
  std::vector<NamedParameter> out;
  collect("", out);
  return out;
}

at::Tensor& Module::parameter(at::Tensor& member, std::string name, at::IntArrayRef shape) {
  member = at::empty(shape, options_);
  parameters_.emplace_back(std::move(name), &member);
  return member;
}

void Module::pack(const kernels::CpuKernels& kernels) {
  std::vector<Module*> modules;
  collect_modules(modules);
  parallel_for_each(static_cast<std::int64_t>(modules.size()), [&](std::int64_t i, int) {
    auto& module = *modules[static_cast<size_t>(i)];
    module.kernels_ = &kernels;
    module.pack_weights();
  });
}

void Module::collect_modules(std::vector<Module*>& out) {
  out.push_back(this);
  for (const auto& child : children_) child.second->collect_modules(out);
}

void Module::collect(const std::string& prefix, std::vector<NamedParameter>& out) {
  for (const auto& [name, tensor] : parameters_) out.push_back({prefix + name, tensor});
  for (const auto& [name, module] : children_) module->collect(prefix + name + ".", out);
}

}  // namespace fjord::nn
