// The CPU kernels as a table of functions, one table per instruction set. Raw pointers, no LibTorch, one thread: each
// kernel does one item of a problem, the caller spreads the items over its threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fjord::kernels {

using Index = std::int64_t;

enum class Element { kFloat32, kBFloat16 };

// How the numbers of a packed weight are kept.
enum class WeightKind {
  kPlain,  // as the layer's element
  kInt8,   // int8, with a factor for every output; the arithmetic is that of the element
  kInt4,   // 0 to 15, standing for -8 to 7 times a factor for every config::kInt4Group numbers of a row; likewise
  // Likewise, and inputs are rounded to 8 bits, with a factor for every row of them: products of int8 are summed in
  // int32. Linear layers only.
  kInt8Product,
};

// A layer's weight as it is read, rows of numbers: float32, or bfloat16 or int8 padded with zeros to a multiple of
// four. kInt4: two numbers a byte, the first in the low half; a row begins with a byte.
struct WeightRows {
  const void* values = nullptr;
  const std::uint16_t* group_scale = nullptr;  // kInt4: bfloat16 [rows, groups], the last group may be shorter
};

// softmax(q k^T * scale) v for every batch and head. A token's heads lie side by side: element (batch b, token t,
// head h, channel c) of q stands at b * batch_stride + t * token_stride + h * head_dim + c, and so for k, v and out. In
// bfloat16 head_dim and the strides are even.
struct AttentionProblem {
  struct Tokens {
    const void* data = nullptr;
    Index batch_stride = 0;  // in elements
    Index token_stride = 0;
  };
  Tokens q, k, v;
  void* out = nullptr;
  Index out_batch_stride = 0;
  Index out_token_stride = 0;
  Element element = Element::kFloat32;
  Index batch = 0, heads = 0, head_dim = 0, queries = 0, keys = 0;
  float scale = 1;
  bool causal = false;  // query i sees keys 0 .. i
  // What round_head wrote for every batch and head: products are those of whole numbers then. Null: exact.
  const void* rounded = nullptr;
};

// 3x3 convolution, stride 1, padding 1, of pixels with their channels side by side ([batch, height, width, channels])
// by Winograd's F(4x4, 3x3), arXiv:1509.09308. Arithmetic in float32 whatever the element.
struct ConvProblem {
  const void* x = nullptr;       // [batch, in_height, in_width, in_channels]
  const void* weight = nullptr;  // as packed by pack_conv
  WeightKind kind = WeightKind::kPlain;
  const float* weight_scale = nullptr;  // kInt8: [out_channels], else null
  const float* bias = nullptr;          // [batch or 1, out_channels]
  Index bias_batch_stride = 0;
  const void* residual = nullptr;  // added to the result; [batch, height, width, out_channels] or null
  void* out = nullptr;             // [batch, height, width, out_channels]
  Element element = Element::kFloat32;
  Index batch = 0, in_height = 0, in_width = 0, in_channels = 0, height = 0, width = 0, out_channels = 0;
  // [height]: the row of x behind a row of the (enlarged) input. One more number lies before and one behind: the row
  // that is seen beyond the edge, or -1 for zeros.
  const std::int32_t* row_of = nullptr;
  const std::int32_t* column_of = nullptr;  // [width]: likewise
};

// A range of a convolution's tiles (4x4 pixels each, numbered batch by batch, row by row) and its working memory.
struct ConvTiles {
  Index begin = 0;
  Index count = 0;
  float* transformed = nullptr;  // conv_transformed_floats(problem, count), shared by the range's items
};

// (x - mean) / sqrt(variance + eps) * weight + bias over groups of channels, then SiLU if asked.
struct GroupNormProblem {
  const void* x = nullptr;  // [batch, pixels, channels]
  void* out = nullptr;      // likewise
  const float* weight = nullptr;
  const float* bias = nullptr;
  Element element = Element::kFloat32;
  Index batch = 0, pixels = 0, channels = 0, groups = 0;
  double eps = 1e-5;
  bool silu = false;
};

struct LayerNormProblem {
  const void* x = nullptr;  // [rows, features]
  void* out = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  Element element = Element::kFloat32;
  Index rows = 0, features = 0;
  double eps = 1e-5;
};

enum class Activation { kNone, kSilu, kGelu, kQuickGelu };

// out = activation(x W^T + bias) + residual. Gated (GEGLU, arXiv:2002.05202): W and bias have twice as many rows as out
// has features, and out = first half * gelu(second half) + residual. GELU is the exact one.
struct LinearProblem {
  const void* x = nullptr;       // [rows, in_features]; for kInt8Product as quantize_rows wrote it
  const void* weight = nullptr;  // as packed by pack_linear
  WeightKind kind = WeightKind::kPlain;
  const float* weight_scale = nullptr;  // int8: for every row of the weight, else null
  const float* row_scale = nullptr;     // [rows], of quantize_rows
  const float* bias = nullptr;
  const void* residual = nullptr;  // [rows, out_features] or null
  void* out = nullptr;             // [rows, out_features]
  Element element = Element::kFloat32;
  Index rows = 0, in_features = 0, out_features = 0;  // in_features is even in bfloat16, but for kInt8Product
  Activation activation = Activation::kNone;
  bool gated = false;
};

struct CpuKernels {
  const char* name;  // the instruction set

  // Items: batch x heads x blocks of queries. `scratch`: attention_scratch bytes, 64-byte aligned, one per thread.
  Index (*attention_items)(const AttentionProblem&);
  size_t (*attention_scratch)(const AttentionProblem&);
  void (*attention)(const AttentionProblem&, Index item, void* scratch);
  // Rounds the keys of a head to 8 bits and its values to 11, once for all queries; items: batch x heads, each with
  // rounded_head_bytes of memory, one behind the other, 64-byte aligned. No bytes: this table has no use for it.
  Index (*rounded_head_bytes)(const AttentionProblem&);
  void (*round_head)(const AttentionProblem&, Index item, void* rounded);

  // Packs a weight [out, in * 9]; of the problem only channels, element and kind count.
  Index (*pack_conv_bytes)(const ConvProblem&);
  void (*pack_conv)(const ConvProblem&, const WeightRows&, void* packed);
  Index (*conv_transformed_floats)(const ConvProblem&, Index tiles);
  // First every item of conv_input, then, when all are done, every item of conv_output.
  Index (*conv_input_items)(const ConvProblem&, const ConvTiles&);
  void (*conv_input)(const ConvProblem&, const ConvTiles&, Index item);
  Index (*conv_output_items)(const ConvProblem&, const ConvTiles&);
  size_t (*conv_output_scratch)(const ConvProblem&);
  void (*conv_output)(const ConvProblem&, const ConvTiles&, Index item, void* scratch);

  // Sums of a range of pixels, [channels] each, about `shift` [channels]: sum of (x - shift) and of its square.
  void (*group_norm_sums)(const GroupNormProblem&, Index batch, Index begin, Index end, const float* shift, double* sum,
                          double* square);
  // out = x * scale + shift for a range of pixels, then SiLU.
  void (*group_norm_apply)(const GroupNormProblem&, Index batch, Index begin, Index end, const float* scale,
                           const float* shift);
  void (*layer_norm)(const LayerNormProblem&, Index begin, Index end);

  // Packs a weight [out_features (twice if gated), in_features]; of the problem only shape, element, kind and gated
  // count.
  Index (*pack_linear_bytes)(const LinearProblem&);
  void (*pack_linear)(const LinearProblem&, const WeightRows&, void* packed);
  // Rounds the rows begin .. end of x [rows, in_features] to 8 bits, with a factor for each, as kInt8Product wants
  // them; a row takes quantized_row_bytes.
  Index (*quantized_row_bytes)(const LinearProblem&);
  void (*quantize_rows)(const LinearProblem&, Index begin, Index end, void* quantized, float* scales);
  Index (*linear_items)(const LinearProblem&);
  size_t (*linear_scratch)(const LinearProblem&);
  void (*linear)(const LinearProblem&, Index item, void* scratch);
};

// Tables that this processor can run, the best first; the last one runs everywhere.
const std::vector<const CpuKernels*>& supported_cpu_kernels();

}  // namespace fjord::kernels
