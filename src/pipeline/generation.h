// The state of one running request; Generation of the public interface forwards to it.
#pragma once

#include "core/checkpoint.h"
#include "core/memory_pool.h"
#include "core/random.h"
#include "core/sliced_thread.h"
#include "pipeline/canvas.h"
#include "pipeline/denoise_pass.h"
#include "pipeline/model.h"

#include <fjord/pipeline.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

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
  bool advance_here();
  Result finish_here();
  void keep_to_budget();
  void start_next_pass();
  std::vector<std::string> notes() const;
  void check_cancelled() const;
  void pass(const void* /*layer*/) override { check_cancelled(); }
  std::vector<Image> decoded(const models::Autoencoder& vae, const at::Tensor& latents) const;
  std::vector<Image> pictures();

  std::shared_ptr<const pipeline::Model> model_;
  Request request_;  // defaults filled in
  pipeline::Canvas canvas_;
  int threads_;
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::create(MemoryPool::Pages::kLarge);  // of the operators' results
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<bool> cancelled_ = false;
  std::vector<std::string> warnings_;
  std::vector<std::string> notes_;  // of passes that have ended
  std::shared_ptr<const Scheduler> scheduler_;
  std::vector<pipeline::PassPlan> plans_;  // of the passes to come, the next one last
  pipeline::Conditioning conditioning_;
  NoiseStream noise_;
  std::optional<pipeline::DenoisePass> pass_;
  int steps_ = 0;  // of all passes
  int step_ = 0;
  Phase phase_ = Phase::kEncodePrompt;
  // Of advance_for: what the thread made. The thread comes last, since its end is waited for first.
  std::optional<Result> sliced_result_;
  std::exception_ptr sliced_error_;
  std::unique_ptr<SlicedThread> slices_;
};

}  // namespace fjord
