// Work shared by threads. Uses the OpenMP runtime that LibTorch uses, so that there is one pool of threads, and obeys
// the caller's ThreadLimit.
#pragma once

#include <cstdint>
#include <functional>

namespace fjord {

// How many threads parallel_for_each uses at most when called here.
int parallel_workers();

// Calls f(item, worker) for every item of 0 .. count-1, each once; a thread that is done takes the next item. Worker
// numbers are less than parallel_workers() and no two threads have the same. LibTorch's operators inside f run on one
// thread. The first exception stops the rest and is thrown again here. Nested calls run on the calling thread.
void parallel_for_each(std::int64_t count, const std::function<void(std::int64_t item, int worker)>& f);

// Likewise for work of so many arithmetic operations in all: little work gets fewer threads, since calling them
// together costs some microseconds each time, and far more where other programs use the cores.
void parallel_for_each(std::int64_t count, double operations,
                       const std::function<void(std::int64_t item, int worker)>& f);

}  // namespace fjord
