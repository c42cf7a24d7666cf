// The fields of a scheduler_config.json. A field that the file does not give stays empty, because each scheduler class
// has defaults of its own and one file may be read by any of them (diffusers: SomeScheduler.from_config(other.config)).
// Reference: __init__ of the scheduler classes that schedulers/make_scheduler.cpp lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fjord::config {

struct Scheduler {
  std::string class_name;  // "_class_name" of the file; may be a class that fjord does not implement

  // The noise that the network was trained on.
  std::optional<std::int64_t> num_train_timesteps;   // 1000
  std::optional<double> beta_start;                  // 0.0001
  std::optional<double> beta_end;                    // 0.02
  std::optional<std::string> beta_schedule;          // linear | scaled_linear | squaredcos_cap_v2 | laplace | sigmoid
  std::optional<std::vector<double>> trained_betas;  // replaces the three above
  std::optional<bool> rescale_betas_zero_snr;        // false
  std::optional<std::string> prediction_type;        // epsilon | v_prediction | sample
  std::optional<std::string> variance_type;  // DDPM: fixed_small | ... ; DPM-Solver: none | learned | learned_range

  // The timesteps of a run.
  std::optional<std::string> timestep_spacing;  // linspace | leading | trailing
  std::optional<std::int64_t> steps_offset;     // 0

  // Keeping the predicted clean sample in range.
  std::optional<bool> clip_sample;                   // true
  std::optional<double> clip_sample_range;           // 1
  std::optional<bool> thresholding;                  // false
  std::optional<double> dynamic_thresholding_ratio;  // 0.995
  std::optional<double> sample_max_value;            // 1

  // DDIM, PNDM, LCM, TCD.
  std::optional<bool> set_alpha_to_one;  // true; PNDM: false
  std::optional<double> eta;             // 0; an argument of step() in diffusers, here given with the other options
  std::optional<bool> skip_prk_steps;    // PNDM: false
  std::optional<std::int64_t> original_inference_steps;  // LCM, TCD: 50
  std::optional<double> timestep_scaling;                // LCM: 10

  // DPM-Solver, DEIS, UniPC.
  std::optional<std::int64_t> solver_order;              // 2
  std::optional<std::string> algorithm_type;             // dpmsolver++ | dpmsolver | sde-dpmsolver++ | sde-dpmsolver
  std::optional<std::string> solver_type;                // midpoint | heun
  std::optional<bool> lower_order_final;                 // multistep: true, singlestep: false
  std::optional<bool> euler_at_final;                    // false
  std::optional<bool> use_karras_sigmas;                 // false
  std::optional<bool> use_exponential_sigmas;            // false
  std::optional<bool> use_beta_sigmas;                   // false
  std::optional<bool> use_lu_lambdas;                    // false
  std::optional<bool> use_flow_sigmas;                   // false
  std::optional<bool> use_dynamic_shifting;              // false
  std::optional<double> flow_shift;                      // 1; has a meaning with use_flow_sigmas only
  std::optional<std::string> time_shift_type;            // has a meaning with use_dynamic_shifting only
  std::optional<std::string> final_sigmas_type;          // zero | sigma_min
  std::optional<double> lambda_min_clipped;              // -infinity
  std::optional<bool> predict_x0;                        // UniPC: true
  std::optional<std::vector<double>> disable_corrector;  // UniPC: the steps after which it is left out; none

  // Euler and its kin. sigma_min and sigma_max are the ends between which levels are spread; UniPC knows them too.
  std::optional<double> sigma_min;                 // the lowest level of the run
  std::optional<double> sigma_max;                 // the highest
  std::optional<std::string> interpolation_type;   // linear | log_linear
  std::optional<std::string> timestep_type;        // discrete | continuous
  std::optional<double> s_churn;                   // 0; this and the next three are arguments of step() in diffusers
  std::optional<double> s_tmin;                    // 0
  std::optional<double> s_tmax;                    // infinity
  std::optional<double> s_noise;                   // 1
  std::optional<std::int64_t> noise_sampler_seed;  // DPM-Solver SDE; the request's seeds where it is not given
  std::vector<std::uint64_t> request_seeds;        // no field of the file: one, or one for every image
  // No field of the file: levels made for some number of steps, to be interpolated to the number asked for.
  std::optional<std::vector<double>> sigma_table;

  // Fields of the file that no scheduler of fjord knows. They are ignored, as diffusers does; worth a warning.
  std::vector<std::string> ignored_fields;
};

}  // namespace fjord::config
