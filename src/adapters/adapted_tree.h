// A network with adapters: a module tree of its own over the same tensors as the base. Low-rank changes run beside
// their layers; where a change needs the weight itself, that layer alone gets a merged weight. The base stays as it is.
#pragma once

#include "adapters/adapter_file.h"
#include "nn/low_rank.h"
#include "nn/module.h"

#include <functional>
#include <memory>
#include <vector>

namespace fjord::adapters {

// Which changes are merged into weights.
enum class Merge { kWhatMust, kEverything };

// The changes that one adapter makes to one network, ready to run there. Immutable.
class NetworkChanges {
 public:
  // Packs the low-rank factors as `kernels` want them (null: not at all). `options`: the network's dtype and device.
  NetworkChanges(std::vector<LayerChange> changes, const at::TensorOptions& options,
                 const kernels::CpuKernels* kernels);

  const std::vector<LayerChange>& changes() const { return changes_; }
  // Whether some change needs the weight of its layer.
  bool must_merge() const;
  // Adds to `tree`, which is nobody else's yet, what is not merged: low-rank changes beside their layers, and the
  // changes of biases and of normalisations. `merged`: what merge_into has been or will be called for.
  void add_to(nn::Module& tree, double strength, Merge merged) const;

 private:
  struct Beside {
    nn::LowRankLinear linear;
    nn::LowRankConv2d conv;
  };
  std::vector<LayerChange> changes_;
  std::vector<Beside> beside_;  // of the change at the same place; empty where it is no low-rank one
};

struct Use {
  std::shared_ptr<const NetworkChanges> changes;
  double strength = 1.0;

  bool operator==(const Use&) const = default;
};

// The plain weight of a layer, float32.
using ReadWeight = std::function<at::Tensor(const Layer&)>;

// The weight and the sum of what `uses` make of it. Throws Error(kNonFinite) for NaN and infinity.
at::Tensor merged_weight(const Layer& layer, const at::Tensor& weight, const std::vector<Use>& uses, Merge what);

// Gives the layers of `tree` that must be merged their weights, packed as they were before: such a layer shares no
// weight with others any more. `read` is called from several threads.
void merge_into(nn::Module& tree, const std::vector<Use>& uses, const ReadWeight& read, Merge what);

}  // namespace fjord::adapters
