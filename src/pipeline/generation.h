// The state of one running request; Generation of the public interface forwards to it.
#pragma once

#include "core/checkpoint.h"
#include "core/memory_pool.h"
#include "core/random.h"
#include "core/sliced_thread.h"
#include "pipeline/denoiser.h"
#include "pipeline/model.h"

#include <fjord/pipeline.h>
#include <fjord/torch/scheduler.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

namespace fjord {

class Generation::Impl : private Checkpoint {
 public:
  // Encodes the prompt and draws the initial noise. Throws Error for a request that does not fit.
  Impl(std::shared_ptr<const pipeline::Model> model, const Request& request, int threads);

  ~Impl() override { cancel(); }
  bool advance();
  bool advance_for(double milliseconds);
  Result finish();
  std::vector<Image> preview() const;
  Array latents() const;
  std::vector<RgbaImage> latent_preview() const;
  Progress progress() const;
  void cancel() noexcept { cancelled_ = true; }

 private:
  at::Tensor clean_latents() const;
  bool advance_here();
  Result finish_here();
  void draw_initial_latents();
  void step();
  void check_cancelled() const;
  void pass(const void* /*layer*/) override { check_cancelled(); }
  int steps() const { return static_cast<int>(run_->timesteps().size()); }

  std::shared_ptr<const pipeline::Model> model_;
  Request request_;  // defaults filled in
  int threads_;
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::create(MemoryPool::Pages::kLarge);  // of the operators' results
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<bool> cancelled_ = false;
  std::vector<std::string> warnings_;
  std::shared_ptr<const Scheduler> scheduler_;
  std::unique_ptr<SchedulerRun> run_;
  NoiseStream noise_;
  std::optional<pipeline::Denoiser> denoiser_;
  at::Tensor latents_;
  // The latest evaluation, for previews: the network's prediction and the sample it saw. Undefined before the first.
  at::Tensor prediction_;
  at::Tensor seen_;
  int step_ = 0;
  Phase phase_ = Phase::kEncodePrompt;
  // Of advance_for: what the thread made. The thread comes last, since its end is waited for first.
  std::optional<Result> sliced_result_;
  std::exception_ptr sliced_error_;
  std::unique_ptr<SlicedThread> slices_;
};

}  // namespace fjord
