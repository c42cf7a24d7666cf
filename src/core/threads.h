// Threads of our own: a name that tells whose they are, and the lowest priority for those in the background.
#pragma once

#include <pthread.h>
#include <sched.h>

namespace fjord {

// At most 15 characters, as debuggers and top show them.
inline void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

// The calling thread, and those that it starts, compute only where no other wants the processor. A wish: a system that
// refuses it leaves the thread as it is.
inline void yield_to_all_others() {
  const sched_param lowest{};
  sched_setscheduler(0, SCHED_IDLE, &lowest);
}

}  // namespace fjord
