// An explicit list: a new scheduler is one file and one line here.
#include "schedulers/make_scheduler.h"

#include "core/check.h"
#include "schedulers/ddim.h"
#include "schedulers/ddpm.h"
#include "schedulers/deis.h"
#include "schedulers/dpm_solver_multistep.h"
#include "schedulers/dpm_solver_sde.h"
#include "schedulers/dpm_solver_singlestep.h"
#include "schedulers/euler.h"
#include "schedulers/euler_ancestral.h"
#include "schedulers/heun.h"
#include "schedulers/kdpm2.h"
#include "schedulers/kdpm2_ancestral.h"
#include "schedulers/lcm.h"
#include "schedulers/lms.h"
#include "schedulers/pndm.h"
#include "schedulers/tcd.h"
#include "schedulers/unipc.h"

#include <array>

namespace fjord::schedulers {
namespace {

struct Maker {
  const char* name;
  std::unique_ptr<const Scheduler> (*make)(const config::Scheduler&);
};

constexpr std::array kMakers{Maker{"DDIMScheduler", make_ddim},
                             Maker{"DDPMScheduler", make_ddpm},
                             Maker{"DEISMultistepScheduler", make_deis},
                             Maker{"DPMSolverMultistepScheduler", make_dpm_solver_multistep},
                             Maker{"DPMSolverSDEScheduler", make_dpm_solver_sde},
                             Maker{"DPMSolverSinglestepScheduler", make_dpm_solver_singlestep},
                             Maker{"EulerAncestralDiscreteScheduler", make_euler_ancestral},
                             Maker{"EulerDiscreteScheduler", make_euler},
                             Maker{"HeunDiscreteScheduler", make_heun},
                             Maker{"KDPM2AncestralDiscreteScheduler", make_kdpm2_ancestral},
                             Maker{"KDPM2DiscreteScheduler", make_kdpm2},
                             Maker{"LCMScheduler", make_lcm},
                             Maker{"LMSDiscreteScheduler", make_lms},
                             Maker{"PNDMScheduler", make_pndm},
                             Maker{"TCDScheduler", make_tcd},
                             Maker{"UniPCMultistepScheduler", make_unipc}};

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
