#include "cuda/tuning.h"

#include "core/check.h"
#include "cuda/shim.h"

#include <ATen/TensorOperators.h>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace fjord::cuda {
namespace {

constexpr int kRuns = 5;

struct Known {
  std::mutex mutex;
  std::map<int, std::unique_ptr<TuningFile>> files;  // by GPU
  std::vector<std::string> notes;
};

Known& known() {
  static Known all;
  return all;
}

std::unique_ptr<TuningFile> open_file(int device) {
  cudaDeviceProp properties{};
  cudaGetDeviceProperties(&properties, device);
  int driver = 0;
  cudaDriverGetVersion(&driver);
  const auto stamp = concat(properties.name, ", driver ", driver, ", cuBLASLt ", cublasLtGetVersion());
  std::string name = concat("products-", properties.name, ".txt");
  std::replace(name.begin(), name.end(), ' ', '-');
  std::replace(name.begin(), name.end(), '/', '-');
  return std::make_unique<TuningFile>(tuning_path(name), stamp);
}

class Event {
 public:
  Event() { cudaEventCreate(&event_); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

int current_gpu() {
  int device = 0;
  cudaGetDevice(&device);
  return device;
}

TuningFile& tuning() {
  const int device = current_gpu();
  const std::lock_guard lock(known().mutex);
  auto& file = known().files[device];
  if (file == nullptr) file = open_file(device);
  return *file;
}

void add_note(const std::string& note) {
  const std::lock_guard lock(known().mutex);
  auto& notes = known().notes;
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

std::vector<std::string> end_request() {
  const std::lock_guard lock(known().mutex);
  auto notes = known().notes;
  for (const auto& [device, file] : known().files) {
    file->save();
    if (!file->note().empty()) notes.push_back(file->note());
  }
  return notes;
}

bool is_capturing(const at::Tensor& x) {
  auto status = cudaStreamCaptureStatusNone;
  cudaStreamIsCapturing(stream_of(x), &status);
  return status != cudaStreamCaptureStatusNone;
}

std::optional<double> milliseconds(kernels::cuda::Stream stream, const std::function<bool()>& f) {
  const Event begin, end;
  if (!f()) return std::nullopt;
  cudaEventRecord(begin.get(), stream);
  for (int i = 0; i < kRuns; ++i) {
    if (!f()) return std::nullopt;
  }
  cudaEventRecord(end.get(), stream);
  if (cudaEventSynchronize(end.get()) != cudaSuccess) return std::nullopt;
  float time = 0;
  cudaEventElapsedTime(&time, begin.get(), end.get());
  return static_cast<double>(time) / kRuns;
}

bool agrees(const at::Tensor& x, const at::Tensor& plain) {
  const double most = plain.scalar_type() == at::kFloat ? 1e-4 : 2e-2;
  const auto wide = plain.to(at::kFloat);
  return ((x.to(at::kFloat) - wide).norm() <= most * wide.norm()).item<bool>();
}

std::string hex_text(const void* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  const auto* byte = static_cast<const unsigned char*>(bytes);
  for (size_t i = 0; i < count; ++i) {
    text += kDigits[byte[i] >> 4];
    text += kDigits[byte[i] & 15];
  }
  return text;
}

bool from_hex_text(const std::string& text, void* bytes, size_t count) {
  if (text.size() != 2 * count) return false;
  auto* byte = static_cast<unsigned char*>(bytes);
  for (size_t i = 0; i < count; ++i) {
    const char* begin = text.data() + 2 * i;
    if (std::from_chars(begin, begin + 2, byte[i], 16).ptr != begin + 2) return false;
  }
  return true;
}

}  // namespace fjord::cuda
