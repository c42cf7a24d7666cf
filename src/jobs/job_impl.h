// One submitted request, from waiting to its end. Cancelling is noticed wherever its work passes a checkpoint.
#pragma once

#include "core/checkpoint.h"

#include <fjord/jobs.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace fjord {

class Job::Impl : public Checkpoint, public std::enable_shared_from_this<Job::Impl> {
 public:
  Impl(Pipeline pipeline, Request request, JobOptions options);

  // Runs the request to its end on this thread and calls back. Does not throw.
  void run();

  JobState state() const;
  Progress progress() const;
  std::optional<RgbaImage> preview() const;
  void cancel() noexcept { cancelled_ = true; }
  bool is_cancelled() const noexcept { return cancelled_; }
  bool wait_for(double milliseconds) const;
  const Result& result() const;

  bool is_over() const;  // and all callbacks have returned
  bool is_on_own_thread() const;

  const Pipeline& pipeline() const { return pipeline_; }
  const Request& request() const { return request_; }
  const JobOptions& options() const { return options_; }

 private:
  void pass(const void* layer) override;
  void work();
  void report(const Generation& generation);
  void end(JobState state, std::exception_ptr error);
  bool is_final() const { return state_ != JobState::kQueued && state_ != JobState::kRunning; }
  bool on_own_thread() const { return thread_ == std::this_thread::get_id(); }  // with the mutex held

  const Pipeline pipeline_;
  const Request request_;
  JobOptions options_;
  std::atomic<bool> cancelled_ = false;
  mutable std::mutex mutex_;  // of what follows
  mutable std::condition_variable changed_;
  JobState state_ = JobState::kQueued;
  bool over_ = false;
  std::thread::id thread_;  // that runs the job
  Progress progress_;
  std::optional<RgbaImage> preview_;
  Result result_;
  std::exception_ptr error_;
};

}  // namespace fjord
