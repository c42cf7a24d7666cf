// Weights of few bits for tests: made without fjord's own quantizer, and what they stand for in float64.
#pragma once

#include "ops/stored_weight.h"

namespace fjord::testing {

ops::StoredWeight plain_weight(const at::Tensor& weight);

// weight [rows, ...] as int8 with a factor a row, or as int4 with one for every 32 numbers of a row.
ops::StoredWeight in_few_bits(const at::Tensor& weight, kernels::WeightKind kind);

// float64 [rows, row_length], number by number.
at::Tensor meaning_of(const ops::StoredWeight& weight);

}  // namespace fjord::testing
