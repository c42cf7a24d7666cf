#include "kernels/cpu/table.h"

#define FJORD_TEXT_OF(x) #x
#define FJORD_TEXT(x) FJORD_TEXT_OF(x)

namespace fjord::kernels::FJORD_ISA {

extern const CpuKernels table;
const CpuKernels table{
#ifdef __AVX512BF16__
    FJORD_TEXT(FJORD_ISA),
    true,
#else
    FJORD_TEXT(FJORD_ISA),
    false,
#endif
    attention_items,
    attention_scratch,
    attention,
    pack_conv_size,
    pack_conv,
    conv_transformed_floats,
    conv_input_items,
    conv_input,
    conv_output_items,
    conv_output_scratch,
    conv_output,
    group_norm_sums,
    group_norm_apply,
    layer_norm,
    geglu};

}  // namespace fjord::kernels::FJORD_ISA
