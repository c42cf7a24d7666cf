// What this machine can do at most, measured: the denominators of the shares.
#pragma once

#include <ATen/core/Tensor.h>

namespace fjord::bench {

// Floating-point operations a second of all threads, each in a loop that does nothing else: fused multiply-adds of the
// widest vectors, or for bfloat16 its dot-product instruction where the processor has one and it is faster.
double peak_flops(at::ScalarType dtype);

// Bytes a second, read and written together, of all threads copying `bytes` from one block to another again and again.
double copy_bandwidth(double bytes);

}  // namespace fjord::bench
