#include "kernels/cpu/table.h"

#define FJORD_TEXT_OF(x) #x
#define FJORD_TEXT(x) FJORD_TEXT_OF(x)

namespace fjord::kernels::FJORD_ISA {

extern const CpuKernels table;
const CpuKernels table{.name = FJORD_TEXT(FJORD_ISA),
                       .attention_items = attention_items,
                       .attention_scratch = attention_scratch,
                       .attention = attention,
                       .rounded_head_bytes = rounded_head_bytes,
                       .round_head = round_head,
                       .pack_conv_bytes = pack_conv_bytes,
                       .pack_conv = pack_conv,
                       .conv_transformed_floats = conv_transformed_floats,
                       .conv_input_items = conv_input_items,
                       .conv_input = conv_input,
                       .conv_output_items = conv_output_items,
                       .conv_output_scratch = conv_output_scratch,
                       .conv_output = conv_output,
                       .group_norm_sums = group_norm_sums,
                       .group_norm_apply = group_norm_apply,
                       .layer_norm = layer_norm,
                       .pack_linear_bytes = pack_linear_bytes,
                       .pack_linear = pack_linear,
                       .quantized_row_bytes = quantized_row_bytes,
                       .quantize_rows = quantize_rows,
                       .linear_items = linear_items,
                       .linear_scratch = linear_scratch,
                       .linear = linear};

}  // namespace fjord::kernels::FJORD_ISA
