// An explicit list: a new scheduler is one file and one line here.
#include "schedulers/make_scheduler.h"

#include "core/check.h"
#include "schedulers/ddim.h"
#include "schedulers/ddpm.h"
#include "schedulers/dpm_solver_multistep.h"
#include "schedulers/dpm_solver_singlestep.h"

#include <array>

namespace fjord::schedulers {
namespace {

struct Maker {
  const char* name;
  std::unique_ptr<const Scheduler> (*make)(const config::Scheduler&);
};

constexpr std::array kMakers{Maker{"DDIMScheduler", make_ddim}, Maker{"DDPMScheduler", make_ddpm},
                             Maker{"DPMSolverMultistepScheduler", make_dpm_solver_multistep},
                             Maker{"DPMSolverSinglestepScheduler", make_dpm_solver_singlestep}};

}  // namespace

std::unique_ptr<const Scheduler> make_scheduler(const config::Scheduler& config) {
  std::string known;
  for (const auto& maker : kMakers) {
    if (config.class_name == maker.name) return maker.make(config);
    known += (known.empty() ? "" : ", ") + std::string(maker.name);
  }
  fail(ErrorCode::kUnsupported, "scheduler ", fjord::quoted(config.class_name), " is not supported; expected one of ",
       known);
}

std::vector<std::string> scheduler_names() {
  std::vector<std::string> names;
  for (const auto& maker : kMakers) names.emplace_back(maker.name);
  return names;
}

}  // namespace fjord::schedulers
