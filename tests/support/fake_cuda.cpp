#include "support/fake_cuda.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace fjord::testing {
namespace {

struct State {
  FakeCudaCounts counts;
  std::function<void()> before_recording;
  std::function<void(const at::Tensor&)> after_replay;
  std::vector<std::string> learned;
  int ahead = 0;
};

State& state() {
  static State only;
  return only;
}

struct Call {
  c10::OperatorHandle op;
  std::vector<c10::IValue> inputs;
  std::vector<c10::IValue> outputs;
};

struct Tape {
  std::vector<Call> calls;
  int depth = 0;
  bool known = false;   // the outermost operator that is running
  bool waited = false;  // for a value, which a recording GPU cannot give
};

thread_local Tape* recording = nullptr;

// Only what is called from outside: what an operator calls itself comes again when it is run again.
std::unique_ptr<at::ObserverContext> begin_call(const at::RecordFunction& function) {
  if (recording == nullptr) return nullptr;
  const auto name = function.operator_name();
  if (name && (name->name == "aten::item" || name->name == "aten::_local_scalar_dense")) recording->waited = true;
  if (++recording->depth > 1) return nullptr;
  const auto op = name ? c10::Dispatcher::singleton().findSchema(*name) : std::nullopt;
  recording->known = op.has_value();
  if (!op) return nullptr;
  const auto inputs = function.inputs();
  recording->calls.push_back({*op, std::vector<c10::IValue>(inputs.begin(), inputs.end()), {}});
  return nullptr;
}

void end_call(const at::RecordFunction& function, at::ObserverContext*) {
  if (recording == nullptr || --recording->depth > 0 || !recording->known) return;
  recording->calls.back().outputs = function.outputs();
}

void put(const at::Tensor& value, const at::Tensor& place) {
  if (place.defined() && value.const_data_ptr() != place.const_data_ptr()) place.copy_(value);
}

void put(const c10::IValue& value, const c10::IValue& place) {
  if (place.isTensor()) put(value.toTensor(), place.toTensor());
  if (!place.isTensorList()) return;
  const auto values = value.toTensorVector(), places = place.toTensorVector();
  for (size_t i = 0; i < places.size(); ++i) put(values[i], places[i]);
}

class FakeGraph : public CudaGraph {
 public:
  explicit FakeGraph(const std::function<void()>& f) {
    const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(begin_call, end_call)
                                                       .needsInputs(true)
                                                       .needsOutputs(true)
                                                       .scopes({at::RecordScope::FUNCTION}));
    recording = &tape_;
    const auto stop = [&] {
      recording = nullptr;
      at::removeCallback(handle);
    };
    try {
      f();
    } catch (...) {
      stop();
      throw;
    }
    stop();
    TORCH_CHECK(!tape_.waited, "operation not permitted when stream is capturing");
    // A recording GPU computes nothing.
    for (const auto& call : tape_.calls) {
      for (const auto& output : call.outputs) {
        if (output.isTensor() && output.toTensor().defined() && is_new(call, output.toTensor()))
          spoil(output.toTensor());
      }
    }
  }

  void replay() override {
    ++state().counts.replays;
    for (const auto& call : tape_.calls) {
      auto stack = call.inputs;
      call.op.callBoxed(&stack);
      for (size_t i = 0; i < stack.size(); ++i) put(stack[i], call.outputs[i]);
    }
    if (state().after_replay) state().after_replay(tape_.calls.back().outputs.at(0).toTensor());
  }

 private:
  // Whether an operator's result has memory of its own.
  static bool is_new(const Call& call, const at::Tensor& x) {
    return std::none_of(call.inputs.begin(), call.inputs.end(), [&](const c10::IValue& input) {
      return input.isTensor() && input.toTensor().defined() && input.toTensor().storage().is_alias_of(x.storage());
    });
  }
  static void spoil(const at::Tensor& x) {
    if (x.is_floating_point()) x.fill_(std::nan(""));
  }

  Tape tape_;
};

class FakeMark : public CudaMark {
 public:
  explicit FakeMark(const at::Tensor& flag) : flag_(flag.clone()) {
    ++state().counts.marks;
    state().counts.most_ahead = std::max(state().counts.most_ahead, ++state().ahead);
  }
  ~FakeMark() override { --state().ahead; }

  std::int32_t wait() override {
    ++state().counts.waits;
    return flag_.item<std::int32_t>();
  }

 private:
  at::Tensor flag_;
};

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const CudaAttention& options) {
  const auto split = [&](const at::Tensor& x) {
    return x.reshape({x.size(0), x.size(1), options.heads, -1}).transpose(1, 2);
  };
  return at::scaled_dot_product_attention(split(q), split(k), split(v), {}, 0.0, options.causal)
      .transpose(1, 2)
      .reshape(q.sizes());
}

std::string attention_kernel(const at::Tensor&, const at::Tensor&, const CudaAttention&) { return "math"; }

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t groups,
                      double eps, bool silu) {
  const auto y = at::group_norm(x, groups, weight, bias, eps);
  return silu ? at::silu(y) : y;
}

SumAndNorm layer_norm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                      double eps) {
  const auto sum = residual.defined() ? x + residual : x;
  return {residual.defined() ? sum : at::Tensor(), at::layer_norm(sum, {sum.size(-1)}, weight, bias, eps)};
}

at::Tensor gated_gelu(const at::Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

at::Tensor combine(const std::vector<at::Tensor>& terms, const at::Tensor& coefficients, const at::Tensor& step,
                   const at::Tensor& failed) {
  ++state().counts.combines;
  TORCH_CHECK(!terms.empty() && terms.size() <= 8, "combine takes 1 to 8 terms");
  const auto row = step.defined() ? coefficients.index_select(0, step)[0] : coefficients;
  at::Tensor sum;
  for (size_t i = 0; i < terms.size(); ++i) {
    TORCH_CHECK(terms[i].sizes() == terms[0].sizes() && terms[i].scalar_type() == terms[0].scalar_type(),
                "combine needs terms of one shape and type");
    const auto term = terms[i].to(at::kFloat) * row[static_cast<std::int64_t>(i)];
    sum = sum.defined() ? sum + term : term;
  }
  sum = sum.to(terms[0].scalar_type());
  if (failed.defined()) failed.bitwise_or_(sum.isfinite().all().logical_not().to(at::kInt));
  return sum;
}

at::Tensor added(const at::Tensor& y, const CudaSum& sum) { return sum.residual.defined() ? y + sum.residual : y; }

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const CudaSum& sum) {
  ++state().counts.products;
  return added(at::linear(x, weight, bias), sum);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                       std::int64_t padding, const CudaSum& sum) {
  ++state().counts.convolutions;
  return added(at::conv2d(x, weight, bias, stride, padding), sum);
}

std::unique_ptr<CudaGraph> record(const std::function<void()>& f) {
  ++state().counts.records;
  if (state().before_recording) state().before_recording();
  return std::make_unique<FakeGraph>(f);
}

std::unique_ptr<CudaMark> mark(const at::Tensor& flag) { return std::make_unique<FakeMark>(flag); }

at::Tensor upload(const at::Tensor& x, at::Device) {
  ++state().counts.uploads;
  return x.clone();
}

at::Tensor rest(const at::Tensor& x) {
  ++state().counts.rests;
  return x.clone();
}

std::vector<std::string> end_request() { return state().learned; }
void release_memory() { ++state().counts.releases; }
std::int64_t peak_memory(int) { return 0; }
std::string device_fault() { return ""; }

constexpr CudaOps kOps = {.version = CudaOps::kVersion,
                          .attention = attention,
                          .attention_kernel = attention_kernel,
                          .group_norm = group_norm,
                          .layer_norm = layer_norm,
                          .gated_gelu = gated_gelu,
                          .combine = combine,
                          .linear = linear,
                          .convolution = convolution,
                          .record = record,
                          .mark = mark,
                          .upload = upload,
                          .rest = rest,
                          .end_request = end_request,
                          .release_memory = release_memory,
                          .peak_memory = peak_memory,
                          .device_fault = device_fault};

}  // namespace

FakeCuda::FakeCuda() : scope_(&kOps) { state() = {}; }
FakeCuda::~FakeCuda() { state() = {}; }

const CudaOps& FakeCuda::ops() const { return kOps; }
FakeCudaCounts& FakeCuda::counts() { return state().counts; }
std::function<void()>& FakeCuda::before_recording() { return state().before_recording; }
std::function<void(const at::Tensor&)>& FakeCuda::after_replay() { return state().after_replay; }
std::vector<std::string>& FakeCuda::learned() { return state().learned; }

}  // namespace fjord::testing
