// Group and layer normalisation of values whose channels lie side by side.
#include "kernels/cpu/activation.h"
#include "kernels/cpu/table.h"

namespace fjord::kernels {
namespace {

constexpr Index kPixels = 64;  // pixels summed in float32 before they go to float64

template <typename T>
void sum_pixels(const GroupNormProblem& p, Index batch, Index begin, Index end, const float* shift, double* sum_out,
                double* square_out) {
  const auto* x = static_cast<const T*>(p.x) + batch * p.pixels * p.channels;
  for (Index c = 0; c < p.channels; ++c) sum_out[c] = square_out[c] = 0;
  for (Index first = begin; first < end; first += kPixels) {
    const auto last = least(end, first + kPixels);
    for (Index c = 0; c < p.channels; c += kLanes) {
      const auto count = least(kLanes, p.channels - c);
      const bool whole = count == kLanes;
      const Vec about = whole ? load(shift + c) : load_some(shift + c, count);
      Vec sums{}, squares{};
      for (Index pixel = first; pixel < last; ++pixel) {
        const auto* at = x + pixel * p.channels + c;
        const Vec d = (whole ? load(at) : load_some(at, count)) - about;
        sums += d;
        squares += d * d;
      }
      for (Index i = 0; i < count; ++i) {
        sum_out[c + i] += static_cast<double>(sums[i]);
        square_out[c + i] += static_cast<double>(squares[i]);
      }
    }
  }
}

template <typename T>
void scale_pixels(const GroupNormProblem& p, Index batch, Index begin, Index end, const float* scale,
                  const float* shift) {
  const auto offset = batch * p.pixels * p.channels;
  const auto* x = static_cast<const T*>(p.x) + offset;
  auto* out = static_cast<T*>(p.out) + offset;
  for (Index pixel = begin; pixel < end; ++pixel) {
    const auto row = pixel * p.channels;
    for (Index c = 0; c < p.channels; c += kLanes) {
      const auto count = least(kLanes, p.channels - c);
      const auto apply = [&](Vec v, Vec factor, Vec term) {
        const Vec y = v * factor + term;
        return p.silu ? silu(y) : y;
      };
      if (count == kLanes) {
        store(out + row + c, apply(load(x + row + c), load(scale + c), load(shift + c)));
      } else {
        store_some(out + row + c,
                   apply(load_some(x + row + c, count), load_some(scale + c, count), load_some(shift + c, count)),
                   count);
      }
    }
  }
}

// A row's features in vectors: f(offset, count).
template <typename F>
FJORD_INLINE void for_vectors(Index features, F&& f) {
  Index c = 0;
  for (; c + kLanes <= features; c += kLanes) f(c, Index{kLanes});
  if (c < features) f(c, features - c);
}

template <typename T>
FJORD_INLINE Vec read(const T* from, Index count) {
  return count == kLanes ? load(from) : load_some(from, count);
}

template <typename T>
FJORD_INLINE void write(T* to, Vec v, Index count) {
  count == kLanes ? store(to, v) : store_some(to, v, count);
}

template <typename T>
void normalise_rows(const LayerNormProblem& p, Index begin, Index end) {
  for (Index row = begin; row < end; ++row) {
    const auto* x = static_cast<const T*>(p.x) + row * p.features;
    auto* out = static_cast<T*>(p.out) + row * p.features;
    Vec sums{};
    for_vectors(p.features, [&](Index c, Index count) { sums += read(x + c, count); });
    const float mean = sum(sums) / static_cast<float>(p.features);
    Vec squares{};
    for_vectors(p.features, [&](Index c, Index count) {
      const Vec d = read(x + c, count) - broadcast(mean);
      if (count == kLanes) {
        squares += d * d;
      } else {
        for (Index i = 0; i < count; ++i) squares[0] += d[i] * d[i];
      }
    });
    const float variance = sum(squares) / static_cast<float>(p.features);
    const float scale = 1.0f / __builtin_sqrtf(variance + static_cast<float>(p.eps));
    for_vectors(p.features, [&](Index c, Index count) {
      const Vec normed = (read(x + c, count) - broadcast(mean)) * broadcast(scale);
      write(out + c, normed * read(p.weight + c, count) + read(p.bias + c, count), count);
    });
  }
}

}  // namespace

namespace FJORD_ISA {

void group_norm_sums(const GroupNormProblem& p, Index batch, Index begin, Index end, const float* shift,
                     double* sum_out, double* square_out) {
  p.element == Element::kFloat32 ? sum_pixels<float>(p, batch, begin, end, shift, sum_out, square_out)
                                 : sum_pixels<BFloat16>(p, batch, begin, end, shift, sum_out, square_out);
}

void group_norm_apply(const GroupNormProblem& p, Index batch, Index begin, Index end, const float* scale,
                      const float* shift) {
  p.element == Element::kFloat32 ? scale_pixels<float>(p, batch, begin, end, scale, shift)
                                 : scale_pixels<BFloat16>(p, batch, begin, end, scale, shift);
}

void layer_norm(const LayerNormProblem& p, Index begin, Index end) {
  p.element == Element::kFloat32 ? normalise_rows<float>(p, begin, end) : normalise_rows<BFloat16>(p, begin, end);
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
