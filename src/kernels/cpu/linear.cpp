// Linear layers on weights in panels of kColumns outputs.
#include "kernels/cpu/activation.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/transpose.h"

namespace fjord::kernels {
namespace {

constexpr Index kRowsOfItem = 16 * kRows;
constexpr Index kStep = 256;  // words of a row between two visits of the sums
constexpr Word kZeroPoint = 128;

// How inputs lie in words, and what a panel holds for each word and column.
struct FloatLayout {
  using Math = FloatMath;
  using Storage = float;
  using Packed = Word;
  static constexpr Index kInputsOfWord = 1;
};

struct BFloat16Layout {
  using Math = BFloat16Math;
  using Storage = BFloat16;
  using Packed = Word;
  static constexpr Index kInputsOfWord = 2;
};

struct FloatInt8Layout : FloatLayout {
  using Packed = std::int8_t;
  static FJORD_INLINE WordVec expand(const Packed* from) { return reinterpret_cast<WordVec>(load(from)); }
};

// Whole numbers up to 256 are exact in bfloat16.
struct BFloat16Int8Layout : BFloat16Layout {
  using Packed = std::int16_t;  // two int8
  static FJORD_INLINE WordVec expand(const Packed* from) {
    typedef Packed Pairs __attribute__((vector_size(kLanes * 2)));
    const IntVec pairs = __builtin_convertvector(load_as<Pairs>(from), IntVec);
    const Vec even = __builtin_convertvector((pairs << 24) >> 24, Vec), odd = __builtin_convertvector(pairs >> 8, Vec);
    return (reinterpret_cast<WordVec>(even) >> 16) | reinterpret_cast<WordVec>(odd);
  }
};

template <typename Element>
struct ProductLayout {
  using Math = Int8Math;
  using Storage = Element;
  using Packed = Word;  // four int8
  static constexpr Index kInputsOfWord = 4;
};

template <typename Layout>
constexpr bool kInPlace = sizeof(typename Layout::Packed) == sizeof(Word);
template <typename Layout>
constexpr bool kIsProduct = Layout::kInputsOfWord == 4;

// Calls f.template operator()<Layout>().
template <typename F>
auto with_layout(const LinearProblem& p, F&& f) {
  const bool is_float = p.element == Element::kFloat32;
  switch (p.kind) {
    case WeightKind::kInt8:
      return is_float ? f.template operator()<FloatInt8Layout>() : f.template operator()<BFloat16Int8Layout>();
    case WeightKind::kInt8Product:
      return is_float ? f.template operator()<ProductLayout<float>>()
                      : f.template operator()<ProductLayout<BFloat16>>();
    default: return is_float ? f.template operator()<FloatLayout>() : f.template operator()<BFloat16Layout>();
  }
}

// A gated panel holds values in its first half and their gates in the second. A panel of products begins with a row of
// sums that takes the inputs' zero point off again.
template <typename Layout>
struct Shape {
  using Packed = typename Layout::Packed;
  Index words;        // of a row of x
  Index panel_width;  // outputs of a panel
  Index panels;
  explicit Shape(const LinearProblem& p)
      : words((p.in_features + Layout::kInputsOfWord - 1) / Layout::kInputsOfWord),
        panel_width(p.gated ? kColumns / 2 : kColumns),
        panels((p.out_features + panel_width - 1) / panel_width) {}
  static constexpr Index kHeader = kIsProduct<Layout> ? kColumns : 0;
  Index panel_size() const { return kHeader + words * kColumns; }  // in Packed
};

// Rows of `words` whole words, as one panel's columns from `to` on.
template <typename Layout>
void pack_half(const LinearProblem& p, const void* weight, Index first, Index count, typename Layout::Packed* to) {
  using Packed = typename Layout::Packed;
  const Shape<Layout> shape(p);
  const auto row_bytes = shape.words * static_cast<Index>(sizeof(Packed));
  const auto* from = static_cast<const char*>(weight) + first * row_bytes;
  transpose_rows(reinterpret_cast<const Packed*>(from), {shape.words, count, shape.words}, to,
                 {kColumns, shape.panel_width});
}

// Rows whose last word is not whole, one number at a time.
void pack_half_of_products(const LinearProblem& p, const void* weight, Index first, Index count, Word* to) {
  const auto* from = static_cast<const std::uint8_t*>(weight) + first * p.in_features;
  for (Index c = 0; c < Shape<ProductLayout<float>>(p).panel_width; ++c, from += p.in_features) {
    for (Index k = 0; k < (p.in_features + 3) / 4; ++k) {
      Word word = 0;
      if (c < count) std::memcpy(&word, from + 4 * k, static_cast<size_t>(least(4, p.in_features - 4 * k)));
      to[k * kColumns + c] = word;
    }
  }
}

void write_zero_point(const Word* words, Index count, Word* header) {
  IntVec sums[kVectors] = {};
  for (Index k = 0; k < count; ++k, words += kColumns) {
    for (int i = 0; i < kVectors; ++i) {
      const auto four = load_as<IntVec>(words + i * kLanes);
      sums[i] += ((four << 24) >> 24) + ((four << 16) >> 24) + ((four << 8) >> 24) + (four >> 24);
    }
  }
  for (int i = 0; i < kVectors; ++i) {
    const IntVec negative = sums[i] * -static_cast<std::int32_t>(kZeroPoint);
    std::memcpy(header + i * kLanes, &negative, sizeof negative);
  }
}

template <typename Layout>
void pack_panel(const LinearProblem& p, const void* weight, Index panel, typename Layout::Packed* to) {
  const Shape<Layout> shape(p);
  const auto first = panel * shape.panel_width, count = least(shape.panel_width, p.out_features - first);
  auto* columns = to + shape.kHeader;
  for (Index half = 0; half <= (p.gated ? 1 : 0); ++half, columns += shape.panel_width) {
    const auto row = first + half * p.out_features;
    if constexpr (kIsProduct<Layout>) {
      if (p.in_features % 4 != 0) {
        pack_half_of_products(p, weight, row, count, columns);
        continue;
      }
    }
    pack_half<Layout>(p, weight, row, count, columns);
  }
  if constexpr (kIsProduct<Layout>) write_zero_point(to + shape.kHeader, shape.words, to);
}

template <typename T>
struct Writer {
  const LinearProblem& p;
  Index panel;

  static FJORD_INLINE Vec read(const float* from, Index count) {
    return count == kLanes ? load(from) : load_some(from, count);
  }

  // The sum of output `out`, which is row `row_of_weight` of the weight, as a number with its bias.
  FJORD_INLINE Vec finished(Vec v, Index row, Index row_of_weight, Index count) const {
    if (p.kind == WeightKind::kInt8Product) {
      v = __builtin_convertvector(reinterpret_cast<IntVec>(v), Vec) * broadcast(p.row_scale[row]);
    }
    if (p.kind != WeightKind::kPlain) v *= read(p.weight_scale + row_of_weight, count);
    return p.bias != nullptr ? v + read(p.bias + row_of_weight, count) : v;
  }

  FJORD_INLINE void write_vector(Index row, Index out, Index count, Vec v) const {
    const bool whole = count == kLanes;
    if (p.residual != nullptr) {
      const auto* from = static_cast<const T*>(p.residual) + row * p.out_features + out;
      v += whole ? load(from) : load_some(from, count);
    }
    auto* to = static_cast<T*>(p.out) + row * p.out_features + out;
    whole ? store(to, v) : store_some(to, v, count);
  }

  FJORD_INLINE void write(Index row, const Vec (&sums)[kVectors]) const {
    const auto width = p.gated ? kColumns / 2 : kColumns;
    for (Index i = 0; i < width / kLanes; ++i) {
      const auto out = panel * width + i * kLanes;
      const auto count = least(kLanes, p.out_features - out);
      if (count <= 0) return;
      Vec v = finished(sums[i], row, out, count);
      if (p.gated) {
        v *= gelu(finished(sums[i + kVectors / 2], row, p.out_features + out, count));
      } else if (p.activation != Activation::kNone) {
        v = activate(p.activation, v);
      }
      write_vector(row, out, count, v);
    }
  }
};

struct Scratch {
  float* sums;     // [kRowsOfItem, kColumns]
  Word* expanded;  // [kStep, kColumns]
  explicit Scratch(void* memory)
      : sums(static_cast<float*>(memory)), expanded(reinterpret_cast<Word*>(sums + kRowsOfItem * kColumns)) {}
  static constexpr size_t kSize = sizeof(Word) * (kRowsOfItem + kStep) * kColumns;
};

// A part of a panel as the register tile wants it.
template <typename Layout>
const Word* columns_of(const typename Layout::Packed* packed, Index steps, const Scratch& scratch) {
  if constexpr (kInPlace<Layout>) {
    return reinterpret_cast<const Word*>(packed);
  } else {
    for (Index i = 0; i < steps * kColumns; i += kLanes) {
      const WordVec words = Layout::expand(packed + i);
      std::memcpy(scratch.expanded + i, &words, sizeof words);
    }
    return scratch.expanded;
  }
}

template <typename Layout>
void multiply_panel(const LinearProblem& p, Index item, void* memory) {
  const Scratch scratch(memory);
  const Shape<Layout> shape(p);
  const auto first_row = item / shape.panels * kRowsOfItem, panel = item % shape.panels;
  const auto rows = least(kRowsOfItem, p.rows - first_row);
  const auto* x = static_cast<const char*>(p.x) + first_row * shape.words * static_cast<Index>(sizeof(Word));
  const auto* packed = static_cast<const typename Layout::Packed*>(p.weight) + panel * shape.panel_size();
  const Writer<typename Layout::Storage> writer{p, panel};
  for (Index k = 0; k < shape.words; k += kStep) {
    const auto steps = least(kStep, shape.words - k);
    const auto* b = columns_of<Layout>(packed + shape.kHeader + k * kColumns, steps, scratch);
    for_row_groups(rows, [&]<int n>(Index row) {
      Tile<n> tile;
      float* sums = scratch.sums + row * kColumns;
      if (k > 0) {
        tile.load_from(sums, kColumns);
      } else if constexpr (kIsProduct<Layout>) {
        tile.load_from(reinterpret_cast<const float*>(packed), 0);
      } else {
        tile.zero();
      }
      const auto* a = reinterpret_cast<const Word*>(x) + row * shape.words + k;
      accumulate<typename Layout::Math>(tile, a, shape.words, 1, b, steps);
      if (k + steps < shape.words) return tile.store_to(sums, kColumns);
      for (int r = 0; r < n; ++r) writer.write(first_row + row + r, tile.sums[r]);
    });
  }
}

template <typename T>
Vec read_vector(const T* row, Index at, Index features) {
  return at + kLanes <= features ? load(row + at) : load_some(row + at, features - at);
}

// x / scale to the nearest whole number, plus the zero point; the scale brings the largest |x| to 127.
template <typename T>
void quantize_row(const T* x, Index features, std::uint8_t* quantized, float* scale) {
  Vec top{};
  for (Index c = 0; c < features; c += kLanes) {
    const Vec v = read_vector(x, c, features);
    top = max(top, max(v, -v));
  }
  float greatest = 0;
  for (int i = 0; i < kLanes; ++i) greatest = top[i] > greatest ? top[i] : greatest;
  *scale = greatest / 127;
  const Vec factor = broadcast(greatest > 0 ? 127 / greatest : 0);
  const Vec magic = broadcast(12582912.0f + kZeroPoint);  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const auto size = (features + 3) / 4 * 4;
  typedef std::uint8_t Bytes __attribute__((vector_size(kLanes)));
  for (Index c = 0; c < size; c += kLanes) {
    const Vec rounded = read_vector(x, c, features) * factor + magic;
    const Bytes bytes = __builtin_convertvector(reinterpret_cast<WordVec>(rounded), Bytes);
    std::memcpy(quantized + c, &bytes, static_cast<size_t>(least(kLanes, size - c)));
  }
}

template <typename T>
void quantize(const LinearProblem& p, Index begin, Index end, std::uint8_t* quantized, float* scales) {
  const auto size = (p.in_features + 3) / 4 * 4;
  for (Index row = begin; row < end; ++row) {
    quantize_row(static_cast<const T*>(p.x) + row * p.in_features, p.in_features, quantized + row * size, scales + row);
  }
}

}  // namespace

namespace FJORD_ISA {

Index pack_linear_bytes(const LinearProblem& p) {
  return with_layout(p, [&]<typename Layout>() {
    const Shape<Layout> shape(p);
    return shape.panels * shape.panel_size() * static_cast<Index>(sizeof(typename Layout::Packed));
  });
}

void pack_linear(const LinearProblem& p, const void* weight, void* packed) {
  with_layout(p, [&]<typename Layout>() {
    const Shape<Layout> shape(p);
    auto* to = static_cast<typename Layout::Packed*>(packed);
    for (Index panel = 0; panel < shape.panels; ++panel, to += shape.panel_size()) {
      pack_panel<Layout>(p, weight, panel, to);
    }
  });
}

void quantize_rows(const LinearProblem& p, Index begin, Index end, std::uint8_t* quantized, float* scales) {
  p.element == Element::kFloat32 ? quantize<float>(p, begin, end, quantized, scales)
                                 : quantize<BFloat16>(p, begin, end, quantized, scales);
}

Index linear_items(const LinearProblem& p) {
  return with_layout(
      p, [&]<typename Layout>() { return (p.rows + kRowsOfItem - 1) / kRowsOfItem * Shape<Layout>(p).panels; });
}

size_t linear_scratch(const LinearProblem&) { return Scratch::kSize; }

void linear(const LinearProblem& p, Index item, void* scratch) {
  with_layout(p, [&]<typename Layout>() { multiply_panel<Layout>(p, item, scratch); });
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
