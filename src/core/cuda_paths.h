// Which of the faster ways to compute on a GPU are taken; the plain way of each stays as the yardstick (docs/cuda.md).
#pragma once

#include <string>

namespace fjord {

struct CudaPaths {
  bool graph = true;         // an evaluation of the U-Net is recorded once and replayed
  bool update = true;        // guidance and the solver's step in one kernel, and no wait for the GPU within the loop
  bool sums = true;          // biases and residuals are added by the product that they follow
  bool projections = true;   // queries, keys and values by one product
  bool upsampling = true;    // a doubled map is never made: the convolution after it works on the small one
  bool products = true;      // algorithms of matrix products are timed, and remembered on disk
  bool convolutions = true;  // biases and residuals are added by the convolution that they follow

  static CudaPaths none() { return {false, false, false, false, false, false, false}; }
};

// "auto" (all), "none", or names of the fields above, separated by commas. Throws kInvalidArgument for another name.
CudaPaths parse_cuda_paths(const std::string& names);

}  // namespace fjord
