#include "jobs/packed_group.h"

#include "core/check.h"
#include "core/device.h"
#include "core/threads.h"
#include "pipeline/run_scope.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

namespace fjord {
namespace {

// Cancelling does not notify, since it must never block: who waits looks at it so often.
constexpr std::chrono::milliseconds kGlance{2};

}  // namespace

// A job's place, and its way to the U-Net.
class PackedGroup::Seat : public pipeline::Evaluator {
 public:
  Seat(PackedGroup& group, std::shared_ptr<Job::Impl> own_job) : job(std::move(own_job)), group_(group) {}
  at::Tensor evaluate(const models::UNet2DConditionModel& network, const models::UNetInput& wish) override;
  bool fits(const Seat& other) const { return unet == other.unet && pipeline::fit_together(*input, *other.input); }

  std::shared_ptr<Job::Impl> job;
  std::thread thread;
  State state = State::kWorking;
  std::uint64_t arrival = 0;
  const models::UNet2DConditionModel* unet = nullptr;
  const models::UNetInput* input = nullptr;  // while it waits
  MemoryPool* pool = nullptr;
  int threads = 0;
  bool has_turn = false;         // guarded by the group's mutex, as all here
  bool evaluated_alone = false;  // now: its memory is in use, it must stay
  at::Tensor prediction;
  std::exception_ptr error;

 private:
  PackedGroup& group_;
};

PackedGroup::PackedGroup(Options options) : options_(std::move(options)) {}
PackedGroup::~PackedGroup() = default;

at::Tensor PackedGroup::Seat::evaluate(const models::UNet2DConditionModel& network, const models::UNetInput& wish) {
  std::unique_lock lock(group_.mutex_);
  unet = &network;
  input = &wish;
  pool = PoolScope::active();
  threads = at::get_num_threads();
  arrival = ++group_.arrivals_;
  state = State::kWaiting;
  group_.end_turn(*this);
  while (state != State::kEvaluated) {
    group_.changed_.wait_for(lock, kGlance);
    if (state == State::kEvaluated || evaluated_alone || !job->is_cancelled()) continue;
    state = State::kWorking;  // and on its way out
    input = nullptr;
    fail(ErrorCode::kCancelled, "the job was cancelled");
  }
  state = State::kWorking;
  input = nullptr;
  auto out = std::exchange(prediction, {});
  if (auto failed = std::exchange(error, nullptr)) std::rethrow_exception(failed);
  group_.take_turn(lock, *this);
  return out;
}

// Waits until no other thread of the group works. A cancelled job does not wait: it has nothing to do but to end.
void PackedGroup::take_turn(std::unique_lock<std::mutex>& lock, Seat& seat) {
  while (turn_taken_ && !seat.job->is_cancelled()) changed_.wait_for(lock, kGlance);
  seat.has_turn = !turn_taken_;
  turn_taken_ = true;
}

void PackedGroup::end_turn(Seat& seat) {
  if (std::exchange(seat.has_turn, false)) turn_taken_ = false;
  changed_.notify_all();
}

void PackedGroup::live(Seat& seat) {
  name_thread("fjord-job");
  const ThreadCap cap(options_.threads);
  const pipeline::EvaluatorScope scope(&seat);
  {
    std::unique_lock lock(mutex_);
    take_turn(lock, seat);
  }
  seat.job->run();
  const std::lock_guard lock(mutex_);
  seat.state = State::kGone;
  end_turn(seat);
}

void PackedGroup::add(std::shared_ptr<Job::Impl> job) {
  auto& seat = *seats_.emplace_back(std::make_unique<Seat>(*this, std::move(job)));
  seat.thread = std::thread([this, &seat] { live(seat); });
}

void PackedGroup::remove_gone(std::unique_lock<std::mutex>& lock) {
  const auto gone =
      std::stable_partition(seats_.begin(), seats_.end(), [](const auto& seat) { return seat->state != State::kGone; });
  std::vector<std::unique_ptr<Seat>> leaving(std::make_move_iterator(gone), std::make_move_iterator(seats_.end()));
  seats_.erase(gone, seats_.end());
  lock.unlock();
  for (const auto& seat : leaving) seat->thread.join();
  lock.lock();
}

void PackedGroup::run(std::shared_ptr<Job::Impl> first) {
  std::unique_lock lock(mutex_);
  const auto kind = first;
  add(std::move(first));
  while (!seats_.empty()) {
    const int free = options_.most - static_cast<int>(seats_.size());
    for (auto& job : options_.admit(*kind, free)) add(std::move(job));
    changed_.wait(lock, [this] {
      return std::all_of(seats_.begin(), seats_.end(), [](const auto& seat) {
        return seat->state == State::kWaiting || seat->state == State::kGone;
      });
    });
    evaluate(lock);
    remove_gone(lock);
  }
}

// Those that fit the one that waits longest.
std::vector<PackedGroup::Seat*> PackedGroup::next_batch() {
  std::vector<Seat*> waiting;
  for (const auto& seat : seats_) {
    if (seat->state == State::kWaiting) waiting.push_back(seat.get());
  }
  std::sort(waiting.begin(), waiting.end(), [](const Seat* a, const Seat* b) { return a->arrival < b->arrival; });
  std::vector<Seat*> batch;
  for (auto* seat : waiting) {
    if (batch.empty() || batch.front()->fits(*seat)) batch.push_back(seat);
  }
  return batch;
}

void PackedGroup::evaluate(std::unique_lock<std::mutex>& lock) {
  batch_ = next_batch();
  if (batch_.empty()) return;
  std::vector<models::UNetInput> inputs;
  for (const auto* seat : batch_) inputs.push_back(*seat->input);
  batch_.front()->evaluated_alone = batch_.size() == 1;
  turn_taken_ = true;
  lock.unlock();
  at::Tensor predictions;
  std::exception_ptr error;
  try {
    predictions = run_network(inputs);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  turn_taken_ = false;
  hand_over(inputs, predictions, error);
  changed_.notify_all();
}

void PackedGroup::hand_over(const std::vector<models::UNetInput>& inputs, const at::Tensor& predictions,
                            const std::exception_ptr& error) {
  std::int64_t row = 0;
  for (size_t i = 0; i < batch_.size(); ++i) {
    auto& seat = *batch_[i];
    const auto rows = inputs[i].sample.size(0);
    seat.evaluated_alone = false;
    if (seat.state == State::kWaiting) {  // not gone meanwhile
      seat.error = error;
      if (!error) seat.prediction = predictions.narrow(0, row, rows);
      seat.state = State::kEvaluated;
    }
    row += rows;
  }
  batch_.clear();
}

at::Tensor PackedGroup::run_network(const std::vector<models::UNetInput>& inputs) {
  const auto& first = *batch_.front();
  ++evaluations_;
  const ThreadCap cap(options_.threads);
  const bool alone = inputs.size() == 1;
  const pipeline::RunScope scope(first.threads, alone ? first.pool : pool_.get(), this);
  return first.unet->forward(alone ? inputs[0] : pipeline::packed(inputs, memory_for(inputs)));
}

models::RunMemory* PackedGroup::memory_for(const std::vector<models::UNetInput>& inputs) {
  const bool same =
      std::equal(inputs.begin(), inputs.end(), texts_.begin(), texts_.end(),
                 [](const auto& input, const at::Tensor& text) { return input.encoder_hidden_states.is_same(text); });
  if (!same) {
    memory_ = {};
    texts_.clear();
    for (const auto& input : inputs) texts_.push_back(input.encoder_hidden_states);
  }
  return &memory_;
}

// Of the evaluation: it stops when nobody wants it any more.
void PackedGroup::pass(const void* /*layer*/) {
  const bool wanted =
      std::any_of(batch_.begin(), batch_.end(), [](const Seat* seat) { return !seat->job->is_cancelled(); });
  check(wanted, ErrorCode::kCancelled, "the jobs were cancelled");
}

}  // namespace fjord
