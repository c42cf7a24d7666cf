// The state of an emulated block, shared by the files of the emulator.
#pragma once

#include "kernels/emulator.h"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <string>

namespace fjord::testing {

constexpr size_t kStackBytes = size_t{256} << 10;

// What a lane brings to an instruction of the warp, and which instruction it believes that to be.
struct Operands {
  const char* instruction = nullptr;
  std::uint32_t* registers = nullptr;  // results
  int count = 0;
  unsigned offset = 0;
  bool transposed = false;
  Element element = Element::kBFloat16;
  float* c = nullptr;
  const std::uint32_t* a = nullptr;
  std::array<std::uint32_t, 2> b = {};
  float value = 0;
  int mask = 0;
  int columns = 0;  // of a warpgroup's product
  std::uint64_t a_descriptor = 0, b_descriptor = 0;
  bool add = false;
};

struct Meeting {
  std::array<Operands, kernels::cuda::kWarpgroup> operands;
  int arrived = 0;
  std::uint64_t generation = 0;
};

// mbarrier: a phase ends when all have arrived and all bytes have come.
struct Barrier {
  int expected = 0, arrived = 0, bytes = 0;
  int phase = 0;
};

struct Range {
  const char* begin;
  const char* end;
  bool writable;
};

struct Fiber {
  ucontext_t context = {};
  std::vector<char> stack = std::vector<char>(kStackBytes);
  std::unique_ptr<EmulatedThread> thread;
  bool done = false;
};

struct EmulatedBlock::State {
  EmulatedLaunch launch;
  const std::function<void(EmulatedThread&)>* body = nullptr;
  std::vector<Range> ranges;
  std::vector<unsigned char> shared;
  std::vector<Fiber> fibers;
  std::vector<Meeting> meetings;        // one a warp
  std::vector<Meeting> group_meetings;  // one a warpgroup
  std::map<unsigned, Barrier> barriers;
  ucontext_t scheduler = {};
  int running = 0;
  int x = 0, y = 0, z = 0;
  int at_barrier = 0;
  std::uint64_t barrier_generation = 0;
  std::uint64_t progress = 0;
  std::exception_ptr error;

  void yield() { swapcontext(&fibers[static_cast<size_t>(running)].context, &scheduler); }

  static void enter(unsigned high, unsigned low) {
    auto* self = std::bit_cast<State*>(static_cast<std::uint64_t>(high) << 32 | low);
    auto& fiber = self->fibers[static_cast<size_t>(self->running)];
    try {
      (*self->body)(*fiber.thread);
    } catch (...) {
      if (!self->error) self->error = std::current_exception();
    }
    fiber.done = true;
    ++self->progress;
    swapcontext(&fiber.context, &self->scheduler);
  }

  void prepare(EmulatedBlock& block) {
    std::fill(shared.begin(), shared.end(), static_cast<unsigned char>(0xff));  // NaN
    meetings.assign(static_cast<size_t>(launch.threads / 32), {});
    group_meetings.assign(static_cast<size_t>(launch.threads / kernels::cuda::kWarpgroup), {});
    barriers.clear();
    at_barrier = 0;
    const auto self = std::bit_cast<std::uint64_t>(this);
    for (int t = 0; t < launch.threads; ++t) {
      auto& fiber = fibers[static_cast<size_t>(t)];
      fiber.thread = std::make_unique<EmulatedThread>(block, t);
      fiber.done = false;
      getcontext(&fiber.context);
      fiber.context.uc_stack = {fiber.stack.data(), 0, fiber.stack.size()};
      fiber.context.uc_link = nullptr;
      using Entry = void (*)();
      makecontext(&fiber.context, reinterpret_cast<Entry>(&State::enter), 2, static_cast<unsigned>(self >> 32),
                  static_cast<unsigned>(self));
    }
  }

  // Lets the lanes of a warp run until none of them gets any further.
  void run_warp(int warp) {
    for (auto before = progress - 1; before != progress && !error;) {
      before = progress;
      for (running = warp * 32; running < warp * 32 + 32 && !error; ++running) {
        if (!fibers[static_cast<size_t>(running)].done)
          swapcontext(&scheduler, &fibers[static_cast<size_t>(running)].context);
      }
    }
  }

  void run_block() {
    const int warps = launch.threads / 32;
    const auto done = [](const Fiber& fiber) { return fiber.done; };
    while (!std::all_of(fibers.begin(), fibers.end(), done)) {
      const auto before = progress;
      for (int i = 0; i < warps; ++i) run_warp(launch.last_warp_first ? warps - 1 - i : i);
      if (error) std::rethrow_exception(error);
      if (before == progress) throw std::logic_error("the threads of a block wait for each other for ever");
    }
  }

  // Waits until all lanes of the warp, or all threads of the warpgroup, are here; the last one computes for all.
  void meet(int thread, const Operands& operands, void (*compute)(State&, Meeting&), bool group = false) {
    const int size = group ? kernels::cuda::kWarpgroup : 32;
    auto& meeting = (group ? group_meetings : meetings)[static_cast<size_t>(thread / size)];
    meeting.operands[static_cast<size_t>(thread % size)] = operands;
    if (++meeting.arrived < size) {
      for (const auto generation = meeting.generation; meeting.generation == generation;) yield();
      return;
    }
    for (int i = 0; i < size; ++i) {
      const auto& other = meeting.operands[static_cast<size_t>(i)];
      if (std::string(other.instruction) != operands.instruction)
        throw std::logic_error(std::string("lanes of a warp meet at ") + other.instruction + " and " +
                               operands.instruction);
    }
    compute(*this, meeting);
    meeting.arrived = 0;
    ++meeting.generation;
    ++progress;
  }

  Barrier& barrier(unsigned offset) {
    const auto found = barriers.find(offset);
    if (found == barriers.end()) throw std::logic_error("a barrier that was not made");
    return found->second;
  }
  void end_phase(Barrier& barrier) {
    ++progress;
    if (barrier.arrived < barrier.expected || barrier.bytes != 0) return;
    barrier.arrived = 0;
    ++barrier.phase;
  }

  unsigned char* at(unsigned offset, size_t bytes) {
    if (offset % bytes != 0 || offset + bytes > shared.size())
      throw std::out_of_range("shared memory at " + std::to_string(offset) + ", " + std::to_string(bytes) +
                              " bytes of " + std::to_string(shared.size()));
    return shared.data() + offset;
  }
};

}  // namespace fjord::testing
