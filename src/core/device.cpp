#include "core/device.h"

#include "core/check.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cctype>

namespace fjord {
namespace {

bool is_cuda_name(const std::string& name) {
  if (name == "cuda") return true;
  return name.size() > 5 && name.size() <= 8 && name.starts_with("cuda:") &&
         std::all_of(name.begin() + 5, name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

at::Device parse_device(const std::string& name) {
  if (name == "cpu" || name == "auto") return at::kCPU;
  check(is_cuda_name(name), ErrorCode::kInvalidArgument, "device must be auto, cpu, cuda or cuda:<index>, got ",
        quoted(name));
  fail(ErrorCode::kDeviceUnavailable, "device ", name, " is not available: this build of fjord runs on the CPU only");
}

at::ScalarType to_scalar_type(Precision precision) {
  switch (precision) {
    case Precision::kFloat32: return at::kFloat;
    case Precision::kBFloat16: return at::kBFloat16;
    case Precision::kFloat16: return at::kHalf;
  }
  fail(ErrorCode::kInvalidArgument, "unknown precision ", static_cast<int>(precision));
}

ThreadLimit::ThreadLimit(int threads) {
  if (threads <= 0 || threads == at::get_num_threads()) return;
  previous_ = at::get_num_threads();
  at::set_num_threads(threads);
}

ThreadLimit::~ThreadLimit() {
  if (previous_ > 0) at::set_num_threads(previous_);
}

}  // namespace fjord
