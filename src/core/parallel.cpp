#include "core/parallel.h"

#include "core/memory_pool.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#ifdef __SANITIZE_THREAD__
#include "core/device.h"

#include <thread>
#include <vector>
#endif

namespace fjord {

int parallel_workers() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

namespace {

constexpr double kOperationsOfThread = 2e6;  // some 20 microseconds

using Work = std::function<void(std::int64_t item, int worker)>;

// f(worker) on every thread of a team.
template <typename F>
void on_team(int threads, const F& f) {
#ifdef __SANITIZE_THREAD__  // the sanitizer sees threads being joined, but not how OpenMP does it
  const auto work = [&f](int worker) {
    const ThreadLimit alone(1);  // as if in a parallel region
    f(worker);
  };
  std::vector<std::jthread> team;
  for (int worker = 1; worker < threads; ++worker) team.emplace_back(work, worker);
  work(0);
#else
#pragma omp parallel num_threads(threads)
  f(omp_get_thread_num());
#endif
}

void run(std::int64_t count, int threads, const Work& f) {
  if (threads <= 1) {
    for (std::int64_t i = 0; i < count; ++i) f(i, 0);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::atomic_flag failed;
  std::exception_ptr error;
  const bool inference = c10::InferenceMode::is_enabled();
  auto* const pool = PoolScope::active();
  on_team(threads, [&](int worker) {
    try {
      const c10::InferenceMode mode(inference);  // of this thread
      const PoolScope scope(pool);
      for (auto i = next.fetch_add(1); i < count; i = next.fetch_add(1)) f(i, worker);
    } catch (...) {
      next = count;
      if (!failed.test_and_set()) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace

void parallel_for_each(std::int64_t count, const Work& f) {
  run(count, static_cast<int>(std::min<std::int64_t>(count, parallel_workers())), f);
}

void parallel_for_each(std::int64_t count, double operations, const Work& f) {
  const auto most = static_cast<std::int64_t>(operations / kOperationsOfThread) + 1;
  run(count, static_cast<int>(std::min({count, most, static_cast<std::int64_t>(parallel_workers())})), f);
}

}  // namespace fjord
