// Readies a loaded network for the faster ways of a GPU.
#pragma once

#include "core/cuda_paths.h"
#include "nn/module.h"

namespace fjord::pipeline {

// The network and all below take these paths; where it computes on a GPU, its projections are joined and the
// convolutions of its doubled maps folded, if the paths say so. Weights that rest in main memory stay as they are.
void prepare_for_gpu(nn::Module& network, const CudaPaths& paths);

}  // namespace fjord::pipeline
