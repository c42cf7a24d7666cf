// A signal handler can reach nothing but a global: this is the program's only one.
#include "cli/interrupt.h"

#include <fjord/error.h>

#include <atomic>
#include <csignal>

namespace fjord::cli {
namespace {

std::atomic<bool> interrupt_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_interrupt(int) { interrupt_flag.store(true); }

}  // namespace

void catch_interrupts() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action.sa_handler = on_interrupt;
    // The handler serves once: the next signal of this kind has its usual effect.
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() noexcept { return interrupt_flag.load(); }

void throw_if_interrupted() {
  if (interrupted()) throw Error(ErrorCode::kCancelled, "interrupted");
}

}  // namespace fjord::cli
