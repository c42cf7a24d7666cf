#include "pipeline/scheduler_choice.h"

#include "loading/scheduler_config.h"
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

}  // namespace

std::shared_ptr<const Scheduler> choose_scheduler(const config::Scheduler& folder, const Request& request) {
  if (request.custom_scheduler) return request.custom_scheduler;
  auto config = folder;
  const bool own_class = request.scheduler.empty() || request.scheduler == folder.class_name;
  correct_outdated_fields(config, own_class);
  if (!own_class) config.class_name = request.scheduler;
  if (!request.scheduler_options.empty()) schedulers::make_scheduler(config);  // an unknown class is named first
  for (const auto& [key, value] : request.scheduler_options) loading::apply_option(config, key, value);
  return schedulers::make_scheduler(config);
}

}  // namespace fjord::pipeline
