// The functions of one instruction set, FJORD_ISA. See kernels.h for what they do.
#pragma once

#include "kernels/cpu/kernels.h"

namespace fjord::kernels::FJORD_ISA {

Index attention_items(const AttentionProblem&);
size_t attention_scratch(const AttentionProblem&);
void attention(const AttentionProblem&, Index item, void* scratch);
Index rounded_head_bytes(const AttentionProblem&);
void round_head(const AttentionProblem&, Index item, void* rounded);

Index pack_conv_bytes(const ConvProblem&);
void pack_conv(const ConvProblem&, const WeightRows&, void* packed);
Index conv_transformed_floats(const ConvProblem&, Index tiles);
Index conv_input_items(const ConvProblem&, const ConvTiles&);
void conv_input(const ConvProblem&, const ConvTiles&, Index item);
Index conv_output_items(const ConvProblem&, const ConvTiles&);
size_t conv_output_scratch(const ConvProblem&);
void conv_output(const ConvProblem&, const ConvTiles&, Index item, void* scratch);

void group_norm_sums(const GroupNormProblem&, Index batch, Index begin, Index end, const float* shift, double* sum,
                     double* square);
void group_norm_apply(const GroupNormProblem&, Index batch, Index begin, Index end, const float* scale,
                      const float* shift);
void layer_norm(const LayerNormProblem&, Index begin, Index end);

Index pack_linear_bytes(const LinearProblem&);
void pack_linear(const LinearProblem&, const WeightRows&, void* packed);
Index quantized_row_bytes(const LinearProblem&);
void quantize_rows(const LinearProblem&, Index begin, Index end, void* quantized, float* scales);
Index linear_items(const LinearProblem&);
size_t linear_scratch(const LinearProblem&);
void linear(const LinearProblem&, Index item, void* scratch);

}  // namespace fjord::kernels::FJORD_ISA
