// What a single file's U-Net predicts and how its noise schedule ends: markers, metadata, or else the family's habit.
#pragma once

#include "loading/original/family.h"

#include <fjord/model_files.h>
#include <nlohmann/json.hpp>

#include <string>

namespace fjord::loading {

struct Prediction {
  std::string type = "epsilon";  // or v_prediction, sample
  bool zero_terminal_snr = false;
  std::string reason = {};  // how this is known
  bool assumed = false;     // it is not known: the sentence to the user is in `reason`
};

// `task` is the file's; names are those of the file. Throws Error(kUnsupported) for EDM's continuous noise levels.
Prediction prediction_of(const Safetensors& file, const Family& family, const Task& task, const ModelFiles& options);

// scheduler_config.json as the family's published folders have it, with the prediction put in.
nlohmann::json scheduler_config_of(const Task& task, const Prediction& prediction);

// Puts what the caller says into a scheduler_config.json. A class that cannot rescale its schedule becomes DDIM.
// Throws Error(kInvalidArgument) for a prediction type that is none.
void apply_prediction(nlohmann::json& scheduler, const ModelFiles& options);

}  // namespace fjord::loading
