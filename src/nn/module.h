// The module tree: every class of src/models is a Module whose members are named as the checkpoint's keys.
// Unlike torch::nn::Module it costs no autograd headers, allows dots in names ("to_out.0"), and its parameters are
// born empty on their final device and dtype (torch::nn fills them with random numbers first).
#pragma once

#include "core/cuda_ops.h"
#include "core/cuda_paths.h"
#include "kernels/cpu/kernels.h"
#include "ops/stored_weight.h"

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fjord::nn {

class Module;

// How a parameter "weight" is stored that has fewer bits than numbers of its dtype.
struct FewBits {
  kernels::WeightKind kind = kernels::WeightKind::kPlain;
  at::Tensor factors;               // see ops::StoredWeight
  std::vector<std::int64_t> shape;  // of the weight, whose values may be packed
};

// Where a new module hangs: its parent (null for a root), its name there, and the dtype and device of its parameters.
struct Place {
  Module* parent = nullptr;
  std::string name;
  at::TensorOptions options;
};

struct NamedParameter {
  std::string name;  // full key, e.g. "down_blocks.0.resnets.1.conv1.weight"
  at::Tensor* tensor = nullptr;
};

struct NamedModule {
  std::string name;
  Module* module = nullptr;

  // The full key of a parameter of it.
  std::string key(const std::string& parameter) const { return name.empty() ? parameter : name + "." + parameter; }
};

class Module {
 public:
  explicit Module(const Place& place);
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Every parameter below this module, in the order of construction.
  std::vector<NamedParameter> named_parameters();
  const at::TensorOptions& options() const { return options_; }

  // This module and every one below with their names, "" for this one.
  std::vector<NamedModule> modules();
  // The parameters of this module alone.
  std::vector<NamedParameter> own_parameters() const;

  // Says how the parameter "weight" is stored; before pack().
  void set_few_bits(FewBits bits) { few_bits_ = std::move(bits); }

  // Whether pack() replaces the parameter "weight" by a packed one.
  virtual bool packs_weight() const { return false; }

  // A weight of few bits that the kernels do not take becomes a plain one; without pack().
  void make_plain();

  // Makes this module alone run on our CPU kernels: once, after its weights have been read and before the first
  // forward. A layer puts its weights into the layout that the kernels want and gives the plain ones back, so its
  // parameters are at an end. Without it everything runs on LibTorch's plain operators (the reference).
  void pack(const kernels::CpuKernels& kernels);
  // Likewise this module and every one below.
  void pack_all(const kernels::CpuKernels& kernels);

  // Which of a GPU's faster ways this module and every one below take; none unless told.
  void use_cuda_paths(const CudaPaths& paths);

  // Lets the weight of this module alone rest in main memory, from where it is brought to `device` for every product;
  // what is small goes there for good. For a module whose parameters were read into main memory.
  void rest(const CudaOps& cuda, at::Device device);
  bool rests() const { return rests_; }

  // Puts another plain weight, in the module's dtype, into the place of "weight" and packs it if this module is packed.
  void replace_weight(const at::Tensor& weight);

  // Takes over what `other`, a module of the same class and sizes, holds, packed as it is: both share the memory from
  // then on. This module alone.
  void share(const Module& other);
  // Likewise this module and every one below. `other` is a tree built from the same configuration.
  void share_all(const Module& other);

 protected:
  // The place of a child: `conv1(child("conv1"), ...)`. The name may contain dots.
  Place child(std::string name) { return {this, std::move(name), options_}; }
  // A new empty parameter of this module.
  at::Tensor& parameter(at::Tensor& member, std::string name, at::IntArrayRef shape);
  // Null: the plain operators.
  const kernels::CpuKernels* kernels() const { return kernels_; }
  virtual void pack_weights() { make_plain(); }
  // The packed weights of share(); a class that keeps none has nothing to do.
  virtual void share_packed(const Module&) {}
  // The parameter "weight" as it is stored.
  ops::StoredWeight stored(const at::Tensor& weight) const;
  // A weight of this module where it computes.
  at::Tensor at_hand(const at::Tensor& weight) const;
  const CudaPaths& cuda_paths() const { return cuda_paths_; }
  // A GPU's table where its matrix products are to be taken from there rather than from LibTorch's operators, and what
  // they are to do; null otherwise.
  const CudaOps* product_ops(const at::Tensor& x) const;
  CudaSum product_sum(const at::Tensor& residual) const { return {residual, cuda_paths_.sums, cuda_paths_.products}; }
  // The dtype in which this module computes.
  at::ScalarType dtype() const { return options_.dtype().toScalarType(); }

 private:
  void collect(const std::string& name, std::vector<NamedModule>& out);

  at::TensorOptions options_;
  const kernels::CpuKernels* kernels_ = nullptr;
  FewBits few_bits_;
  CudaPaths cuda_paths_ = CudaPaths::none();
  bool rests_ = false;
  std::vector<std::pair<std::string, Module*>> children_;
  std::vector<std::pair<std::string, at::Tensor*>> parameters_;
};

// Children named "0", "1", ...; each constructed in place as T(place, args...).
template <typename T>
class ModuleList : public Module {
 public:
  using Module::Module;

  template <typename U = T, typename... Args>
  U& append(Args&&... args) {
    auto item = std::make_unique<U>(child(std::to_string(items_.size())), std::forward<Args>(args)...);
    U& reference = *item;
    items_.push_back(std::move(item));
    return reference;
  }

  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  const T& operator[](size_t i) const { return *items_[i]; }
  T& operator[](size_t i) { return *items_[i]; }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  std::vector<std::unique_ptr<T>> items_;
};

}  // namespace fjord::nn
