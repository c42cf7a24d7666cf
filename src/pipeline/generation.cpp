#include "pipeline/generation.h"

#include "core/check.h"
#include "core/tensors.h"
#include "pipeline/error_translation.h"
#include "pipeline/images.h"
#include "pipeline/request_check.h"
#include "pipeline/run_scope.h"
#include "pipeline/scheduler_choice.h"

#include <utility>

namespace fjord {
namespace {

NoiseStream make_noise(const Request& request) {
  if (!request.per_image_seeds) return NoiseStream(request.seed);
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < request.images; ++i) seeds.push_back(request.seed + static_cast<std::uint64_t>(i));
  return NoiseStream(seeds);
}

}  // namespace

Generation::Impl::Impl(std::shared_ptr<const pipeline::Model> model, const Request& request, int threads)
    : model_(std::move(model)),
      request_(pipeline::checked_request(request, model_->info)),
      threads_(threads),
      noise_(make_noise(request_)) {
  const pipeline::RunScope scope(threads_, pool_.get());
  scheduler_ = pipeline::choose_scheduler(model_->scheduler, request_);
  run_ = scheduler_->start({request_.steps, request_.timesteps});
  denoiser_.emplace(*model_, pipeline::make_conditioning(*model_, request_, warnings_), request_, run_->timesteps());
  draw_initial_latents();
  phase_ = Phase::kDenoise;
}

void Generation::Impl::draw_initial_latents() {
  const auto factor = model_->vae->factor();
  const std::vector<std::int64_t> shape{request_.images, model_->info.latent_channels, request_.height / factor,
                                        request_.width / factor};
  if (request_.latents.shape.empty() && request_.latents.values.empty()) {
    latents_ = noise_.draw(shape);
  } else {
    latents_ = to_tensor(request_.latents, "latents");
    check(latents_.sizes() == at::IntArrayRef(shape), ErrorCode::kInvalidArgument, "latents must be ",
          at::IntArrayRef(shape), ", got ", latents_.sizes());
    check(latents_.isfinite().all().item<bool>(), ErrorCode::kInvalidArgument, "latents must be finite");
  }
  latents_ = latents_.to(model_->device, model_->dtype) * run_->init_noise_sigma();
}

void Generation::Impl::check_cancelled() const {
  check(!cancelled_, ErrorCode::kCancelled, "the request was cancelled after ", step_, " of ", steps(), " steps");
}

bool Generation::Impl::advance() {
  check(slices_ == nullptr, ErrorCode::kInvalidArgument, "advance() was called after advance_for()");
  return advance_here();
}

bool Generation::Impl::advance_here() {
  check_cancelled();
  check(phase_ == Phase::kDenoise, ErrorCode::kInvalidArgument, "advance() was called after finish()");
  if (step_ >= steps()) return false;
  const pipeline::RunScope scope(threads_, pool_.get(), this);
  step();
  check_cancelled();
  return step_ < steps();
}

void Generation::Impl::step() {
  seen_ = latents_;
  prediction_ = denoiser_->predict(run_->scale_model_input(latents_, step_), step_);
  const DrawNoise draw = [this](at::IntArrayRef shape) { return noise_.draw(shape).to(model_->device); };
  latents_ = run_->step(prediction_, step_, latents_, draw).to(model_->dtype);
  ++step_;
  check(latents_.isfinite().all().item<bool>(), ErrorCode::kNonFinite, "NaN or infinity in the latents after step ",
        step_, " of ", steps(), "; try float32, another scheduler or less guidance");
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
  if (request_.decode) result.images = pipeline::decode_images(*model_->vae, latents_, request_.vae_tiling);
  check_cancelled();
  result.latents = to_array(latents_);
  result.request = request_;
  result.warnings = warnings_;
  phase_ = Phase::kDone;
  result.seconds = progress().seconds;
  return result;
}

at::Tensor Generation::Impl::clean_latents() const {
  const auto clean = prediction_.defined() ? run_->predict_clean(prediction_, step_ - 1, seen_) : latents_;
  return clean.to(model_->dtype);
}

std::vector<Image> Generation::Impl::preview() const {
  const pipeline::RunScope scope(threads_, pool_.get());
  return pipeline::decode_images(*model_->vae, clean_latents(), request_.vae_tiling);
}

std::vector<RgbaImage> Generation::Impl::latent_preview() const {
  const pipeline::RunScope scope(threads_, nullptr);
  return model_->latent_colors->paint(*model_->vae, clean_latents());
}

Array Generation::Impl::latents() const { return to_array(latents_); }

Progress Generation::Impl::progress() const {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
  return {phase_, step_, steps(), elapsed.count()};
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
