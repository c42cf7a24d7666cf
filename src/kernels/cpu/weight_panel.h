// A packed weight: panels of columns, one for each output, that hold the numbers of a row below one another. All kinds
// but float32 hold some numbers that follow each other as one unit. A panel may begin with a header.
#pragma once

#include "config/int4.h"
#include "kernels/cpu/transpose.h"

namespace fjord::kernels {
namespace {

struct PanelShape {
  WeightKind kind;
  Index row_length;  // numbers of a row
  Index width;       // columns
  Index unit_bytes;
  Index numbers_of_unit;

  PanelShape(Element element, WeightKind weight_kind, Index numbers, Index columns)
      : kind(weight_kind), row_length(numbers), width(columns) {
    const bool is_float = element == Element::kFloat32;
    numbers_of_unit = kind == WeightKind::kPlain && is_float ? 1 : 2;
    unit_bytes = kind == WeightKind::kPlain ? 4 : kind == WeightKind::kInt4 ? 1 : 2;
#ifdef __AVX512VNNI__
    if (kind == WeightKind::kInt8Product) unit_bytes = numbers_of_unit = 4;
#endif
  }
  Index units() const { return (row_length + numbers_of_unit - 1) / numbers_of_unit; }
  Index groups() const { return config::int4_groups(row_length); }
  // Bytes of a row as it is read.
  Index row_bytes() const {
    const auto padded = (row_length + 3) / 4 * 4;
    if (kind == WeightKind::kInt4) return (row_length + 1) / 2;
    if (kind == WeightKind::kPlain) return numbers_of_unit == 1 ? 4 * row_length : 2 * padded;
    return padded;
  }
  Index header_bytes() const {
    if (kind == WeightKind::kInt4) return groups() * width * static_cast<Index>(sizeof(BFloat16));
    return unit_bytes == 4 && kind == WeightKind::kInt8Product ? width * static_cast<Index>(sizeof(Word)) : 0;
  }
  Index bytes() const { return header_bytes() + units() * width * unit_bytes; }
};

// Rows of a weight that become columns of a panel.
struct Placement {
  Index first_row = 0;
  Index rows = 0;
  Index column = 0;   // where the first goes
  Index columns = 0;  // that are written; those without a row become 0
};

template <typename Unit>
void pack_units(const PanelShape& shape, const WeightRows& from, const Placement& place, char* panel) {
  const auto row = shape.row_bytes() / static_cast<Index>(sizeof(Unit));
  transpose_rows(static_cast<const Unit*>(from.values) + place.first_row * row, {row, place.rows, shape.units()},
                 reinterpret_cast<Unit*>(panel + shape.header_bytes()) + place.column, {shape.width, place.columns});
}

void pack_columns(const PanelShape& shape, const WeightRows& from, const Placement& place, char* panel) {
  switch (shape.unit_bytes) {
    case 1: pack_units<std::uint8_t>(shape, from, place, panel); break;
    case 2: pack_units<std::uint16_t>(shape, from, place, panel); break;
    default: pack_units<Word>(shape, from, place, panel); break;
  }
  if (shape.kind != WeightKind::kInt4) return;
  transpose_rows(from.group_scale + place.first_row * shape.groups(), {shape.groups(), place.rows, shape.groups()},
                 reinterpret_cast<BFloat16*>(panel) + place.column, {shape.width, place.columns});
}

// Two numbers that follow each other in a row, of kLanes rows.
struct Pair {
  Vec even, odd;
};

// Units of two numbers from some unit of a panel on. `column` is where the kColumns begin that are wanted.
struct HalfPairs {
  const Word* from;
  Index width;
  HalfPairs(const PanelShape& shape, const char* panel, Index first, Index column)
      : from(reinterpret_cast<const Word*>(panel) + first * shape.width + column), width(shape.width) {}
  FJORD_INLINE Pair read(Index unit, Index column) const {
    const auto words = load_as<WordVec>(from + unit * width + column);
    return {reinterpret_cast<Vec>(words << 16), reinterpret_cast<Vec>(words & 0xffff0000u)};
  }
};

struct Int8Pairs {
  using Unit = std::int16_t;
  const Unit* from;
  Index width;
  Int8Pairs(const PanelShape& shape, const char* panel, Index first, Index column)
      : from(reinterpret_cast<const Unit*>(panel) + first * shape.width + column), width(shape.width) {}
  FJORD_INLINE IntVec read_words(Index unit, Index column) const {
    return to_words(load_as<ShortVec>(from + unit * width + column));
  }
  FJORD_INLINE Pair read(Index unit, Index column) const {
    const IntVec words = read_words(unit, column);
    return {__builtin_convertvector((words << 24) >> 24, Vec), __builtin_convertvector(words >> 8, Vec)};
  }
};

// `first` is the first unit of a group.
struct Int4Pairs {
  const std::int8_t* from;
  const BFloat16* factors;
  Index width;
  Int4Pairs(const PanelShape& shape, const char* panel, Index first, Index column)
      : from(reinterpret_cast<const std::int8_t*>(panel) + shape.header_bytes() + first * shape.width + column),
        factors(reinterpret_cast<const BFloat16*>(panel) + 2 * first / config::kInt4Group * shape.width + column),
        width(shape.width) {}
  FJORD_INLINE Pair read(Index unit, Index column) const {
    const Vec factor = load(factors + 2 * unit / config::kInt4Group * width + column);
    const Vec zero = factor * broadcast(-8.0f);
    const IntVec bytes = load_bytes(from + unit * width + column);
    return {__builtin_convertvector(bytes & 15, Vec) * factor + zero,
            __builtin_convertvector((bytes >> 4) & 15, Vec) * factor + zero};
  }
};

// What a unit becomes for the register tile.
struct FloatRows {  // two rows of float32
  static constexpr int kRows = 2;
  static FJORD_INLINE void write(Pair pair, Word* to) {
    std::memcpy(to, &pair.even, sizeof pair.even);
    std::memcpy(to + kColumns, &pair.odd, sizeof pair.odd);
  }
};

struct HalfRows {  // words of two bfloat16
  static constexpr int kRows = 1;
  static FJORD_INLINE void write(Pair pair, Word* to) {
    const WordVec words = (rounded_bits(pair.even) >> 16) | (rounded_bits(pair.odd) & 0xffff0000u);
    std::memcpy(to, &words, sizeof words);
  }
};

// Words of two 16-bit whole numbers.
[[maybe_unused]] void unpack_shorts(const Int8Pairs& pairs, Index units, Word* to) {
  for (Index unit = 0; unit < units; ++unit, to += kColumns) {
    for (Index column = 0; column < kColumns; column += kLanes) {
      const IntVec words = pairs.read_words(unit, column);
      const IntVec shorts = (((words << 24) >> 24) & 0xffff) | ((words >> 8) << 16);
      std::memcpy(to + column, &shorts, sizeof shorts);
    }
  }
}

template <typename Rows, typename Pairs>
void unpack(const Pairs& pairs, Index units, Word* to) {
  for (Index unit = 0; unit < units; ++unit, to += Rows::kRows * kColumns) {
    for (Index column = 0; column < kColumns; column += kLanes) Rows::write(pairs.read(unit, column), to + column);
  }
}

}  // namespace
}  // namespace fjord::kernels
