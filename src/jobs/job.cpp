#include "core/check.h"
#include "jobs/job_impl.h"

#include <chrono>
#include <utility>

namespace fjord {
namespace {

// What a callback threw, as an Error.
template <typename Call>
void call_host(const char* what, const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    fail(ErrorCode::kInternal, what, " threw: ", error.what());
  } catch (...) {
    fail(ErrorCode::kInternal, what, " threw something that is no std::exception");
  }
}

}  // namespace

const char* to_string(JobState state) {
  switch (state) {
    case JobState::kQueued: return "queued";
    case JobState::kRunning: return "running";
    case JobState::kDone: return "done";
    case JobState::kFailed: return "failed";
    case JobState::kCancelled: return "cancelled";
  }
  return "unknown";
}

Job::Impl::Impl(Pipeline pipeline, Request request, JobOptions options)
    : pipeline_(std::move(pipeline)), request_(std::move(request)), options_(std::move(options)) {}

void Job::Impl::pass(const void* /*layer*/) { check(!cancelled_, ErrorCode::kCancelled, "the job was cancelled"); }

void Job::Impl::run() {
  {
    const std::lock_guard lock(mutex_);
    state_ = JobState::kRunning;
    thread_ = std::this_thread::get_id();
  }
  try {
    work();
    end(JobState::kDone, nullptr);
  } catch (const Error& error) {
    const auto state = error.code() == ErrorCode::kCancelled ? JobState::kCancelled : JobState::kFailed;
    end(state, std::current_exception());
  } catch (...) {
    end(JobState::kFailed, std::current_exception());
  }
}

void Job::Impl::work() {
  const CheckpointScope scope(this);
  pass(nullptr);
  auto generation = pipeline_.start(request_);
  report(generation);
  while (generation.progress().step < generation.progress().steps) {
    generation.advance();
    report(generation);
  }
  auto result = generation.finish();
  pass(nullptr);
  const std::lock_guard lock(mutex_);
  progress_ = generation.progress();
  result_ = std::move(result);
}

void Job::Impl::report(const Generation& generation) {
  const auto progress = generation.progress();
  const auto every = options_.preview_every;
  const bool due = every > 0 && progress.step > 0 && progress.step % every == 0;
  auto preview = due ? generation.latent_preview() : std::vector<RgbaImage>();
  {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
    if (!preview.empty()) preview_ = std::move(preview.front());
  }
  if (options_.on_progress) call_host("on_progress", [this] { options_.on_progress(Job(shared_from_this())); });
}

void Job::Impl::end(JobState state, std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
    error_ = std::move(error);
  }
  changed_.notify_all();
  try {
    if (options_.on_end) call_host("on_end", [this] { options_.on_end(Job(shared_from_this())); });
  } catch (const Error&) {  // nobody is left to hear of it
  }
  // The callbacks go with what they hold, which may be this job's own handle.
  const JobOptions gone = std::exchange(options_, JobOptions{});
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    thread_ = {};
  }
  changed_.notify_all();
}

JobState Job::Impl::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool Job::Impl::is_over() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

bool Job::Impl::is_on_own_thread() const {
  const std::lock_guard lock(mutex_);
  return on_own_thread();
}

Progress Job::Impl::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::optional<RgbaImage> Job::Impl::preview() const {
  const std::lock_guard lock(mutex_);
  return preview_;
}

bool Job::Impl::wait_for(double milliseconds) const {
  std::unique_lock lock(mutex_);
  if (on_own_thread()) return false;
  // Beyond a year a deadline could not be told from the clock's end.
  constexpr double kYear = 365 * 86'400'000.0;
  const bool limited = milliseconds >= 0 && milliseconds < kYear;
  const std::chrono::duration<double, std::milli> time(limited ? milliseconds : kYear);
  return changed_.wait_for(lock, time, [this] { return over_; });
}

const Result& Job::Impl::result() const {
  std::unique_lock lock(mutex_);
  check(is_final() || !on_own_thread(), ErrorCode::kInvalidArgument,
        "the result of a running job was asked for in its own callback");
  changed_.wait(lock, [this] { return is_final(); });
  if (error_) std::rethrow_exception(error_);
  return result_;
}

JobState Job::state() const { return impl_->state(); }
Progress Job::progress() const { return impl_->progress(); }
std::optional<RgbaImage> Job::preview() const { return impl_->preview(); }
void Job::cancel() noexcept { impl_->cancel(); }
bool Job::wait_for(double milliseconds) const { return impl_->wait_for(milliseconds); }
const Result& Job::result() const { return impl_->result(); }

}  // namespace fjord
