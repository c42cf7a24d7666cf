// A scheduler of the user's own: Euler's method in few, unevenly spaced steps, for a model that predicts velocities
// (weights/tiny does). Needs LibTorch's headers, unlike the rest of the interface.
//   custom_scheduler MODEL_FOLDER PROMPT OUT.png
#include <fjord/fjord.h>
#include <fjord/torch/scheduler.h>

#include <ATen/TensorOperators.h>

#include <cmath>
#include <iostream>

namespace {

// alpha(t)^2 + sigma(t)^2 = 1 in the clean = alpha * x - sigma * v convention (eq. 9 of arXiv:2202.00512).
struct Level {
  double alpha = 1.0;
  double sigma = 0.0;
};

// The schedule that Stable Diffusion was trained with: betas evenly spaced in their square roots.
std::vector<Level> training_levels() {
  constexpr int kSteps = 1000;
  std::vector<Level> levels;
  double product = 1.0;
  for (int t = 0; t < kSteps; ++t) {
    const double root = std::sqrt(0.00085) + (std::sqrt(0.012) - std::sqrt(0.00085)) * t / (kSteps - 1);
    product *= 1.0 - root * root;
    levels.push_back({std::sqrt(product), std::sqrt(1.0 - product)});
  }
  return levels;
}

class EulerRun : public fjord::SchedulerRun {
 public:
  explicit EulerRun(int steps) : levels_(training_levels()) {
    // Half a cosine: small steps at both ends, where the picture's layout and its details are decided.
    for (int i = 0; i < steps; ++i) timesteps_.push_back(std::round(499.5 * (1 + std::cos(M_PI * i / steps))));
  }
  const std::vector<double>& timesteps() const override { return timesteps_; }

  at::Tensor step(const at::Tensor& velocity, std::int64_t i, const at::Tensor& x, const fjord::DrawNoise&) override {
    const Level now = level(i);
    const at::Tensor noise = now.alpha * velocity + now.sigma * x;
    const bool last = i + 1 == static_cast<std::int64_t>(timesteps_.size());
    const Level next = last ? Level{} : level(i + 1);
    return next.alpha * predict_clean(velocity, i, x) + next.sigma * noise;
  }
  at::Tensor predict_clean(const at::Tensor& velocity, std::int64_t i, const at::Tensor& x) const override {
    return level(i).alpha * x - level(i).sigma * velocity;
  }
  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    return level(i).alpha * clean + level(i).sigma * noise;
  }

 private:
  const Level& level(std::int64_t i) const {
    return levels_.at(static_cast<size_t>(timesteps_.at(static_cast<size_t>(i))));
  }

  std::vector<Level> levels_;
  std::vector<double> timesteps_;
};

class Euler : public fjord::Scheduler {
 public:
  std::unique_ptr<fjord::SchedulerRun> start(const fjord::SchedulePlan& plan) const override {
    return std::make_unique<EulerRun>(plan.steps);
  }
  std::int64_t num_train_timesteps() const override { return 1000; }
  std::string name() const override { return "Euler"; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: custom_scheduler MODEL_FOLDER PROMPT OUT.png\n";
    return 64;
  }
  try {
    fjord::Request request;
    request.prompt = argv[2];
    request.steps = 12;
    request.seed = 1;
    request.custom_scheduler = std::make_shared<Euler>();
    const fjord::Result result = fjord::Pipeline::load(argv[1]).generate(request);
    fjord::write_png(argv[3], result.images.front());
    std::cerr << "The picture is " << argv[3] << ".\n";
  } catch (const fjord::Error& error) {
    std::cerr << "custom_scheduler: " << error.what() << '\n';
    return 1;
  }
}
