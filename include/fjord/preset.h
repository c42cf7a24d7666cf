// Named sets of choices: a request that gives the picture of another program. docs/prompts.md says how near they come.
#pragma once

#include <fjord/request.h>

namespace fjord {

enum class Preset {
  kDiffusers,  // what a new Request says
  kA1111,      // AUTOMATIC1111's web UI with its default options
  kComfyUi,    // ComfyUI's nodes for text, sampling and saving with their default options
};

// Sets in `request`: prompting.syntax and empty_negative, reproduction, per_image_seeds; and where no scheduler is
// named, EulerDiscreteScheduler, the one that both other programs begin with. The rest stays.
FJORD_API void apply_preset(Preset preset, Request& request);

}  // namespace fjord
