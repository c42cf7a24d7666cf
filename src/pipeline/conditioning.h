// What the prompt makes of a U-Net: text states, and for distilled U-Nets the embedded guidance scale.
#pragma once

#include "pipeline/model.h"

#include <fjord/request.h>

#include <string>
#include <vector>

namespace fjord::pipeline {

// The text encoder's last hidden state, [1, tokens, features]. A cut prompt leaves a sentence in `warnings`.
at::Tensor encode_text(const Model& model, const std::string& prompt, std::vector<std::string>& warnings);

// What is fed to the U-Net at every step.
struct Conditioning {
  bool guided = false;  // two branches in one batch: first without, then with the prompt
  at::Tensor text;      // [batch, tokens, features]; batch = images, or twice that when guided
  at::Tensor guidance;  // [images, time_cond_proj_dim]; undefined for most U-Nets
};

// From the request's prompts or embeddings. The request has passed checked_request.
Conditioning make_conditioning(const Model& model, const Request& request, std::vector<std::string>& warnings);

}  // namespace fjord::pipeline
