// Requests in the background: submit and go on, poll or be called, cancel at any time.
#pragma once

#include <fjord/export.h>
#include <fjord/pipeline.h>
#include <fjord/progress.h>
#include <fjord/request.h>
#include <fjord/texture.h>

#include <functional>
#include <memory>
#include <optional>

namespace fjord {

enum class JobState { kQueued, kRunning, kDone, kFailed, kCancelled };

// Name of a state: "queued", "running", "done", "failed", "cancelled".
FJORD_API const char* to_string(JobState state);

// A submitted request: a cheap handle, copies name the same job. Every method may be called from any thread, also from
// a callback, and after the queue is gone.
class FJORD_API Job {
 public:
  JobState state() const;
  Progress progress() const;
  // The newest latent preview (see JobOptions::preview_every); none before the first.
  std::optional<RgbaImage> preview() const;
  // Asks the job to end; a running one ends before the next layer of its network. Never blocks. A job that is done
  // stays done.
  void cancel() noexcept;
  // Waits until the job is done, failed or cancelled, and its callbacks have returned; false if that took longer. A
  // negative time waits for ever. From a callback of the job itself it returns false at once.
  bool wait_for(double milliseconds) const;
  // Waits for the end. Throws the Error that ended the job; kCancelled if it was cancelled.
  const Result& result() const;

  class Impl;
  explicit Job(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  friend class JobQueue;
  std::shared_ptr<Impl> impl_;
};

struct JobOptions {
  int priority = 0;       // the highest runs first; equal ones in the order of submission
  int preview_every = 0;  // steps between latent previews; 0: none
  bool pack = true;       // may share evaluations of the U-Net with other jobs, see QueueOptions::max_packed
  // Called on a thread of the queue, never two at once for one job. on_progress after every phase and step; what it
  // throws ends the job with kInternal and its text. on_end once, when the state is final; what it throws is dropped.
  std::function<void(const Job& job)> on_progress = {};
  std::function<void(const Job& job)> on_end = {};
};

struct QueueOptions {
  int workers =
      1;  // threads that run jobs, 0 to 64. 0: none, jobs run inside advance(), for hosts that give time slices
  int threads = 0;  // CPU threads of each worker at most, 0 to 1024; 0: what the pipeline was loaded with
  // Jobs of one pipeline and equal size that a worker runs as one batch through the U-Net, 1 to 64. They may join while
  // others are under way. Each picture is within 1 level of 255 of the one it would be alone. 1 where workers is 0.
  int max_packed = 1;
  int max_waiting = 1024;  // jobs that may wait, 1 to 1000000; one more is refused with kInvalidArgument
  // Workers compute only while no other program wants the processor (SCHED_IDLE of Linux): a game keeps its frame rate.
  bool background = false;
};

// Runs jobs on threads of its own. No thread exists before the first submit(). Every method may be called from any
// thread, also from callbacks.
class FJORD_API JobQueue {
 public:
  // Throws Error(kInvalidArgument) for options out of their ranges.
  explicit JobQueue(const QueueOptions& options = {});
  ~JobQueue();  // close()
  JobQueue(JobQueue&&) noexcept;
  JobQueue& operator=(JobQueue&&) noexcept;

  // Takes the request and returns within a millisecond; what is wrong with the request ends the job, see Job::result.
  Job submit(const Pipeline& pipeline, Request request, JobOptions options = {});

  // Cancels all jobs and waits for their end, unless called from a callback: then they end on their own. Afterwards
  // submit() is refused with kInvalidArgument.
  void close();

  // For QueueOptions::workers 0: works for about so long, in pieces as small as a network's layer, and returns true
  // while jobs remain. Callbacks run on a thread of the queue while the caller waits inside. Throws kInvalidArgument
  // if the queue has workers, or if called from a callback or from two threads at once.
  bool advance(double milliseconds);

 private:
  class FJORD_LOCAL Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fjord
