// A layer's weight as a file has it: numbers of the layer's dtype, int8 or int4 (docs/quantization.md).
#pragma once

#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::ops {

struct StoredWeight {
  at::Tensor values;  // [rows, ...]; int4: uint8 [rows, (row_length + 1) / 2], two numbers a byte
  kernels::WeightKind kind = kernels::WeightKind::kPlain;
  at::Tensor factors = {};      // int8: float32 [rows]; int4: bfloat16 [rows, config::int4_groups(row_length)]
  std::int64_t row_length = 0;  // numbers of a row
};

// The numbers that an int8 or int4 weight stands for, float32 [rows, row_length].
at::Tensor plain_numbers(const StoredWeight& weight);

// The same numbers as the kernels read them: contiguous, rows padded where they must be. The tensor holds the memory.
struct WeightMemory {
  at::Tensor values;
  kernels::WeightRows rows;
};
WeightMemory memory_of(const StoredWeight& weight);

}  // namespace fjord::ops
