#include "pipeline/generation.h"

#include "core/check.h"
#include "core/cuda_plugin.h"
#include "core/tensors.h"
#include "ops/wrap.h"
#include "pipeline/adapted_model.h"
#include "pipeline/error_translation.h"
#include "pipeline/heat_maps.h"
#include "pipeline/images.h"
#include "pipeline/initial_noise.h"
#include "pipeline/memory_plan.h"
#include "pipeline/request_check.h"
#include "pipeline/run_scope.h"
#include "pipeline/scheduler_choice.h"

#include <algorithm>
#include <utility>

namespace fjord {
namespace {

// Outside the request's pool: what is merged may outlive the request.
std::shared_ptr<const pipeline::Model> with_adapters(const std::shared_ptr<const pipeline::Model>& model,
                                                     const Request& request, int threads) {
  const pipeline::RunScope scope(threads, nullptr);
  return pipeline::adapted_model(model, request.adapters);
}

}  // namespace

Generation::Impl::Impl(std::shared_ptr<const pipeline::Model> model, const Request& request, int threads)
    : model_(with_adapters(model, request, threads)),
      request_(pipeline::checked_request(request, model_->info)),
      canvas_(request_.image_input),
      threads_(threads),
      noise_(pipeline::make_noise_stream(request_)) {
  const pipeline::RunScope scope(threads_, pool_.get());
  pipeline::check_controls(*model_, request_);
  canvas_.prepare({request_.width, request_.height});
  keep_to_budget();
  scheduler_ = pipeline::choose_scheduler(model_->scheduler, model_->family.outdated, request_);
  plans_ = pipeline::plan_passes(*scheduler_, request_, model_->info.size_multiple);
  std::reverse(plans_.begin(), plans_.end());
  for (const auto& plan : plans_) steps_ += static_cast<int>(plan.timesteps().size());
  conditioning_ = pipeline::make_conditioning(*model_, request_, warnings_);
  start_next_pass();
  phase_ = Phase::kDenoise;
}

// Decodes in tiles, or leaves the graph out, where the memory does not allow more.
void Generation::Impl::keep_to_budget() {
  if (pipeline::budget_of(*model_, request_) == 0) return;
  const auto plan = pipeline::plan_memory(*model_, request_);
  request_.vae_tiling = plan.vae_tiling;
  if (plan.graph || model_->graphs == nullptr) return;
  auto own = std::make_shared<pipeline::Model>(*model_);
  own->graphs = nullptr;
  model_ = std::move(own);
}

// The first pass, or the one that goes on from the latents of that before.
void Generation::Impl::start_next_pass() {
  const ops::WrapScope wrap({request_.seamless.x, request_.seamless.y});
  auto plan = std::move(plans_.back());
  plans_.pop_back();
  const pipeline::StartScene scene{*model_, plan, canvas_, noise_};
  if (pass_) notes_ = notes();
  auto start = pass_ ? pipeline::start_second_pass(scene, pass_->latents()) : pipeline::start_first_pass(scene);
  pipeline::tell_sizes(*model_, plan.request, conditioning_);
  const pipeline::RunSize size{plan.request.width, plan.request.height};
  pipeline::ControlRun controls({*model_, request_, canvas_, conditioning_, size}, plan.timesteps());
  pass_.emplace(*model_, std::move(plan), conditioning_, std::move(start), std::move(controls));
}

// Those of the passes, each once.
std::vector<std::string> Generation::Impl::notes() const {
  auto all = notes_;
  for (const auto& note : pass_->notes()) {
    if (std::find(all.begin(), all.end(), note) == all.end()) all.push_back(note);
  }
  return all;
}

void Generation::Impl::check_cancelled() const {
  check(!cancelled_, ErrorCode::kCancelled, "the request was cancelled after ", step_, " of ", steps_, " steps");
}

bool Generation::Impl::advance() {
  check(slices_ == nullptr, ErrorCode::kInvalidArgument, "advance() was called after advance_for()");
  return advance_here();
}

bool Generation::Impl::advance_here() {
  check_cancelled();
  check(phase_ == Phase::kDenoise, ErrorCode::kInvalidArgument, "advance() was called after finish()");
  if (step_ >= steps_) return false;
  const pipeline::RunScope scope(threads_, pool_.get(), this);
  if (pass_->done() == pass_->steps()) start_next_pass();
  pass_->step(noise_);
  ++step_;
  check_cancelled();
  return step_ < steps_;
}

std::vector<Image> Generation::Impl::decoded(const models::Autoencoder& vae, const at::Tensor& latents) const {
  const ops::WrapScope wrap({request_.seamless.x, request_.seamless.y});
  return pipeline::decode_images(vae, latents, {request_.vae_tiling, request_.reproduction.rounding});
}

// Decoded, and put back into the pictures that they were made from.
std::vector<Image> Generation::Impl::pictures() {
  const ops::WrapScope wrap({request_.seamless.x, request_.seamless.y});
  auto images = pipeline::decode_images(*model_, pass_->latents(),
                                        {request_.vae_tiling, request_.reproduction.rounding}, warnings_);
  const auto sources = canvas_.pictures().size();
  for (size_t i = 0; sources > 0 && i < images.size(); ++i) images[i] = canvas_.finished(images[i], i % sources);
  return images;
}

bool Generation::Impl::advance_for(double milliseconds) {
  const auto deadline = deadline_after(milliseconds);
  if (slices_ == nullptr) {
    slices_ = std::make_unique<SlicedThread>([this] {
      try {
        sliced_result_ = finish_here();
      } catch (...) {
        sliced_error_ = std::current_exception();
      }
    });
  }
  return slices_->run_until(deadline);
}

Result Generation::Impl::finish() {
  if (slices_ == nullptr) return finish_here();
  slices_->run_until(SlicedThread::Clock::time_point::max());
  if (sliced_error_) std::rethrow_exception(sliced_error_);
  check(sliced_result_.has_value(), ErrorCode::kInvalidArgument, "finish() was called twice");
  return std::move(*std::exchange(sliced_result_, std::nullopt));
}

Result Generation::Impl::finish_here() {
  while (advance_here()) {
  }
  check_cancelled();
  phase_ = Phase::kDecode;
  Result result;
  const pipeline::RunScope scope(threads_, pool_.get(), this);
  if (request_.decode) result.images = pictures();
  check_cancelled();
  result.latents = to_array(pass_->latents());
  result.request = request_;
  result.heat_maps = pipeline::word_maps(*model_, request_, pass_->text_maps(), warnings_);
  result.warnings = warnings_;
  result.notes = notes();
  if (const auto* cuda = cuda_ops(model_->device)) {
    const auto learned = cuda->end_request();
    result.notes.insert(result.notes.end(), learned.begin(), learned.end());
  }
  phase_ = Phase::kDone;
  result.seconds = progress().seconds;
  return result;
}

std::vector<Image> Generation::Impl::preview() const {
  const pipeline::RunScope scope(threads_, pool_.get());
  return decoded(model_->preview_vae != nullptr ? *model_->preview_vae : *model_->vae, pass_->clean());
}

std::vector<RgbaImage> Generation::Impl::latent_preview() const {
  const pipeline::RunScope scope(threads_, nullptr);
  return model_->latent_colors->paint(*model_->vae, pass_->clean());
}

Array Generation::Impl::latents() const { return to_array(pass_->latents()); }

Progress Generation::Impl::progress() const {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
  return {phase_, step_, steps_, elapsed.count()};
}

Generation::Generation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Generation::~Generation() = default;
Generation::Generation(Generation&&) noexcept = default;
Generation& Generation::operator=(Generation&&) noexcept = default;

bool Generation::advance() {
  return pipeline::translated([this] { return impl_->advance(); });
}
bool Generation::advance_for(double milliseconds) {
  return pipeline::translated([&] { return impl_->advance_for(milliseconds); });
}
Result Generation::finish() {
  return pipeline::translated([this] { return impl_->finish(); });
}
std::vector<Image> Generation::preview() const {
  return pipeline::translated([this] { return impl_->preview(); });
}
std::vector<RgbaImage> Generation::latent_preview() const {
  return pipeline::translated([this] { return impl_->latent_preview(); });
}
Array Generation::latents() const {
  return pipeline::translated([this] { return impl_->latents(); });
}
Progress Generation::progress() const { return impl_->progress(); }
void Generation::cancel() noexcept { impl_->cancel(); }

}  // namespace fjord
