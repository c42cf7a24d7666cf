// Configurations of control networks from what the names and shapes of their tensors (in diffusers' names) show.
#pragma once

#include "config/control.h"
#include "loading/assembled_file.h"

#include <string>

namespace fjord::loading {

// What shapes do not show (heads, norms, activation, ...) is that of `unet`, which the ControlNet is for.
// Throws Error(kBadFile), naming `file`, for a ControlNet that is not whole.
config::ControlNet controlnet_config_of(const AssembledTensors& tensors, const config::UNet& unet,
                                        const std::string& file);

// Likewise; everything shows.
config::T2IAdapter t2i_adapter_config_of(const AssembledTensors& tensors, const std::string& file);

}  // namespace fjord::loading
