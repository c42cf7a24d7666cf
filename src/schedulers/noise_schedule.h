// How much signal is left at each training timestep: the table from which every scheduler starts.
//   beta_t       variance of the noise added at training step t             DDPM, arXiv:2006.11239, eq. 2
//   alpha_bar_t  product of (1 - beta_s) for s <= t, "alphas_cumprod"       DDPM, eq. 4
#pragma once

#include "config/scheduler.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace fjord::schedulers {

std::int64_t num_train_timesteps(const config::Scheduler& config);

// alpha_bar_t for t = 0..num_train_timesteps-1: float32 on the CPU, bit-equal to diffusers' table.
// Schedules: linear, scaled_linear (latent diffusion, arXiv:2112.10752), squaredcos_cap_v2 (arXiv:2102.09672, eq. 17),
// or trained_betas; class DDPMScheduler also takes laplace and sigmoid, class
// HeunDiscreteScheduler exp. `rescale_zero_snr`: Algorithm 1 of
// arXiv:2305.08891, after which the last entry is exactly 0.
// Throws kUnsupported for an unknown beta_schedule and kInvalidArgument for betas outside (0, 1].
at::Tensor alphas_cumprod(const config::Scheduler& config, bool rescale_zero_snr);

// The float32 values of a table, held as double: from here on coefficients are computed in double.
std::vector<double> to_doubles(const at::Tensor& table);

}  // namespace fjord::schedulers
