// The CUDA kernels: plain functions that launch them on a stream. Raw pointers to device memory, no LibTorch, no CUDA
// header. A launch gives 0 or the cudaError_t that it met; it does not wait for the result.
//
// Every kernel is written as layout.h (where things lie), a body (*_body.h: what one thread does, over a policy `Hw` of
// hardware instructions) and hardware.cuh (those instructions). The tests run the same bodies on an emulated block of
// threads.
#pragma once

#include <cstddef>
#include <cstdint>

struct CUstream_st;

namespace fjord::kernels::cuda {

using Index = std::int64_t;
using Stream = CUstream_st*;

enum class Element { kFloat32, kFloat16, kBFloat16 };

// softmax(q k^T * scale) v for every batch and head, without mask. Element (batch b, token t, head h, channel c) stands
// at b * batch_stride + t * token_stride + h * head_stride + c. kFloat16 or kBFloat16; data and strides in bytes are
// multiples of 16; head_dim is one of 40, 64, 80, 128, 160.
struct AttentionProblem {
  struct Tokens {
    const void* data = nullptr;
    Index batch_stride = 0;  // in elements, as the others
    Index token_stride = 0;
    Index head_stride = 0;
  };
  Tokens q, k, v;
  void* out = nullptr;
  Index out_batch_stride = 0;
  Index out_token_stride = 0;
  Index out_head_stride = 0;
  Element element = Element::kBFloat16;
  int batch = 0, heads = 0, head_dim = 0, queries = 0, keys = 0;
  float scale = 1;
};

// Group normalisation of pixels with their channels side by side, then SiLU if asked. Weight and bias have the
// element's type. Channels are a multiple of 16 bytes and of groups. `workspace`: group_norm_workspace bytes.
struct GroupNormProblem {
  const void* x = nullptr;  // [batch, pixels, channels]
  void* out = nullptr;      // likewise
  const void* weight = nullptr;
  const void* bias = nullptr;
  void* workspace = nullptr;
  Element element = Element::kBFloat16;
  int batch = 0, pixels = 0, channels = 0, groups = 0;
  float eps = 1e-5F;
  bool silu = false;
};

// sum = x + residual (if there is one), out = normalised sum * weight + bias, over rows of features. A row is a
// multiple of 16 bytes and at most layer_norm_max_features long.
struct LayerNormProblem {
  const void* x = nullptr;         // [rows, features]
  const void* residual = nullptr;  // likewise, or null
  void* sum = nullptr;             // likewise, or null
  void* out = nullptr;
  const void* weight = nullptr;
  const void* bias = nullptr;
  Element element = Element::kBFloat16;
  Index rows = 0;
  int features = 0;
  float eps = 1e-5F;
};

// out = first half * gelu(second half), the exact GELU, arXiv:2002.05202. A row of out is a multiple of 16 bytes.
struct GatedGeluProblem {
  const void* x = nullptr;  // [rows, 2 * features]
  void* out = nullptr;      // [rows, features]
  Element element = Element::kBFloat16;
  Index rows = 0;
  int features = 0;
};

// out = softmax(scores * scale) over rows, from float32 to the element. Rows of `keys` lie side by side.
struct SoftmaxProblem {
  const float* scores = nullptr;  // [rows, keys]
  void* out = nullptr;            // likewise
  Element element = Element::kBFloat16;
  int rows = 0, keys = 0;
  float scale = 1;
};

// out = sum over terms of coefficients[step * kMaxTerms + term] * terms[term]: guidance and a solver's update in one
// pass. The coefficients lie in device memory, so that a captured graph can be replayed at every step. `failed` becomes
// 1 where a sum is not finite.
struct CombineProblem {
  static constexpr int kMaxTerms = 8;
  const void* terms[kMaxTerms] = {};  // [count] each, of the element
  int term_count = 0;
  const float* coefficients = nullptr;  // [steps, kMaxTerms]
  const int* step = nullptr;            // null: step 0
  void* out = nullptr;
  int* failed = nullptr;  // or null
  Element element = Element::kBFloat16;
  Index count = 0;
};

// Portable kernels (compute capability 8.0 and later).
int flash_attention(const AttentionProblem& problem, Stream stream);
// All keys of a head lie in shared memory at once; text_attention_shared(problem) bytes must fit the device's limit.
int text_attention(const AttentionProblem& problem, int multiprocessors, Stream stream);
// Compute capability 9.0 alone; head_dim 40, 64, 80 or 160; no stride may be 0.
int hopper_attention(const AttentionProblem& problem, Stream stream);
int group_norm(const GroupNormProblem& problem, Stream stream);
int layer_norm(const LayerNormProblem& problem, Stream stream);
int gated_gelu(const GatedGeluProblem& problem, Stream stream);
int softmax(const SoftmaxProblem& problem, Stream stream);
int combine(const CombineProblem& problem, Stream stream);

const char* error_text(int error);

}  // namespace fjord::kernels::cuda
