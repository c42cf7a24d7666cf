// Matrix products by cuBLASLt: x W^T + bias + residual in one kernel, by the algorithm that was fastest for the shape
// on this GPU. Row-major matrices are column-major ones transposed: D^T = W x^T + C^T, where the bias runs down the
// columns. The first result for every shape is compared with LibTorch's own.
#include "core/check.h"
#include "core/tuning_file.h"
#include "cuda/shim.h"
#include "cuda/tuning.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/cuda/CUDAGuard.h>

#include <cublasLt.h>

#include <array>
#include <cstring>
#include <optional>
#include <tuple>

namespace fjord::cuda {
namespace {

constexpr std::int64_t kWorkspace = std::int64_t{32} << 20;
constexpr int kCandidates = 32;
constexpr std::int64_t kBytes = 16;  // at which rows and pointers must be aligned

struct Problem {
  std::int64_t rows = 0, in = 0, out = 0;
  at::ScalarType dtype = at::kFloat;
  bool bias = false, residual = false, timed = false;

  auto key() const { return std::tuple(rows, in, out, dtype, bias, residual, timed); }
  std::string name() const {
    return concat("product ", dtype, " ", rows, "x", in, "x", out, bias ? " bias" : "", residual ? " residual" : "");
  }
};

struct Operands {
  at::Tensor x, weight, bias, residual, out, workspace;
};

void check_lt(cublasStatus_t status, const char* what) {
  check(status == CUBLAS_STATUS_SUCCESS, ErrorCode::kInternal, "cuBLASLt refused ", what, " (status ",
        static_cast<int>(status), ")");
}

// Any thread may use it.
struct Handle {
  Handle() { check_lt(cublasLtCreate(&raw), "to start"); }
  cublasLtHandle_t raw = nullptr;
};

cublasLtHandle_t handle() { return one_per_gpu<Handle>(current_gpu()).raw; }

cudaDataType type_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return CUDA_R_32F;
  return dtype == at::kHalf ? CUDA_R_16F : CUDA_R_16BF;
}

// The descriptors of one problem; they hold no memory of their own.
class Product {
 public:
  explicit Product(const Problem& problem) : problem_(problem) {
    const auto type = type_of(problem.dtype);
    const auto size = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
    check_lt(cublasLtMatmulDescInit(&product_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a product");
    set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    if (problem.bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type);
    }
    check_lt(cublasLtMatrixLayoutInit(&weight_, type, size(problem.in), size(problem.out), problem.in), "a weight");
    check_lt(cublasLtMatrixLayoutInit(&x_, type, size(problem.in), size(problem.rows), problem.in), "an input");
    check_lt(cublasLtMatrixLayoutInit(&out_, type, size(problem.out), size(problem.rows), problem.out), "a result");
  }

  std::vector<cublasLtMatmulHeuristicResult_t> candidates(int count, const Operands& operands) {
    point_at(operands);
    cublasLtMatmulPreferenceOpaque_t preference;
    check_lt(cublasLtMatmulPreferenceInit(&preference), "a preference");
    const auto bytes = static_cast<std::uint64_t>(kWorkspace);
    check_lt(cublasLtMatmulPreferenceSetAttribute(&preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                                  sizeof(bytes)),
             "the workspace");
    constexpr std::uint32_t kPointers = kBytes;
    for (const auto operand :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      check_lt(cublasLtMatmulPreferenceSetAttribute(&preference, operand, &kPointers, sizeof(kPointers)), "alignment");
    }
    std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<size_t>(count));
    int returned = 0;
    const auto status = cublasLtMatmulAlgoGetHeuristic(handle(), &product_, &weight_, &x_, &out_, &out_, &preference,
                                                       count, found.data(), &returned);
    found.resize(status == CUBLAS_STATUS_SUCCESS ? static_cast<size_t>(returned) : 0);
    return found;
  }

  bool serves(const cublasLtMatmulAlgo_t& algorithm) {
    cublasLtMatmulHeuristicResult_t result;
    const auto status = cublasLtMatmulAlgoCheck(handle(), &product_, &weight_, &x_, &out_, &out_, &algorithm, &result);
    return status == CUBLAS_STATUS_SUCCESS && result.workspaceSize <= static_cast<size_t>(kWorkspace);
  }

  cublasStatus_t run(const Operands& operands, const cublasLtMatmulAlgo_t& algorithm) {
    point_at(operands);
    const float one = 1, added = problem_.residual ? 1 : 0;
    const void* sum = problem_.residual ? operands.residual.const_data_ptr() : operands.out.const_data_ptr();
    return cublasLtMatmul(handle(), &product_, &one, operands.weight.const_data_ptr(), &weight_,
                          operands.x.const_data_ptr(), &x_, &added, sum, &out_, operands.out.mutable_data_ptr(), &out_,
                          &algorithm, operands.workspace.mutable_data_ptr(), static_cast<size_t>(kWorkspace),
                          stream_of(operands.x));
  }

 private:
  template <typename T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    check_lt(cublasLtMatmulDescSetAttribute(&product_, attribute, &value, sizeof(value)), "an attribute");
  }

  void point_at(const Operands& operands) {
    if (!problem_.bias) return;
    const void* bias = operands.bias.const_data_ptr();
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  }

  Problem problem_;
  cublasLtMatmulDescOpaque_t product_;
  cublasLtMatrixLayoutOpaque_t weight_, x_, out_;
};

std::string to_text(const cublasLtMatmulAlgo_t& algorithm) {
  std::array<unsigned char, sizeof(algorithm)> bytes;
  std::memcpy(bytes.data(), &algorithm, sizeof(algorithm));
  return hex_text(bytes.data(), bytes.size());
}

std::optional<cublasLtMatmulAlgo_t> from_text(const std::optional<std::string>& text) {
  cublasLtMatmulAlgo_t algorithm;
  if (!text || !from_hex_text(*text, &algorithm, sizeof(algorithm))) return std::nullopt;
  return algorithm;
}

at::Tensor plain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& residual) {
  const auto y = at::linear(x, weight, bias);
  return residual.defined() ? residual + y : y;
}

// The fastest of many; with one candidate that is what cuBLASLt thinks best.
std::optional<cublasLtMatmulAlgo_t> search(Product& product, const Operands& operands, int candidates) {
  std::optional<cublasLtMatmulAlgo_t> best;
  double least = 0;
  for (const auto& candidate : product.candidates(candidates, operands)) {
    if (candidate.state != CUBLAS_STATUS_SUCCESS) continue;
    if (candidates == 1) return candidate.algo;
    const auto time = milliseconds(stream_of(operands.x),
                                   [&] { return product.run(operands, candidate.algo) == CUBLAS_STATUS_SUCCESS; });
    if (time && (!best || *time < least)) {
      best = candidate.algo;
      least = *time;
    }
  }
  return best;
}

// What was decided for a problem in this process; none: LibTorch's way.
using Choice = std::optional<cublasLtMatmulAlgo_t>;

// Searches, or takes what is on disk, and compares the first result with LibTorch's.
Choice decide(const Problem& problem, Product& product, const Operands& operands) {
  auto& file = tuning();
  Choice choice = problem.timed ? from_text(file.find(problem.name())) : std::nullopt;
  const bool known = choice && product.serves(*choice);
  if (!known) choice = search(product, operands, problem.timed ? kCandidates : 1);
  if (!choice || product.run(operands, *choice) != CUBLAS_STATUS_SUCCESS) {
    add_note(concat("cuBLASLt does not serve the ", problem.name(), ", which LibTorch multiplies"));
    return std::nullopt;
  }
  if (!agrees(operands.out, plain(operands.x, operands.weight, operands.bias, operands.residual))) {
    add_note(
        concat("cuBLASLt gave another result than LibTorch for the ", problem.name(), ", which LibTorch multiplies"));
    return std::nullopt;
  }
  if (problem.timed && !known) file.put(problem.name(), to_text(*choice));
  return choice;
}

using AlgorithmChoices = Choices<decltype(Problem().key()), Choice>;

bool is_aligned_to_rows(const at::Tensor& x) {
  return !x.defined() || (is_aligned(x) && x.size(-1) * x.element_size() % kBytes == 0);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const CudaSum& sum) {
  const c10::cuda::CUDAGuard guard(x.device());
  const bool fuses = sum.fused && sum.residual.defined();
  const auto residual = fuses ? sum.residual.reshape({-1, weight.size(0)}).contiguous() : at::Tensor();
  const auto flat = x.reshape({-1, weight.size(1)}).contiguous();
  const Problem problem{flat.size(0),   weight.size(1), weight.size(0), x.scalar_type(),
                        bias.defined(), fuses,          sum.timed};
  auto sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  Operands operands{flat, weight, bias, residual, at::empty({problem.rows, problem.out}, x.options()), {}};
  const bool one_type = weight.scalar_type() == problem.dtype && (!fuses || residual.scalar_type() == problem.dtype) &&
                        (!bias.defined() || bias.scalar_type() == problem.dtype);
  const bool fits = is_element(problem.dtype) && one_type && problem.rows > 0 && weight.is_contiguous() &&
                    is_aligned_to_rows(flat) && is_aligned_to_rows(weight) && is_aligned_to_rows(bias) &&
                    is_aligned_to_rows(residual) && is_aligned_to_rows(operands.out);
  const auto other_sum = fuses ? at::Tensor() : sum.residual;
  if (!fits) return plain(x, weight, bias, sum.residual);
  operands.workspace = at::empty({kWorkspace}, x.options().dtype(at::kByte));
  Product product(problem);
  auto& known = one_per_gpu<AlgorithmChoices>(x.device().index());
  auto choice = known.find(problem.key());
  if (!choice) {
    if (is_capturing(x)) return plain(x, weight, bias, sum.residual);  // nothing can be tried while a graph is recorded
    choice = decide(problem, product, operands);
    known.put(problem.key(), *choice);
  }
  if (!*choice) return plain(x, weight, bias, sum.residual);
  check_lt(product.run(operands, **choice), "a product");
  const auto y = operands.out.view(sizes);
  return other_sum.defined() ? other_sum + y : y;
}

}  // namespace fjord::cuda
