#include "nn/module.h"

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

void Module::collect(const std::string& prefix, std::vector<NamedParameter>& out) {
  for (const auto& [name, tensor] : parameters_) out.push_back({prefix + name, tensor});
  for (const auto& [name, module] : children_) module->collect(prefix + name + ".", out);
}

}  // namespace fjord::nn
