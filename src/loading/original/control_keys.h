// Names of ControlNets and T2I-Adapters in the layouts of their authors' own programs.
// Reference: diffusers' convert_controlnet_checkpoint and scripts/convert_original_t2i_adapter.py.
#pragma once

#include "loading/original/key_map.h"

namespace fjord::loading {

// The pairs of a ControlNet; `tensors` are its own, without "control_model.".
KeyMap controlnet_keys(const AssembledTensors& tensors);

// The pairs of a T2I-Adapter. Throws Error(kBadFile), naming `file`, if its layers make no equal blocks.
KeyMap t2i_adapter_keys(const AssembledTensors& tensors, const std::string& file);

}  // namespace fjord::loading
