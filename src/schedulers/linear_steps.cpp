// Columns of the probe: one for the sample, the prediction and the noise of each evaluation, which hold 1 there and 0
// elsewhere, so that what a step gives in them are factors; then columns of random numbers of many sizes, in which the
// sum with these factors must be what the step gives.
#include "schedulers/linear_steps.h"

#include "core/check.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace fjord::schedulers {
namespace {

constexpr std::int64_t kChecks = 24;
constexpr double kTolerance = 1e-9;    // of the sum of the terms' sizes
constexpr double kNegligible = 1e-12;  // of the largest factor: what is left where terms cancel

enum class Kind { kSample, kPrediction, kNoise };

class Probe {
 public:
  explicit Probe(std::int64_t evaluations) : evaluations_(evaluations) {}

  // What is handed over at evaluation i, counted from 0.
  at::Tensor make(Kind kind, std::int64_t i) {
    auto x = at::zeros({1, columns()}, at::kDouble);
    auto* values = x.mutable_data_ptr<double>();
    values[column(kind, i)] = 1;
    for (std::int64_t c = columns() - kChecks; c < columns(); ++c)
      values[c] = normal_(random_) * std::exp(size_(random_));
    handed_.push_back({kind, i, x});
    return x;
  }

  // The step that gave `y` at evaluation i; none if it is no sum of what was handed over.
  std::optional<LinearStep> read(const at::Tensor& y, std::int64_t i, bool draws) const {
    if (y.scalar_type() != at::kDouble || y.numel() != columns()) return std::nullopt;
    const auto flat = y.contiguous();
    const auto* values = flat.const_data_ptr<double>();
    LinearStep step{.draws = draws};
    double largest = 0;
    for (std::int64_t c = 0; c < columns() - kChecks; ++c) largest = std::max(largest, std::abs(values[c]));
    for (std::int64_t j = i; j >= 0; --j) {
      const auto factor = [&](Kind kind) {
        const double value = values[column(kind, j)];
        return std::abs(value) > kNegligible * largest ? value : 0.0;
      };
      if (factor(Kind::kSample) != 0) step.samples.push_back({i - j, factor(Kind::kSample)});
      if (factor(Kind::kPrediction) != 0) step.predictions.push_back({i - j, factor(Kind::kPrediction)});
      if (j == i) step.noise = factor(Kind::kNoise);
      if (j < i && factor(Kind::kNoise) != 0) return std::nullopt;
    }
    for (std::int64_t c = columns() - kChecks; c < columns(); ++c) {
      if (!is_sum(values, c)) return std::nullopt;
    }
    return step;
  }

 private:
  struct Handed {
    Kind kind;
    std::int64_t evaluation;
    at::Tensor values;
  };

  std::int64_t columns() const { return 3 * evaluations_ + kChecks; }
  std::int64_t column(Kind kind, std::int64_t i) const { return static_cast<std::int64_t>(kind) * evaluations_ + i; }

  bool is_sum(const double* values, std::int64_t c) const {
    double sum = 0, size = 0;
    for (const auto& handed : handed_) {
      const double term = values[column(handed.kind, handed.evaluation)] * handed.values.const_data_ptr<double>()[c];
      sum += term;
      size += std::abs(term);
    }
    return std::abs(sum - values[c]) <= kTolerance * size;  // false for NaN
  }

  std::int64_t evaluations_;
  std::vector<Handed> handed_;
  std::mt19937_64 random_{20101};
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> size_{-3, 6};  // logarithms: from a twentieth to hundreds
};

}  // namespace

std::optional<std::vector<LinearStep>> linear_steps(const std::function<std::unique_ptr<SchedulerRun>()>& start,
                                                    std::int64_t first, std::int64_t last) {
  const auto run = start();
  Probe probe(last - first);
  std::vector<LinearStep> steps;
  for (std::int64_t i = first; i < last; ++i) {
    const auto sample = probe.make(Kind::kSample, i - first), prediction = probe.make(Kind::kPrediction, i - first);
    int draws = 0;
    const DrawNoise draw = [&](at::IntArrayRef) {
      ++draws;
      return probe.make(Kind::kNoise, i - first);
    };
    at::Tensor next;
    try {
      next = run->step(prediction, i, sample, draw);
    } catch (const Error&) {  // a run that takes no other batch than its request's
      return std::nullopt;
    }
    const auto step = probe.read(next, i - first, draws > 0);
    if (!step || draws > 1) return std::nullopt;
    steps.push_back(*step);
  }
  return steps;
}

}  // namespace fjord::schedulers
