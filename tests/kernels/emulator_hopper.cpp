// Hopper's instructions: barriers that count bytes, bulk copies of swizzled panels, products of a warpgroup.
#include "kernels/emulator_state.h"

namespace fjord::testing {

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

}  // namespace fjord::testing
