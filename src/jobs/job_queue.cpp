#include "core/check.h"
#include "core/device.h"
#include "core/sliced_thread.h"
#include "core/threads.h"
#include "jobs/job_impl.h"
#include "jobs/packed_group.h"

#include <fjord/futures.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace fjord {
namespace {

void check_range(const char* name, int value, int least, int most) {
  check(value >= least && value <= most, ErrorCode::kInvalidArgument, name, " must be from ", least, " to ", most,
        ", got ", value);
}

bool alike(const Job::Impl& a, const Job::Impl& b) {
  const auto side = [](int wish, int usual) { return wish == 0 ? usual : wish; };
  const auto& info = a.pipeline().info();
  const auto &p = a.request(), &q = b.request();
  // Copies of a pipeline share its info.
  return &info == &b.pipeline().info() && side(p.width, info.width) == side(q.width, info.width) &&
         side(p.height, info.height) == side(q.height, info.height) && p.images == q.images;
}

}  // namespace

class JobQueue::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(const QueueOptions& options);
  void submit(std::shared_ptr<Job::Impl> job);
  bool advance(double milliseconds);
  void stop();

 private:
  using JobPointer = std::shared_ptr<Job::Impl>;
  void work();
  void run(const JobPointer& job);
  JobPointer take(const std::function<bool(const Job::Impl&)>& wanted);
  PackedGroup::Jobs admit(const Job::Impl& kind, int count);
  bool on_own_thread() const;

  const QueueOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
  std::vector<JobPointer> waiting_;  // in the order of submission
  std::vector<JobPointer> running_;
  int idle_ = 0;
  bool stopping_ = false;
  // For advance(): the job under way.
  std::unique_ptr<SlicedThread> slices_;
  std::atomic<bool> advancing_ = false;
};

JobQueue::Impl::Impl(const QueueOptions& options) : options_(options) {
  check_range("workers", options.workers, 0, 64);
  check_range("threads", options.threads, 0, 1024);
  check_range("max_packed", options.max_packed, 1, 64);
  check_range("max_waiting", options.max_waiting, 1, 1'000'000);
  check(options.workers > 0 || options.max_packed == 1, ErrorCode::kInvalidArgument,
        "max_packed must be 1 where workers is 0, got ", options.max_packed);
}

void JobQueue::Impl::submit(JobPointer job) {
  const std::lock_guard lock(mutex_);
  check(!stopping_, ErrorCode::kInvalidArgument, "the queue was closed");
  check(static_cast<int>(waiting_.size()) < options_.max_waiting, ErrorCode::kInvalidArgument,
        "the queue is full: ", waiting_.size(), " jobs wait");
  waiting_.push_back(std::move(job));
  if (static_cast<int>(waiting_.size()) > idle_ && static_cast<int>(threads_.size()) < options_.workers) {
    threads_.emplace_back([self = shared_from_this()] { self->work(); });
  }
  changed_.notify_one();
}

// The best waiting job that is wanted, moved to those that run; null if there is none. The mutex is held.
JobQueue::Impl::JobPointer JobQueue::Impl::take(const std::function<bool(const Job::Impl&)>& wanted) {
  auto best = waiting_.end();
  for (auto job = waiting_.begin(); job != waiting_.end(); ++job) {
    const bool better = best == waiting_.end() || (*job)->options().priority > (*best)->options().priority;
    if (better && wanted(**job)) best = job;
  }
  if (best == waiting_.end()) return nullptr;
  auto job = *best;
  waiting_.erase(best);
  running_.push_back(job);
  return job;
}

PackedGroup::Jobs JobQueue::Impl::admit(const Job::Impl& kind, int count) {
  const std::lock_guard lock(mutex_);
  PackedGroup::Jobs out;
  while (static_cast<int>(out.size()) < count) {
    auto job = take([&](const Job::Impl& other) { return other.options().pack && alike(kind, other); });
    if (job == nullptr) break;
    out.push_back(std::move(job));
  }
  return out;
}

void JobQueue::Impl::work() {
  name_thread("fjord-worker");
  if (options_.background) yield_to_all_others();
  const ThreadCap cap(options_.threads);
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    auto job = take([](const Job::Impl&) { return true; });
    if (job == nullptr) return;  // stopping, and all are taken
    lock.unlock();
    run(job);
    job.reset();
    lock.lock();
    std::erase_if(running_, [](const JobPointer& one) { return one->is_over(); });
  }
}

void JobQueue::Impl::run(const JobPointer& job) {
  if (options_.max_packed == 1 || !job->options().pack) return job->run();
  PackedGroup group(
      {options_.max_packed, options_.threads, [this](const Job::Impl& kind, int count) { return admit(kind, count); }});
  group.run(job);
}

bool JobQueue::Impl::advance(double milliseconds) {
  check(options_.workers == 0, ErrorCode::kInvalidArgument, "advance() is for queues without workers, this one has ",
        options_.workers);
  const auto deadline = deadline_after(milliseconds);
  check(!advancing_.exchange(true), ErrorCode::kInvalidArgument,
        "advance() was called while another call of it goes on");
  do {
    if (slices_ == nullptr) {
      const std::lock_guard lock(mutex_);
      auto job = take([](const Job::Impl&) { return true; });
      if (job == nullptr) break;
      slices_ = std::make_unique<SlicedThread>([this, job] {
        if (options_.background) yield_to_all_others();
        const ThreadCap cap(options_.threads);
        job->run();
      });
    }
    if (slices_->run_until(deadline)) break;
    slices_.reset();
    const std::lock_guard lock(mutex_);
    running_.clear();
  } while (SlicedThread::Clock::now() < deadline);
  advancing_ = false;
  const std::lock_guard lock(mutex_);
  return slices_ != nullptr || !waiting_.empty();
}

bool JobQueue::Impl::on_own_thread() const {
  const auto here = std::this_thread::get_id();
  return std::any_of(threads_.begin(), threads_.end(),
                     [here](const auto& thread) { return thread.get_id() == here; }) ||
         std::any_of(running_.begin(), running_.end(), [](const auto& job) { return job->is_on_own_thread(); });
}

// From a callback nothing can be waited for: workers hold this object and end on their own, as does advance().
void JobQueue::Impl::stop() {
  std::vector<std::thread> threads;
  bool own = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& job : waiting_) job->cancel();
    for (const auto& job : running_) job->cancel();
    own = on_own_thread();
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (auto& thread : threads) own ? thread.detach() : thread.join();
  if (own || options_.workers > 0) return;
  slices_.reset();
  for (const auto& job : std::exchange(waiting_, {})) job->run();
}

JobQueue::JobQueue(const QueueOptions& options) : impl_(std::make_shared<Impl>(options)) {}
JobQueue::~JobQueue() {
  if (impl_ != nullptr) impl_->stop();
}
void JobQueue::close() { impl_->stop(); }
JobQueue::JobQueue(JobQueue&&) noexcept = default;
JobQueue& JobQueue::operator=(JobQueue&& other) noexcept {
  if (this != &other && impl_ != nullptr) impl_->stop();
  impl_ = std::move(other.impl_);
  return *this;
}

Job JobQueue::submit(const Pipeline& pipeline, Request request, JobOptions options) {
  check_range("preview_every", options.preview_every, 0, 1'000'000);
  auto job = std::make_shared<Job::Impl>(pipeline, std::move(request), std::move(options));
  impl_->submit(job);
  return Job(std::move(job));
}

std::future<Result> submit_async(JobQueue& queue, const Pipeline& pipeline, Request request, JobOptions options) {
  auto promise = std::make_shared<std::promise<Result>>();
  auto future = promise->get_future();
  options.on_end = [promise, then = std::move(options.on_end)](const Job& job) {
    try {
      promise->set_value(job.result());
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
    if (then) then(job);
  };
  queue.submit(pipeline, std::move(request), std::move(options));
  return future;
}

bool JobQueue::advance(double milliseconds) {
  const auto impl = impl_;  // a callback may destroy the queue
  return impl->advance(milliseconds);
}

}  // namespace fjord
