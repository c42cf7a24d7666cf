#include "nn/module.h"

#include "core/check.h"
#include "core/cuda_plugin.h"
#include "core/parallel.h"

#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

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

ops::StoredWeight Module::stored(const at::Tensor& weight) const {
  if (few_bits_.shape.empty()) return {weight, kernels::WeightKind::kPlain, {}, weight.numel() / weight.size(0)};
  return {weight, few_bits_.kind, few_bits_.factors, c10::multiply_integers(few_bits_.shape) / few_bits_.shape.front()};
}

void Module::make_plain() {
  for (auto& [name, tensor] : parameters_) {
    if (name == "weight" && !few_bits_.shape.empty()) {
      *tensor = ops::plain_numbers(stored(*tensor)).view(few_bits_.shape).to(options_);
    }
    // Convolutions on a GPU run channels last, and would copy their kernels so at every call.
    if (tensor->is_cuda() && tensor->dim() == 4) *tensor = tensor->contiguous(at::MemoryFormat::ChannelsLast);
  }
  few_bits_ = {};
}

void Module::pack(const kernels::CpuKernels& kernels) {
  kernels_ = &kernels;
  pack_weights();
  few_bits_ = {};  // what is needed of it lies with the packed weight
}

void Module::pack_all(const kernels::CpuKernels& kernels) {
  const auto all = modules();
  parallel_for_each(static_cast<std::int64_t>(all.size()),
                    [&](std::int64_t i, int) { all[static_cast<size_t>(i)].module->pack(kernels); });
}

void Module::use_cuda_paths(const CudaPaths& paths) {
  for (const auto& named : modules()) named.module->cuda_paths_ = paths;
}

void Module::rest(const CudaOps& cuda, at::Device device) {
  for (auto& [name, tensor] : parameters_) {
    if (!packs_weight() || name != "weight") {
      *tensor = tensor->to(device);
      continue;
    }
    // As a GPU's convolutions read it.
    *tensor = cuda.rest(tensor->dim() == 4 ? tensor->contiguous(at::MemoryFormat::ChannelsLast) : *tensor);
  }
  options_ = options_.device(device);
  rests_ = true;
}

at::Tensor Module::at_hand(const at::Tensor& weight) const {
  return rests_ ? cuda_ops(options_.device())->upload(weight, options_.device()) : weight;
}

const CudaOps* Module::product_ops(const at::Tensor& x) const {
  return cuda_paths_.sums || cuda_paths_.products ? cuda_ops(x) : nullptr;
}

void Module::replace_weight(const at::Tensor& weight) {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(), [](const auto& each) { return each.first == "weight"; });
  check(found != parameters_.end(), ErrorCode::kInternal, "a module without weight");
  *found->second = weight.to(options_);
  if (rests_) *found->second = cuda_ops(options_.device())->rest(*found->second);
  few_bits_ = {};
  if (kernels_ != nullptr) pack_weights();
}

void Module::share(const Module& other) {
  check(parameters_.size() == other.parameters_.size(), ErrorCode::kInternal, "modules of different classes");
  options_ = other.options_;
  kernels_ = other.kernels_;
  few_bits_ = other.few_bits_;
  cuda_paths_ = other.cuda_paths_;
  rests_ = other.rests_;
  for (size_t i = 0; i < parameters_.size(); ++i) *parameters_[i].second = *other.parameters_[i].second;
  share_packed(other);
}

void Module::share_all(const Module& other) {
  check(children_.size() == other.children_.size(), ErrorCode::kInternal, "trees of different configurations");
  share(other);
  for (size_t i = 0; i < children_.size(); ++i) children_[i].second->share_all(*other.children_[i].second);
}

}  // namespace fjord::nn
