#include "kernels/emulator_state.h"

namespace fjord::testing {

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
