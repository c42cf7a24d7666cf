// Jobs that share evaluations of the U-Net. Each has a thread, which does all that is its own (prompt, scheduler,
// decoding); one thread at a time works. When all wait for the U-Net, their inputs become one batch.
#pragma once

#include "core/memory_pool.h"
#include "jobs/job_impl.h"
#include "pipeline/evaluation.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fjord {

class PackedGroup : private Checkpoint {
 public:
  using Jobs = std::vector<std::shared_ptr<Job::Impl>>;
  struct Options {
    int most = 1;     // jobs at once
    int threads = 0;  // cap of CPU threads
    // Up to so many jobs that may join one like `job`; called between evaluations.
    std::function<Jobs(const Job::Impl& job, int count)> admit;
  };

  explicit PackedGroup(Options options);
  ~PackedGroup() override;
  // Runs `first` and all that join to their ends, the U-Net on the calling thread.
  void run(std::shared_ptr<Job::Impl> first);
  // How often the U-Net ran.
  std::uint64_t evaluations() const { return evaluations_; }

 private:
  enum class State { kWorking, kWaiting, kEvaluated, kGone };
  class Seat;

  void add(std::shared_ptr<Job::Impl> job);
  void live(Seat& seat);
  void remove_gone(std::unique_lock<std::mutex>& lock);
  void take_turn(std::unique_lock<std::mutex>& lock, Seat& seat);
  void end_turn(Seat& seat);
  std::vector<Seat*> next_batch();
  void evaluate(std::unique_lock<std::mutex>& lock);
  at::Tensor run_network(const std::vector<models::UNetInput>& inputs);
  models::RunMemory* memory_for(const std::vector<models::UNetInput>& inputs);
  void hand_over(const std::vector<models::UNetInput>& inputs, const at::Tensor& predictions,
                 const std::exception_ptr& error);
  void pass(const void* layer) override;

  Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Seat>> seats_;
  bool turn_taken_ = false;  // a thread works
  std::uint64_t arrivals_ = 0;
  std::uint64_t evaluations_ = 0;
  std::vector<Seat*> batch_;  // that is evaluated now
  // What the layers made of the texts of the latest batch, and these texts.
  models::RunMemory memory_;
  std::vector<at::Tensor> texts_;
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::create(MemoryPool::Pages::kLarge);
};

}  // namespace fjord
