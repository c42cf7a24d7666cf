// Time of work on a GPU, without a CUDA header: a recorded graph is replayed and the clock read when all is done.
#pragma once

#include "core/cuda_plugin.h"

#include <ATen/ops/zeros.h>

#include <chrono>
#include <functional>

namespace fjord::bench {

inline const CudaOps& gpu() { return *cuda_plugin().ops; }

struct Timing {
  int warm = 3;
  int replays = 20;  // 0: run the work once, do not record it

  // Of one call of `f`, which a graph holds `calls` times.
  double microseconds(const std::function<void()>& f, int calls = 10) const {
    const auto flag = at::zeros({1}, at::TensorOptions().device(at::kCUDA));
    if (replays == 0) {
      f();
      flag.item<float>();  // waits
      return 1;
    }
    for (int i = 0; i < 2; ++i) f();  // libraries choose their algorithms, which is not recorded
    const auto graph = gpu().record([&] {
      for (int i = 0; i < calls; ++i) f();
    });
    for (int i = 0; i < warm; ++i) graph->replay();
    flag.item<float>();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < replays; ++i) graph->replay();
    flag.item<float>();
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - begin;
    return elapsed.count() / (calls * replays);
  }
};

}  // namespace fjord::bench
