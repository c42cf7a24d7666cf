#include "kernels/emulator.h"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <string>

namespace fjord::testing {
namespace {

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

}  // namespace

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

EmulatedBlock::EmulatedBlock() : state_(std::make_unique<State>()) {}
EmulatedBlock::~EmulatedBlock() = default;

void EmulatedBlock::allow(const void* data, size_t bytes, bool writable) {
  const auto* begin = static_cast<const char*>(data);
  state_->ranges.push_back({begin, begin + bytes, writable});
}

void EmulatedBlock::run(const EmulatedLaunch& launch, const std::function<void(EmulatedThread&)>& body) {
  auto& s = *state_;
  s.launch = launch;
  s.body = &body;
  s.shared.resize(static_cast<size_t>(launch.shared_bytes));
  s.fibers.resize(static_cast<size_t>(launch.threads));
  s.error = nullptr;
  for (s.z = 0; s.z < launch.grid_z; ++s.z)
    for (s.y = 0; s.y < launch.grid_y; ++s.y)
      for (s.x = 0; s.x < launch.grid_x; ++s.x) {
        s.prepare(*this);
        s.run_block();
      }
}

int EmulatedThread::block_x() const { return block_.state_->x; }
int EmulatedThread::block_y() const { return block_.state_->y; }
int EmulatedThread::block_z() const { return block_.state_->z; }
int EmulatedThread::grid_x() const { return block_.state_->launch.grid_x; }

void EmulatedThread::barrier() {
  auto& s = *block_.state_;
  ++s.progress;
  if (++s.at_barrier == s.launch.threads) {
    s.at_barrier = 0;
    ++s.barrier_generation;
    return;
  }
  for (const auto generation = s.barrier_generation; s.barrier_generation == generation;) s.yield();
}

void EmulatedThread::warp_barrier() {
  block_.state_->meet(thread_, {.instruction = "warp barrier"}, [](auto&, Meeting&) {});
}

void EmulatedThread::copy_to_shared(unsigned offset, const void* source, bool exists) {
  Copy copy{offset, {}};
  if (exists) {
    check_global(source, sizeof copy.bytes, false);
    std::memcpy(copy.bytes, source, sizeof copy.bytes);
  }
  std::memset(shared(offset, sizeof copy.bytes), 0xff, sizeof copy.bytes);  // NaN until waited for
  open_.push_back(copy);
}

void EmulatedThread::commit_copies() {
  groups_.push_back(std::move(open_));
  open_.clear();
}

void EmulatedThread::finish_copies(int pending) {
  while (static_cast<int>(groups_.size()) > pending) {
    for (const auto& copy : groups_.front()) std::memcpy(shared(copy.target, 16), copy.bytes, sizeof copy.bytes);
    groups_.erase(groups_.begin());
  }
}

void EmulatedThread::load(std::uint32_t* r, int count, unsigned offset, bool transposed) {
  const Operands operands{
      .instruction = "ldmatrix", .registers = r, .count = count, .offset = offset, .transposed = transposed};
  block_.state_->meet(thread_, operands, [](auto& s, Meeting& meeting) {
    for (size_t matrix = 0; matrix < static_cast<size_t>(meeting.operands[0].count); ++matrix) {
      std::uint16_t rows[8][8];
      for (size_t row = 0; row < 8; ++row)
        std::memcpy(rows[row], s.at(meeting.operands[matrix * 8 + row].offset, 16), 16);
      for (size_t lane = 0; lane < 32; ++lane) {
        const size_t row = lane / 4, column = 2 * (lane % 4);
        const auto low = meeting.operands[0].transposed ? rows[column][row] : rows[row][column];
        const auto high = meeting.operands[0].transposed ? rows[column + 1][row] : rows[row][column + 1];
        meeting.operands[lane].registers[matrix] = low | static_cast<std::uint32_t>(high) << 16;
      }
    }
  });
}

void EmulatedThread::multiply(Element element, float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
  const Operands operands{.instruction = "mma", .element = element, .c = c, .a = a, .b = {b0, b1}};
  block_.state_->meet(thread_, operands, [](auto&, Meeting& meeting) {
    const auto part = [&](std::uint32_t word, int i) {
      return from_bits(meeting.operands[0].element, static_cast<std::uint16_t>(i % 2 == 0 ? word : word >> 16));
    };
    float a_tile[16][16], b_tile[16][8];
    for (int lane = 0; lane < 32; ++lane) {
      const auto& from = meeting.operands[static_cast<size_t>(lane)];
      for (int i = 0; i < 8; ++i) {
        const auto at = kernels::cuda::a_position(lane, i);
        a_tile[at.row][at.column] = part(from.a[i / 2], i);
      }
      for (int i = 0; i < 4; ++i) {
        const auto at = kernels::cuda::b_position(lane, i);
        b_tile[at.row][at.column] = part(from.b[static_cast<size_t>(i / 2)], i);
      }
    }
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) {
        const auto at = kernels::cuda::c_position(lane, i);
        float sum = meeting.operands[static_cast<size_t>(lane)].c[i];
        for (int k = 0; k < 16; ++k) sum += a_tile[at.row][k] * b_tile[k][at.column];
        meeting.operands[static_cast<size_t>(lane)].c[i] = sum;
      }
  });
}

float EmulatedThread::shuffle_xor(float x, int mask) {
  float result = 0;
  check_no_products();
  const Operands operands{.instruction = "shuffle", .c = &result, .value = x, .mask = mask};
  block_.state_->meet(thread_, operands, [](auto&, Meeting& meeting) {
    for (size_t lane = 0; lane < 32; ++lane) {
      const auto& own = meeting.operands[lane];
      *own.c = meeting.operands[lane ^ static_cast<size_t>(own.mask)].value;
    }
  });
  return result;
}

void EmulatedThread::check_no_products() const {
  if (began_) throw std::logic_error("sums are used before the products have ended");
}

void EmulatedThread::init_barrier(unsigned offset, int arrivals) {
  shared(offset, 8);
  block_.state_->barriers[offset] = {.expected = arrivals};
}

void EmulatedThread::arrive(unsigned offset) {
  check_no_products();
  auto& barrier = block_.state_->barrier(offset);
  ++barrier.arrived;
  block_.state_->end_phase(barrier);
}

void EmulatedThread::expect_bytes(unsigned offset, int bytes) {
  auto& barrier = block_.state_->barrier(offset);
  barrier.bytes += bytes;
  ++barrier.arrived;
  block_.state_->end_phase(barrier);
}

// As the hardware: the phase of this parity has ended when the present one has the other parity.
void EmulatedThread::wait_barrier(unsigned offset, int parity) {
  auto& s = *block_.state_;
  while (s.barrier(offset).phase % 2 == parity) s.yield();
  ++s.progress;
}

void EmulatedThread::copy_panel(unsigned offset, const EmulatedMap& map, int column, int head, int token, int batch,
                                unsigned barrier_offset) {
  using namespace kernels::cuda;  // NOLINT: the layout's names
  if (offset % kSwizzleBytes != 0) throw std::out_of_range("a panel that is not at a multiple of 1024 bytes");
  for (int row = 0; row < map.rows; ++row)
    for (int i = 0; i < kPanelColumns; ++i) {
      std::uint16_t value = 0;
      if (column + i < map.channels && head < map.heads && token + row < map.count && batch < map.batch) {
        const auto* source = static_cast<const std::uint16_t*>(map.tokens.data) + batch * map.tokens.batch_stride +
                             (token + row) * map.tokens.token_stride + head * map.tokens.head_stride + column + i;
        check_global(source, sizeof value, false);
        value = *source;
      }
      const auto plain = offset + static_cast<unsigned>(row * kPanelRowBytes + 2 * i);
      std::memcpy(shared(swizzled(plain), sizeof value), &value, sizeof value);
    }
  auto& barrier = block_.state_->barrier(barrier_offset);
  barrier.bytes -= map.rows * kPanelRowBytes;
  block_.state_->end_phase(barrier);
}

namespace {

// The element of a panel that a descriptor names: `across` counts columns from the descriptor's start (less than 64),
// `down` rows.
template <typename State>
float panel_element(State& s, Element element, std::uint64_t descriptor, unsigned across, unsigned down) {
  const auto start = static_cast<unsigned>(descriptor & 0x3fff) << 4;
  const auto next_rows = static_cast<unsigned>(descriptor >> 32 & 0x3fff) << 4;
  if (descriptor >> 62 != 1 || (descriptor >> 49 & 7) != 0) throw std::logic_error("not a panel's descriptor");
  const auto plain = start + down / 8 * next_rows + down % 8 * kernels::cuda::kPanelRowBytes + 2 * across;
  std::uint16_t bits = 0;
  std::memcpy(&bits, s.at(kernels::cuda::swizzled(plain), sizeof bits), sizeof bits);
  return from_bits(element, bits);
}

}  // namespace

void EmulatedThread::multiply_group(Element element, int columns, float (*d)[4], const std::uint32_t* a,
                                    std::uint64_t a_descriptor, std::uint64_t b_descriptor, bool add) {
  if (!began_) throw std::logic_error("products without a fence before them");
  const Operands operands{.instruction = "wgmma",
                          .element = element,
                          .c = d[0],
                          .a = a,
                          .columns = columns,
                          .a_descriptor = a_descriptor,
                          .b_descriptor = b_descriptor,
                          .add = add};
  const auto compute = [](auto& s, Meeting& meeting) {
    const auto& first = meeting.operands[0];
    std::vector<float> a_tile(64 * 16), b_tile(static_cast<size_t>(16 * first.columns));
    for (unsigned k = 0; k < 16; ++k) {
      for (unsigned row = 0; row < 64 && first.a == nullptr; ++row)
        a_tile[row * 16 + k] = panel_element(s, first.element, first.a_descriptor, k, row);
      // Keys lie along the rows, each with what is summed side by side; of values the rows are summed.
      for (unsigned n = 0; n < static_cast<unsigned>(first.columns); ++n)
        b_tile[k * static_cast<unsigned>(first.columns) + n] =
            first.a == nullptr ? panel_element(s, first.element, first.b_descriptor, k, n)
                               : panel_element(s, first.element, first.b_descriptor, n, k);
    }
    for (int thread = 0; thread < kernels::cuda::kWarpgroup; ++thread) {
      const auto& own = meeting.operands[static_cast<size_t>(thread)];
      for (int i = 0; i < 8 && first.a != nullptr; ++i) {
        const auto at = kernels::cuda::a_position(thread % 32, i);
        const auto word = own.a[i / 2];
        a_tile[static_cast<size_t>((thread / 32 * 16 + at.row) * 16 + at.column)] =
            from_bits(first.element, static_cast<std::uint16_t>(i % 2 == 0 ? word : word >> 16));
      }
    }
    for (int thread = 0; thread < kernels::cuda::kWarpgroup; ++thread)
      for (int i = 0; i < first.columns / 2; ++i) {
        const auto at = kernels::cuda::c_position(thread % 32, i % 4);
        const int row = thread / 32 * 16 + at.row, column = i / 4 * 8 + at.column;
        float& sum = meeting.operands[static_cast<size_t>(thread)].c[i];
        float products = 0;
        for (int k = 0; k < 16; ++k)
          products +=
              a_tile[static_cast<size_t>(row * 16 + k)] * b_tile[static_cast<size_t>(k * first.columns + column)];
        sum = first.add ? sum + products : products;
      }
  };
  block_.state_->meet(thread_, operands, compute, /*group=*/true);
}

unsigned char* EmulatedThread::shared(unsigned offset, size_t bytes) const { return block_.state_->at(offset, bytes); }

void EmulatedThread::check_global(const void* at, size_t bytes, bool writes) const {
  const auto* begin = static_cast<const char*>(at);
  const auto holds = [&](const Range& range) {
    return begin >= range.begin && begin + bytes <= range.end && (range.writable || !writes);
  };
  const auto& ranges = block_.state_->ranges;
  if (std::bit_cast<std::uintptr_t>(begin) % bytes != 0) throw std::out_of_range("global memory that is not aligned");
  if (std::none_of(ranges.begin(), ranges.end(), holds))
    throw std::out_of_range(writes ? "global memory that may not be written" : "global memory that may not be read");
}

}  // namespace fjord::testing
