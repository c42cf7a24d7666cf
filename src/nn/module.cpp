#include "nn/module.h"

#include "core/check.h"
#include "core/parallel.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace fjord::nn {

Module::Module(const Place& place) : options_(place.options) {
  if (place.parent != nullptr) place.parent->children_.emplace_back(place.name, this);
}

std::vector<NamedModule> Module::modules() {
  std::vector<NamedModule> out;
  collect("", out);
  return out;
}

void Module::collect(const std::string& name, std::vector<NamedModule>& out) {
  out.push_back({name, this});
  for (const auto& [child_name, child] : children_)
    child->collect(name.empty() ? child_name : name + "." + child_name, out);
}

std::vector<NamedParameter> Module::own_parameters() const {
  std::vector<NamedParameter> out;
  for (const auto& [name, tensor] : parameters_) out.push_back({name, tensor});
  return out;
}

std::vector<NamedParameter> Module::named_parameters() {
  std::vector<NamedParameter> out;
  for (const auto& named : modules()) {
    for (const auto& [name, tensor] : named.module->own_parameters()) out.push_back({named.key(name), tensor});
  }
  return out;
}

at::Tensor& Module::parameter(at::Tensor& member, std::string name, at::IntArrayRef shape) {
  member = at::empty(shape, options_);
  parameters_.emplace_back(std::move(name), &member);
  return member;
}

void Module::make_plain(at::Tensor& weight) const {
  if (weight.scalar_type() != at::kChar) return;
  std::vector<std::int64_t> along_rows(static_cast<size_t>(weight.dim()), 1);
  along_rows.front() = weight.size(0);
  weight = weight.to(at::kFloat).mul_(int8_.factors.to(weight.device()).view(along_rows)).to(options_);
}

void Module::unpack_int8() {
  for (auto& [name, tensor] : parameters_) {
    make_plain(*tensor);
    // Convolutions on a GPU run channels last, and would copy their kernels so at every call.
    if (tensor->is_cuda() && tensor->dim() == 4) *tensor = tensor->contiguous(at::MemoryFormat::ChannelsLast);
  }
}

void Module::pack(const kernels::CpuKernels& kernels) {
  kernels_ = &kernels;
  pack_weights();
}

void Module::pack_all(const kernels::CpuKernels& kernels) {
  const auto all = modules();
  parallel_for_each(static_cast<std::int64_t>(all.size()),
                    [&](std::int64_t i, int) { all[static_cast<size_t>(i)].module->pack(kernels); });
}

void Module::replace_weight(const at::Tensor& weight) {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(), [](const auto& each) { return each.first == "weight"; });
  check(found != parameters_.end(), ErrorCode::kInternal, "a module without weight");
  *found->second = weight.to(options_);
  int8_ = {};
  if (kernels_ != nullptr) pack_weights();
}

void Module::share(const Module& other) {
  check(parameters_.size() == other.parameters_.size(), ErrorCode::kInternal, "modules of different classes");
  options_ = other.options_;
  kernels_ = other.kernels_;
  int8_ = other.int8_;
  for (size_t i = 0; i < parameters_.size(); ++i) *parameters_[i].second = *other.parameters_[i].second;
  share_packed(other);
}

void Module::share_all(const Module& other) {
  check(children_.size() == other.children_.size(), ErrorCode::kInternal, "trees of different configurations");
  share(other);
  for (size_t i = 0; i < children_.size(); ++i) children_[i].second->share_all(*other.children_[i].second);
}

}  // namespace fjord::nn
