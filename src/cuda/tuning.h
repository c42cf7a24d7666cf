// What the searches for the fastest algorithms share.
#pragma once

#include "core/tuning_file.h"
#include "kernels/cuda/kernels.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fjord::cuda {

// What was found on the current GPU, by GPU, driver and libraries.
TuningFile& tuning();

// A sentence for Result::notes, once in a process.
void add_note(const std::string& note);
// Those, and what keeps the files from being written; writes them.
std::vector<std::string> end_request();

// Whether a graph is being recorded on the tensor's stream.
bool is_capturing(const at::Tensor& x);
// Of one call of `f`, which is called several times; none where it does not work.
std::optional<double> milliseconds(kernels::cuda::Stream stream, const std::function<bool()>& f);
// Whether two results are equal up to rounding; waits for the GPU.
bool agrees(const at::Tensor& x, const at::Tensor& plain);

// What was decided in this process. Any thread may use it.
template <typename Key, typename Choice>
class Choices {
 public:
  std::optional<Choice> find(const Key& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = choices_.find(key);
    return found == choices_.end() ? std::nullopt : std::optional(found->second);
  }
  void put(const Key& key, const Choice& choice) {
    const std::lock_guard lock(mutex_);
    choices_[key] = choice;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Key, Choice> choices_;
};

// The one T of a GPU, made when it is first asked for.
template <typename T>
T& one_per_gpu(int device) {
  static std::mutex mutex;
  static std::map<int, T> all;
  const std::lock_guard lock(mutex);
  return all[device];
}
// The number of the current GPU.
int current_gpu();

std::string hex_text(const void* bytes, size_t count);
// Whether `text` had as many bytes.
bool from_hex_text(const std::string& text, void* bytes, size_t count);

}  // namespace fjord::cuda
