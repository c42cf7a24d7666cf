// The small U-Nets of tests/reference/models.py, with the inputs that their expected outputs belong to.
#pragma once

#include "models/unet/unet_2d_condition.h"

#include <memory>
#include <string>
#include <vector>

namespace fjord::testing {

constexpr std::uint64_t kModelSeed = 7;

// Text of a configuration file in tests/data/models.
std::string model_config_text(const std::string& name);

// A tensor of tests/data/<file>.safetensors.
at::Tensor recorded_tensor(const std::string& file, const std::string& tensor);

// The cases of tests/data/models whose name begins so.
std::vector<std::string> model_cases(const std::string& prefix);

// A network with the weights of the reference.
std::unique_ptr<models::UNet2DConditionModel> make_unet(const std::string& name);

// A batch of two at two timesteps. `output_sizes`: of the expected sample.
models::UNetInput unet_inputs(const config::UNet& config, at::IntArrayRef output_sizes);

}  // namespace fjord::testing
