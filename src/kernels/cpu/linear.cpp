// Linear layers on weights in panels of kColumns outputs.
#include "kernels/cpu/linear_writer.h"
#include "kernels/cpu/rounded_row.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/weight_panel.h"

namespace fjord::kernels {
namespace {

constexpr Index kRowsOfItem = 16 * kRows;
constexpr Index kMostRowsOfItem = 2 * kRowsOfItem;
constexpr Index kPanelsOfItem = kColumns < 64 ? 64 / kColumns : 1;
constexpr Index kStep = 160;  // words of a row between two visits of the sums

// How rounded inputs lie in words.
#ifdef __AVX512VNNI__
using ProductMath = Int8Math;
using Quantized = std::uint8_t;
constexpr Word kZeroPoint = 128;
#else
using ProductMath = ShortMath;
using Quantized = std::int16_t;
constexpr Word kZeroPoint = 0;
#endif
constexpr Index kQuantizedOfWord = sizeof(Word) / sizeof(Quantized);

// Whether rows of x become float32 before they are multiplied.
bool is_widened(const LinearProblem& p) {
  return !kMultipliesBFloat16 && p.element == Element::kBFloat16 && p.kind != WeightKind::kInt8Product;
}

// What of a problem follows from its shape and kinds. A gated panel holds values in its first half and their gates in
// the second.
struct Plan {
  PanelShape panel;
  Index inputs_of_word;  // as they are multiplied
  Index words;           // of a row of x
  Index outputs;         // of a panel
  Index panels;
  bool weights_outweigh_rows;
  Index rows_of_item;
  Index blocks_of_panels, blocks_of_rows;
  explicit Plan(const LinearProblem& p)
      : panel(p.element, p.kind, p.in_features, kColumns), outputs(p.gated ? kColumns / 2 : kColumns) {
    const bool is_float = p.element == Element::kFloat32 || is_widened(p);
    inputs_of_word = p.kind == WeightKind::kInt8Product ? kQuantizedOfWord : is_float ? 1 : 2;
    words = (p.in_features + inputs_of_word - 1) / inputs_of_word;
    panels = (p.out_features + outputs - 1) / outputs;
    blocks_of_panels = (panels + kPanelsOfItem - 1) / kPanelsOfItem;
    // Items that follow each other have in common what there is more of: it is read from main memory only once.
    weights_outweigh_rows = panels * panel.bytes() > p.rows * words * static_cast<Index>(sizeof(Word));
    rows_of_item = weights_outweigh_rows ? kMostRowsOfItem : kRowsOfItem;
    blocks_of_rows = (p.rows + rows_of_item - 1) / rows_of_item;
  }
};

// Takes the inputs' zero point off again: what the sums of products begin with.
void write_zero_point(const Word* words, Index count, Word* header) {
  IntVec sums[kVectors] = {};
  for (Index k = 0; k < count; ++k, words += kColumns) {
    for (int i = 0; i < kVectors; ++i) {
      sums[i] += sum_of_bytes(load_as<IntVec>(words + i * kLanes));
    }
  }
  for (int i = 0; i < kVectors; ++i) {
    const IntVec negative = sums[i] * -static_cast<std::int32_t>(kZeroPoint);
    std::memcpy(header + i * kLanes, &negative, sizeof negative);
  }
}

void pack_panel(const LinearProblem& p, const Plan& plan, const WeightRows& weight, Index panel, char* to) {
  const auto first = panel * plan.outputs, count = least(plan.outputs, p.out_features - first);
  pack_columns(plan.panel, weight, {first, count, 0, plan.outputs}, to);
  if (p.gated) pack_columns(plan.panel, weight, {first + p.out_features, count, plan.outputs, plan.outputs}, to);
  if (kZeroPoint == 0 || p.kind != WeightKind::kInt8Product) return;
  const auto* units = reinterpret_cast<const Word*>(to + plan.panel.header_bytes());
  write_zero_point(units, plan.panel.units(), reinterpret_cast<Word*>(to));
}

struct Scratch {
  static constexpr Index kSums = kMostRowsOfItem * kColumns;
  float* sums;     // [kPanelsOfItem][kMostRowsOfItem, kColumns]
  Word* unpacked;  // [kStep, kColumns]
  float* widened;  // [kMostRowsOfItem, kStep]
  explicit Scratch(void* memory)
      : sums(static_cast<float*>(memory)),
        unpacked(reinterpret_cast<Word*>(sums + kPanelsOfItem * kSums)),
        widened(reinterpret_cast<float*>(unpacked + kStep * kColumns)) {}
  static constexpr size_t kSize =
      sizeof(Word) * (kPanelsOfItem * kSums + kStep * kColumns + (kMultipliesBFloat16 ? 0 : kMostRowsOfItem * kStep));
};

template <typename Pairs>
const Word* unpack_pairs(const LinearProblem& p, const Pairs& pairs, Index units, Word* to) {
  if constexpr (kMultipliesBFloat16) {
    if (p.element == Element::kBFloat16) return unpack<HalfRows>(pairs, units, to), to;
  }
  return unpack<FloatRows>(pairs, units, to), to;
}

// The units of a panel that `steps` words of x, from word `first` on, are multiplied with.
struct Block {
  const PanelShape& shape;
  const char* panel;
  Index unit, units;
  Block(const Plan& plan, const char* of_panel, Index first, Index steps)
      : shape(plan.panel),
        panel(of_panel),
        unit(first * plan.inputs_of_word / shape.numbers_of_unit),
        units((steps * plan.inputs_of_word + shape.numbers_of_unit - 1) / shape.numbers_of_unit) {}
  Index bytes() const { return units * shape.width * shape.unit_bytes; }
  const char* data() const { return panel + shape.header_bytes() + unit * shape.width * shape.unit_bytes; }
};

// As words, in place or unpacked.
const Word* columns_of(const LinearProblem& p, const Block& block, Word* unpacked) {
  const auto& [shape, panel, unit, units] = block;
  const auto* in_place = reinterpret_cast<const Word*>(block.data());
  switch (p.kind) {
    case WeightKind::kInt4: return unpack_pairs(p, Int4Pairs(shape, panel, unit, 0), units, unpacked);
    case WeightKind::kInt8: return unpack_pairs(p, Int8Pairs(shape, panel, unit, 0), units, unpacked);
    case WeightKind::kInt8Product:
      if constexpr (kQuantizedOfWord == 4) return in_place;
      return unpack_shorts(Int8Pairs(shape, panel, unit, 0), units, unpacked), unpacked;
    case WeightKind::kPlain: break;
  }
  if (!is_widened(p)) return in_place;
  return unpack<FloatRows>(HalfPairs(shape, panel, unit, 0), units, unpacked), unpacked;
}

void multiply_words(const LinearProblem& p, const Product& product) {
  if (p.kind == WeightKind::kInt8Product) return multiply<ProductMath>(product);
  p.element == Element::kFloat32 ? multiply<FloatMath>(product) : multiply<BFloat16Math>(product);
}

const float* first_sums(const LinearProblem& p, const char* panel) {
  const bool has_zero_point = kZeroPoint != 0 && p.kind == WeightKind::kInt8Product;
  return has_zero_point ? reinterpret_cast<const float*>(panel) : kZeros;
}

// Some words of some rows of x.
struct Rows {
  const Word* first;
  Index stride;
};

Rows read_rows(const LinearProblem& p, const Plan& plan, Index row, Index rows, Index word, Index words,
               float* widened) {
  if (!is_widened(p)) return {static_cast<const Word*>(p.x) + row * plan.words + word, plan.words};
  const auto* from = static_cast<const BFloat16*>(p.x) + row * p.in_features + word;
  for (Index r = 0; r < rows; ++r) widen(from + r * p.in_features, words, widened + r * kStep);
  return {reinterpret_cast<const Word*>(widened), kStep};
}

void write_panel(const LinearProblem& p, Index panel, Index row, Index rows, const float* sums) {
  p.element == Element::kFloat32 ? write_rows<float>(p, panel, row, rows, sums)
                                 : write_rows<BFloat16>(p, panel, row, rows, sums);
}

void multiply_item(const LinearProblem& p, Index item, void* memory) {
  const Scratch scratch(memory);
  const Plan plan(p);
  const bool by_panels = plan.weights_outweigh_rows;
  const auto row_block = by_panels ? item % plan.blocks_of_rows : item / plan.blocks_of_panels;
  const auto panel_block = by_panels ? item / plan.blocks_of_rows : item % plan.blocks_of_panels;
  const auto row = row_block * plan.rows_of_item, rows = least(plan.rows_of_item, p.rows - row);
  const auto first = panel_block * kPanelsOfItem, count = least(kPanelsOfItem, plan.panels - first);
  for (Index k = 0; k < plan.words; k += kStep) {
    const auto steps = least(kStep, plan.words - k);
    const auto x = read_rows(p, plan, row, rows, k, steps, scratch.widened);
    for (Index i = 0; i < count; ++i) {
      const auto* panel = static_cast<const char*>(p.weight) + (first + i) * plan.panel.bytes();
      const Block block(plan, panel, k, steps);
      multiply_words(p, {.a = x.first,
                         .a_row = x.stride,
                         .rows = rows,
                         .b = columns_of(p, block, scratch.unpacked),
                         .steps = steps,
                         .sums = scratch.sums + i * Scratch::kSums,
                         .sums_row = kColumns,
                         .initial = k == 0 ? first_sums(p, panel) : nullptr,
                         .next = block.data() + block.bytes(),
                         .next_bytes = block.bytes()});
    }
  }
  for (Index i = 0; i < count; ++i) write_panel(p, first + i, row, rows, scratch.sums + i * Scratch::kSums);
}

template <typename T>
void quantize(const LinearProblem& p, Index begin, Index end, Quantized* quantized, float* scales) {
  const auto size = Plan(p).words * kQuantizedOfWord;
  for (Index row = begin; row < end; ++row) {
    const auto* x = static_cast<const T*>(p.x) + row * p.in_features;
    round_row([&](Index c) { return read_vector(x, c, p.in_features); }, p.in_features, size, kZeroPoint,
              quantized + row * size, scales + row);
  }
}

}  // namespace

namespace FJORD_ISA {

Index pack_linear_bytes(const LinearProblem& p) {
  const Plan plan(p);
  return plan.panels * plan.panel.bytes();
}

void pack_linear(const LinearProblem& p, const WeightRows& weight, void* packed) {
  const Plan plan(p);
  auto* to = static_cast<char*>(packed);
  for (Index panel = 0; panel < plan.panels; ++panel, to += plan.panel.bytes()) {
    pack_panel(p, plan, weight, panel, to);
  }
}

Index quantized_row_bytes(const LinearProblem& p) { return Plan(p).words * static_cast<Index>(sizeof(Word)); }

void quantize_rows(const LinearProblem& p, Index begin, Index end, void* quantized, float* scales) {
  auto* const to = static_cast<Quantized*>(quantized);
  p.element == Element::kFloat32 ? quantize<float>(p, begin, end, to, scales)
                                 : quantize<BFloat16>(p, begin, end, to, scales);
}

Index linear_items(const LinearProblem& p) {
  const Plan plan(p);
  return plan.blocks_of_rows * plan.blocks_of_panels;
}

size_t linear_scratch(const LinearProblem&) { return Scratch::kSize; }

void linear(const LinearProblem& p, Index item, void* scratch) { multiply_item(p, item, scratch); }

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
