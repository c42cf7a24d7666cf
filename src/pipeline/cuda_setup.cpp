#include "pipeline/cuda_setup.h"

#include "core/cuda_plugin.h"
#include "models/common/attention.h"
#include "models/common/resample.h"

namespace fjord::pipeline {

void prepare_for_gpu(nn::Module& network, const CudaPaths& paths) {
  if (cuda_ops(network.options().device()) == nullptr) return;
  network.use_cuda_paths(paths);
  for (const auto& [name, module] : network.modules()) {
    auto* attention = dynamic_cast<models::Attention*>(module);
    if (paths.projections && attention != nullptr && !attention->to_v.rests()) attention->join_projections();
    auto* doubling = dynamic_cast<models::Upsample2D*>(module);
    if (paths.upsampling && doubling != nullptr && !doubling->conv.rests()) doubling->conv.fold_doubling();
  }
}

}  // namespace fjord::pipeline
