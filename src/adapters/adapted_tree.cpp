#include "adapters/adapted_tree.h"

#include "core/check.h"
#include "core/parallel.h"
#include "nn/layers.h"

#include <algorithm>
#include <set>
#include <utility>

namespace fjord::adapters {
namespace {

// A layer of a tree, by what can be changed in it.
struct Changeable {
  explicit Changeable(nn::Module& module)
      : linear(dynamic_cast<nn::Linear*>(&module)),
        gated(dynamic_cast<nn::GatedLinear*>(&module)),
        conv(dynamic_cast<nn::Conv2d*>(&module)),
        group_norm(dynamic_cast<nn::GroupNorm*>(&module)),
        layer_norm(dynamic_cast<nn::LayerNorm*>(&module)) {}

  at::Tensor& bias() const {
    if (linear) return linear->bias;
    if (gated) return gated->bias;
    if (conv) return conv->bias;
    return group_norm ? group_norm->bias : layer_norm->bias;
  }
  at::Tensor& norm_weight() const { return group_norm ? group_norm->weight : layer_norm->weight; }

  nn::Linear* linear;
  nn::GatedLinear* gated;
  nn::Conv2d* conv;
  nn::GroupNorm* group_norm;
  nn::LayerNorm* layer_norm;
};

// Also where there is no such parameter yet.
void add_vector(at::Tensor& parameter, const at::Tensor& change, const at::TensorOptions& otherwise) {
  const auto sum = parameter.defined() ? parameter.to(at::kFloat) + change.to(parameter.device()) : change;
  parameter = parameter.defined() ? sum.to(parameter.scalar_type()) : sum.to(otherwise);
}

template <typename Layer, typename... Shape>
std::shared_ptr<const Layer> small_layer(const at::Tensor& weight, const at::TensorOptions& options,
                                         const kernels::CpuKernels* kernels, Shape... shape) {
  const auto layer = std::make_shared<Layer>(nn::Place{nullptr, "", options}, weight.size(1), weight.size(0), shape...);
  layer->weight.copy_(weight);
  if (layer->bias.defined()) layer->bias.zero_();
  if (kernels != nullptr) layer->pack(*kernels);
  return layer;
}

at::Tensor as_kernel(const at::Tensor& factor, std::int64_t size) {
  const auto rows = factor.flatten(1);
  return rows.reshape({rows.size(0), rows.size(1) / (size * size), size, size});
}

nn::LowRankConv2d low_rank_conv(const Factors& factors, const nn::Conv2dOptions& own, const at::TensorOptions& options,
                                const kernels::CpuKernels* kernels) {
  const nn::Conv2dOptions pixel{.kernel = 1};
  const auto layer = [&](const char* role, const nn::Conv2dOptions& shape) {
    return small_layer<nn::Conv2d>(as_kernel(factors.tensors.at(role), shape.kernel), options, kernels, shape);
  };
  const bool has_mid = factors.tensors.contains("mid");
  return {layer("down", has_mid ? pixel : own), has_mid ? layer("mid", own) : nullptr, layer("up", pixel),
          factors.scale};
}

nn::LowRankLinear low_rank_linear(const Factors& factors, const at::TensorOptions& options,
                                  const kernels::CpuKernels* kernels) {
  const auto layer = [&](const char* role) {
    return small_layer<nn::Linear>(factors.tensors.at(role).flatten(1), options, kernels, /*with_bias=*/false);
  };
  return {layer("down"), layer("up"), factors.scale};
}

bool merges(const LayerChange& change, Merge what) {
  if (change.factors.tensors.empty() || change.layer->kind == LayerKind::kNorm) return false;
  return what == Merge::kEverything || !change.factors.is_low_rank();
}

}  // namespace

NetworkChanges::NetworkChanges(std::vector<LayerChange> changes, const at::TensorOptions& options,
                               const kernels::CpuKernels* kernels)
    : changes_(std::move(changes)), beside_(changes_.size()) {
  parallel_for_each(static_cast<std::int64_t>(changes_.size()), [&](std::int64_t i, int) {
    const auto& [layer, factors] = changes_[static_cast<size_t>(i)];
    auto& beside = beside_[static_cast<size_t>(i)];
    if (!factors.is_low_rank()) return;
    if (layer->kind == LayerKind::kConv2d) {
      beside.conv = low_rank_conv(factors, layer->conv, options, kernels);
    } else {
      beside.linear = low_rank_linear(factors, options, kernels);
    }
  });
}

bool NetworkChanges::must_merge() const {
  return std::any_of(changes_.begin(), changes_.end(),
                     [](const LayerChange& change) { return merges(change, Merge::kWhatMust); });
}

void NetworkChanges::add_to(nn::Module& tree, double strength, Merge merged) const {
  const auto modules = tree.modules();
  for (size_t i = 0; i < changes_.size(); ++i) {
    const auto& [layer, factors] = changes_[i];
    auto& module = *modules[layer->module].module;
    const Changeable changeable(module);
    if (factors.bias.defined()) add_vector(changeable.bias(), factors.bias * strength, module.options());
    if (layer->kind == LayerKind::kNorm && !factors.tensors.empty()) {
      add_vector(changeable.norm_weight(), factors.tensors.at("diff") * strength, module.options());
    }
    if (!factors.is_low_rank() || merges(changes_[i], merged)) continue;
    auto [linear, conv] = beside_[i];
    linear.scale *= strength;
    conv.scale *= strength;
    if (changeable.linear != nullptr) changeable.linear->changes.push_back(linear);
    if (changeable.gated != nullptr) changeable.gated->changes.push_back(linear);
    if (changeable.conv != nullptr) changeable.conv->changes.push_back(conv);
  }
}

at::Tensor merged_weight(const Layer& layer, const at::Tensor& weight, const std::vector<Use>& uses, Merge what) {
  auto sum = weight.clone();
  for (const auto& use : uses) {
    for (const auto& change : use.changes->changes()) {
      if (change.layer != &layer || !merges(change, what)) continue;
      sum += change_of_weight(change.factors, weight, use.strength);
    }
  }
  check(sum.isfinite().all().item<bool>(), ErrorCode::kNonFinite, "the adapters bring NaN or infinity into ",
        layer.name);
  return sum;
}

void merge_into(nn::Module& tree, const std::vector<Use>& uses, const ReadWeight& read, Merge what) {
  std::set<const Layer*> distinct;
  for (const auto& use : uses) {
    for (const auto& change : use.changes->changes()) {
      if (merges(change, what)) distinct.insert(change.layer);
    }
  }
  const std::vector<const Layer*> layers(distinct.begin(), distinct.end());
  const auto modules = tree.modules();
  parallel_for_each(static_cast<std::int64_t>(layers.size()), [&](std::int64_t i, int) {
    const auto& layer = *layers[static_cast<size_t>(i)];
    modules[layer.module].module->replace_weight(merged_weight(layer, read(layer), uses, what));
  });
}

}  // namespace fjord::adapters
