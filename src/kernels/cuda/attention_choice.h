// Which kernel computes an attention layer on a GPU: a pure function of shape, type and machine, so that the choice can
// be printed, tested without a GPU, and forced.
#pragma once

#include "kernels/cuda/kernels.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fjord::kernels::cuda {

enum class AttentionKind {
  kOwnHopper,     // src/kernels/cuda, instructions of compute capability 9.0
  kOwn,           // src/kernels/cuda, compute capability 8.0 and later
  kCudnn,         // LibTorch's call of cuDNN
  kFlash,         // FlashAttention-2 as LibTorch has it
  kMemEfficient,  // CUTLASS's as LibTorch has it
  kChunked,       // blocks of queries: product, softmax, product
  kMath,          // LibTorch's plain operators, all scores at once
};

// "own-hopper", "own", "cudnn", "flash", "mem-efficient", "chunked", "math".
const char* to_string(AttentionKind kind);
const std::vector<AttentionKind>& attention_kinds();
// None for "auto". Throws kInvalidArgument for another name.
std::optional<AttentionKind> parse_attention(std::string_view name);

struct AttentionShape {
  Element element = Element::kBFloat16;
  int batch = 1, heads = 1, head_dim = 64, queries = 1, keys = 1;
  bool causal = false;
};

// Whether this version of fjord has kernels for compute capability 9.0 alone.
constexpr bool kHopperKernels = true;

struct AttentionMachine {
  int capability = 80;          // 10 * major + minor of the GPU
  bool hopper_kernels = false;  // the plug-in has them
};

struct AttentionChoice {
  AttentionKind kind = AttentionKind::kMath;
  bool resident_keys = false;  // kOwn: all keys of a head lie in shared memory at once (text_attention)
  std::string reason;          // one phrase
  struct Refusal {
    AttentionKind kind;
    std::string reason;
  };
  std::vector<Refusal> refused;  // every other kind
};

// Why a kind cannot serve; empty where it can.
std::string attention_fault(AttentionKind kind, const AttentionShape& shape, const AttentionMachine& machine);

// Throws kUnsupported where `forced` cannot serve.
AttentionChoice choose_attention(const AttentionShape& shape, const AttentionMachine& machine,
                                 std::optional<AttentionKind> forced = {});

// Shared memory that a block may ask for, in bytes. CUDA programming guide, technical specifications.
int shared_memory_limit(int capability);

// As a sentence of the doctor says it: "sm_90" or "9.0" -> 90. Throws kInvalidArgument.
int parse_capability(std::string_view name);

}  // namespace fjord::kernels::cuda
