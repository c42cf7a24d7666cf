// The graph: convolution -> plus bias -> plus residual, rounded once at the end. Its kernels may be compiled when a
// plan is made. Handles and plans are used by one thread at a time.
#include "cuda/convolution_plan.h"

#include "core/check.h"
#include "cuda/shim.h"
#include "cuda/tuning.h"

#include <ATen/ops/empty.h>

#include <cudnn_backend.h>

#include <array>
#include <mutex>
#include <utility>

namespace fjord::cuda {
namespace {

constexpr std::int64_t kMostWorkspace = std::int64_t{256} << 20;
constexpr std::int64_t kAlignment = 16;

enum Id : std::int64_t { kX = 1, kWeight, kBias, kResidual, kOut, kProduct, kBiased };

void check_dnn(cudnnStatus_t status, const char* what) {
  check(status == CUDNN_STATUS_SUCCESS, ErrorCode::kInternal, "cuDNN refused ", what, " (", cudnnGetErrorString(status),
        ")");
}

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check_dnn(cudnnBackendCreateDescriptor(type, &raw_), "a descriptor");
  }
  ~Descriptor() {
    if (raw_ != nullptr) cudnnBackendDestroyDescriptor(raw_);
  }
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  cudnnBackendDescriptor_t raw() const { return raw_; }
  void set_all(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
               const void* values) {
    check_dnn(cudnnBackendSetAttribute(raw_, name, type, count, values), "an attribute");
  }
  template <typename T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    set_all(name, type, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
    set_all(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, value.raw_);
  }
  void finalize(const char* what) { check_dnn(cudnnBackendFinalize(raw_), what); }

 private:
  cudnnBackendDescriptor_t raw_ = nullptr;
};

// Used by one thread at a time.
struct Handle {
  Handle() { check_dnn(cudnnCreate(&raw), "to start"); }
  std::mutex mutex;
  cudnnHandle_t raw = nullptr;
};

Handle& current_handle() { return one_per_gpu<Handle>(current_gpu()); }

cudnnDataType_t type_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return CUDNN_DATA_FLOAT;
  return dtype == at::kHalf ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
}

// [n, channels, height, width], channels last.
Descriptor tensor(Id id, cudnnDataType_t type, const std::array<std::int64_t, 4>& sizes, bool is_virtual = false) {
  const auto [n, channels, height, width] = sizes;
  Descriptor out(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  out.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type);
  out.set(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, channels, height, width});
  out.set(CUDNN_ATTR_TENSOR_STRIDES, {channels * height * width, 1, channels * width, channels});
  out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, static_cast<std::int64_t>(id));
  out.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, kAlignment);
  out.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, is_virtual);
  out.finalize("a tensor");
  return out;
}

Descriptor convolution(const ConvolutionProblem& problem) {
  const std::vector<std::int64_t> padding{problem.padding, problem.padding};
  Descriptor out(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  out.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  out.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION);
  out.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2});
  out.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
  out.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
  out.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1});
  out.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {problem.stride, problem.stride});
  out.finalize("a convolution");
  return out;
}

Descriptor addition() {
  Descriptor out(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  out.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
  out.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  out.finalize("an addition");
  return out;
}

Descriptor add(const Descriptor& mode, const Descriptor& x, const Descriptor& b, const Descriptor& y) {
  Descriptor out(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, mode);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
  out.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  out.finalize("an addition");
  return out;
}

// A graph keeps what it is made of, so the parts may go.
Descriptor graph_of(const ConvolutionProblem& p, cudnnHandle_t handle) {
  const auto type = type_of(p.dtype);
  const std::array<std::int64_t, 4> sizes{p.batch, p.out, p.out_height(), p.out_width()};
  const auto x = tensor(kX, type, {p.batch, p.in, p.height, p.width});
  const auto weight = tensor(kWeight, type, {p.out, p.in, p.kernel, p.kernel});
  const auto bias = tensor(kBias, type, {1, p.out, 1, 1});
  const auto residual = tensor(kResidual, type, sizes), out = tensor(kOut, type, sizes);
  const auto product = tensor(kProduct, CUDNN_DATA_FLOAT, sizes, true);
  const auto biased = tensor(kBiased, CUDNN_DATA_FLOAT, sizes, true);
  const auto shape = convolution(p), mode = addition();
  Descriptor convolve(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  convolve.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, shape);
  convolve.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
  convolve.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weight);
  convolve.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, product);
  convolve.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1.0F);
  convolve.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 0.0F);
  convolve.finalize("a convolution");
  const auto add_bias = add(mode, product, bias, p.residual ? biased : out);
  std::vector<cudnnBackendDescriptor_t> operations{convolve.raw(), add_bias.raw()};
  std::vector<Descriptor> last;
  if (p.residual) operations.push_back(last.emplace_back(add(mode, biased, residual, out)).raw());
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle);
  graph.set_all(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                static_cast<std::int64_t>(operations.size()), operations.data());
  graph.finalize("a graph");
  return graph;
}

// The engines that cuDNN thinks best.
std::vector<Descriptor> engines_for(const Descriptor& graph, size_t count) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
  heuristics.finalize("a search for engines");
  std::vector<Descriptor> engines;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (size_t i = 0; i < count; ++i) raw.push_back(engines.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).raw());
  std::int64_t found = 0;
  check_dnn(cudnnBackendGetAttribute(heuristics.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                     static_cast<std::int64_t>(count), &found, raw.data()),
            "to name engines");
  while (engines.size() > static_cast<size_t>(found)) engines.pop_back();
  return engines;
}

class GraphPlan : public ConvolutionPlan {
 public:
  GraphPlan(Handle& handle, const Descriptor& engine, bool residual) : handle_(handle), residual_(residual) {
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle.raw);
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine);
    plan_.finalize("a plan");
    std::int64_t count = 0;
    check_dnn(cudnnBackendGetAttribute(plan_.raw(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                       &count, &workspace_),
              "to tell a plan's workspace");
    check(workspace_ <= kMostWorkspace, ErrorCode::kInternal, "a plan of cuDNN wants a workspace of ", workspace_);
  }

  bool run(const ConvolutionOperands& operands) override {
    const auto workspace = at::empty({workspace_}, operands.x.options().dtype(at::kByte));
    std::vector<std::int64_t> ids{kX, kWeight, kBias, kOut};
    std::vector<const void*> data{operands.x.const_data_ptr(), operands.weight.const_data_ptr(),
                                  operands.bias.const_data_ptr(), operands.out.mutable_data_ptr()};
    if (residual_) {
      ids.push_back(kResidual);
      data.push_back(operands.residual.const_data_ptr());
    }
    const auto count = static_cast<std::int64_t>(ids.size());
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
    pack.set_all(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, data.data());
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace.mutable_data_ptr());
    pack.finalize("operands");
    const std::lock_guard lock(handle_.mutex);
    return cudnnSetStream(handle_.raw, stream_of(operands.x)) == CUDNN_STATUS_SUCCESS &&
           cudnnBackendExecute(handle_.raw, plan_.raw(), pack.raw()) == CUDNN_STATUS_SUCCESS;
  }

 private:
  Handle& handle_;
  bool residual_;
  Descriptor plan_{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
  std::int64_t workspace_ = 0;
};

}  // namespace

std::vector<std::shared_ptr<ConvolutionPlan>> convolution_plans(const ConvolutionProblem& problem, size_t count) {
  auto& handle = current_handle();
  const std::lock_guard lock(handle.mutex);
  std::vector<std::shared_ptr<ConvolutionPlan>> plans;
  try {
    const auto graph = graph_of(problem, handle.raw);
    for (const auto& engine : engines_for(graph, 2 * count)) {
      if (plans.size() == count) break;
      try {
        plans.push_back(std::make_shared<GraphPlan>(handle, engine, problem.residual));
      } catch (const Error&) {  // an engine that does not serve after all
      }
    }
  } catch (const Error&) {  // a graph that this cuDNN does not know
  }
  return plans;
}

}  // namespace fjord::cuda
