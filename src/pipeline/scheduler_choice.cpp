#include "pipeline/scheduler_choice.h"

#include "core/check.h"
#include "loading/scheduler_config.h"
#include "schedulers/k_diffusion.h"
#include "schedulers/make_scheduler.h"

namespace fjord::pipeline {
namespace {

// The reference's StableDiffusionPipeline corrects two fields of outdated folders: timesteps shifted by one and samples
// clipped as if they were pixels. A field that the file leaves out is corrected for the folder's own class only:
// another class brings its own default.
void correct_outdated_fields(config::Scheduler& config, bool own_class) {
  if (own_class || config.steps_offset) config.steps_offset = 1;
  if (own_class || config.clip_sample) config.clip_sample = false;
}

// Another program's sampler in place of the class, which names the solver.
std::shared_ptr<const Scheduler> reproduced_scheduler(config::Scheduler config, const Request& request) {
  const bool second_order = config.class_name == "DPMSolverMultistepScheduler";
  check(second_order || config.class_name == "EulerDiscreteScheduler", ErrorCode::kUnsupported,
        "the noise levels of another program go with EulerDiscreteScheduler and DPMSolverMultistepScheduler, got ",
        quoted(config.class_name));
  config.class_name = "DPMSolverMultistepScheduler";  // both samplers have the options that it knows
  for (const auto& [key, value] : request.scheduler_options) loading::apply_option(config, key, value);
  return schedulers::make_k_diffusion(
      config, {.solver = second_order ? schedulers::KSolver::kDpmSecondOrder : schedulers::KSolver::kEuler,
               .grid = request.reproduction.sigmas,
               .karras = config.use_karras_sigmas.value_or(false)});
}

// The seeds of those schedulers that draw noise of their own.
std::vector<std::uint64_t> noise_seeds(const Request& request) {
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < (request.per_image_seeds ? request.images : 1); ++i) {
    seeds.push_back(request.seed + static_cast<std::uint64_t>(i));
  }
  return seeds;
}

}  // namespace

std::shared_ptr<const Scheduler> choose_scheduler(const config::Scheduler& folder, OutdatedScheduler outdated,
                                                  const Request& request) {
  if (request.custom_scheduler) return request.custom_scheduler;
  auto config = folder;
  const bool own_class = request.scheduler.empty() || request.scheduler == folder.class_name;
  if (outdated == OutdatedScheduler::kCorrect) correct_outdated_fields(config, own_class);
  if (!own_class) config.class_name = request.scheduler;
  if (request.reproduction.sigmas != SigmaGrid::kScheduler) return reproduced_scheduler(config, request);
  if (!request.scheduler_options.empty()) schedulers::make_scheduler(config);  // an unknown class is named first
  for (const auto& [key, value] : request.scheduler_options) loading::apply_option(config, key, value);
  config.request_seeds = noise_seeds(request);
  return schedulers::make_scheduler(config);
}

}  // namespace fjord::pipeline
