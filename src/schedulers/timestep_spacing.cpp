// The floating-point detours are numpy's: rounding x.5 to even after them decides between neighbouring timesteps.
#include "schedulers/timestep_spacing.h"

#include "core/check.h"
#include "schedulers/choice.h"

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {
namespace {

// numpy.arange(start, 0, -step), rounded to whole numbers.
std::vector<double> rounded_descent(double start, double step) {
  const auto count = static_cast<std::int64_t>(std::ceil(start / step));
  const double delta = (start - step) - start;  // numpy takes the difference of the first two values
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(std::nearbyint(start + static_cast<double>(i) * delta));
  return values;
}

// Every `ratio`-th timestep, from count - 1 times down to `lowest` times, all raised by `offset`.
std::vector<double> multiples(std::int64_t ratio, std::int64_t count, std::int64_t lowest, std::int64_t offset) {
  std::vector<double> values;
  for (std::int64_t i = count - 1; i >= lowest; --i) values.push_back(static_cast<double>(i * ratio + offset));
  return values;
}

std::vector<double> reversed_rounded(std::vector<double> values) {
  for (auto& value : values) value = std::nearbyint(value);
  std::reverse(values.begin(), values.end());
  return values;
}

// Trailing spacing ends above 0. Rounding makes numpy give one value too many for some numbers of steps (61, 103, ...),
// where diffusers would go on to timestep -1 and spoil the picture: that value is left out.
std::vector<double> trailing(std::int64_t train, std::int64_t last, std::int64_t steps) {
  auto values = rounded_descent(static_cast<double>(last), static_cast<double>(train) / static_cast<double>(steps));
  for (auto& value : values) value -= 1;
  while (!values.empty() && values.back() < 0) values.pop_back();
  return values;
}

void check_timesteps(const std::vector<double>& timesteps, std::int64_t train, bool fractional) {
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const double timestep = timesteps[i];
    const bool whole = fractional || std::floor(timestep) == timestep;
    check(timestep >= 0 && timestep <= static_cast<double>(train - 1) && whole, ErrorCode::kInvalidArgument,
          "custom timesteps must be ", fractional ? "" : "whole ", "numbers from 0 to ", train - 1, ", got ", timestep,
          " at position ", i);
    check(i == 0 || timestep < timesteps[i - 1], ErrorCode::kInvalidArgument, "custom timesteps must fall, got ",
          timestep, " after ", timesteps[i == 0 ? 0 : i - 1]);
  }
}

void check_sigmas(const std::vector<double>& sigmas, std::int64_t train) {
  check(sigmas.size() >= 2 && sigmas.size() <= static_cast<size_t>(train) + 1, ErrorCode::kInvalidArgument,
        "custom sigmas must be from 2 to ", train + 1, " numbers (one more than steps), got ", sigmas.size());
  check(std::isfinite(sigmas[0]), ErrorCode::kInvalidArgument, "custom sigmas must be finite, got ", sigmas[0]);
  for (size_t i = 1; i < sigmas.size(); ++i) {
    check(static_cast<float>(sigmas[i]) < static_cast<float>(sigmas[i - 1]), ErrorCode::kInvalidArgument,
          "custom sigmas must fall, got ", sigmas[i], " after ", sigmas[i - 1]);
  }
  check(sigmas.back() >= 0, ErrorCode::kInvalidArgument, "custom sigmas must not be below 0, got ", sigmas.back());
}

}  // namespace

Spacing timestep_spacing(const config::Scheduler& config, const char* fallback) {
  return choose<Spacing>(
      "timestep_spacing", config.timestep_spacing, fallback,
      {{"linspace", Spacing::kLinspace}, {"leading", Spacing::kLeading}, {"trailing", Spacing::kTrailing}});
}

std::vector<double> linspace(double start, double stop, std::int64_t count) {
  std::vector<double> values(static_cast<size_t>(count), start);
  if (count < 2) return values;
  const double step = (stop - start) / static_cast<double>(count - 1);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) * step + start;
  values.back() = stop;
  return values;
}

std::vector<double> spaced_timesteps(Spacing spacing, std::int64_t train, std::int64_t steps, std::int64_t offset) {
  switch (spacing) {
    case Spacing::kLinspace: return reversed_rounded(linspace(0, static_cast<double>(train - 1), steps));
    case Spacing::kLeading: return multiples(train / steps, steps, 0, offset);
    case Spacing::kTrailing: break;
  }
  return trailing(train, train, steps);
}

std::vector<double> spaced_solver_timesteps(const SolverSpacing& spacing, std::int64_t steps) {
  switch (spacing.spacing) {
    case Spacing::kLinspace: {
      auto values = reversed_rounded(linspace(0, static_cast<double>(spacing.last - 1), steps + 1));
      values.pop_back();
      return values;
    }
    case Spacing::kLeading: return multiples(spacing.last / (steps + 1), steps + 1, 1, spacing.offset);
    case Spacing::kTrailing: break;
  }
  return trailing(spacing.train, spacing.last, steps);
}

void check_plan(const SchedulePlan& plan, std::int64_t train, const PlanRules& rules) {
  if (!plan.sigmas.empty()) {
    check(rules.sigmas, ErrorCode::kInvalidArgument,
          "custom sigmas are not taken by a scheduler that steps along timesteps; expected custom timesteps");
    check(plan.timesteps.empty(), ErrorCode::kInvalidArgument, "expected custom timesteps or custom sigmas, got both");
    check_sigmas(plan.sigmas, train);
    return;
  }
  if (plan.timesteps.empty()) {
    check(plan.steps >= 1 && plan.steps <= train, ErrorCode::kInvalidArgument, "steps must be from 1 to ", train,
          " (the timesteps of the training), got ", plan.steps);
    return;
  }
  check_timesteps(plan.timesteps, train, rules.fractional);
}

void check_in_table(const std::vector<double>& timesteps, std::int64_t train) {
  check(!timesteps.empty(), ErrorCode::kInvalidArgument, "the schedule leaves no timestep for this number of steps");
  const double first = timesteps.front();
  check(first < static_cast<double>(train), ErrorCode::kInvalidArgument, "the first timestep is ", first,
        ", beyond the last of the training (", train - 1, "); take fewer steps or a smaller steps_offset");
}

}  // namespace fjord::schedulers
