// What the prompt makes of a U-Net: text states, and for distilled U-Nets the embedded guidance scale.
#pragma once

#include "pipeline/model.h"

#include <fjord/request.h>

#include <string>
#include <vector>

namespace fjord::pipeline {

// Runs the text encoder, which is fetched at the first prompt and held until this object goes.
class TextStates {
 public:
  // A cut prompt leaves a sentence in `warnings`. Both must outlive this object.
  TextStates(const Model& model, std::vector<std::string>& warnings) : model_(model), warnings_(warnings) {}
  // The last hidden state, [1, tokens, features].
  at::Tensor of(const std::string& prompt);

 private:
  const Model& model_;
  std::vector<std::string>& warnings_;
  std::shared_ptr<const models::ClipTextModel> encoder_;
};

// What is fed to the U-Net at every step.
struct Conditioning {
  bool guided = false;  // two branches in one batch: first without, then with the prompt
  at::Tensor text;      // [batch, tokens, features]; batch = images, or twice that when guided
  at::Tensor guidance;  // [images, time_cond_proj_dim]; undefined for most U-Nets
  at::Tensor channels;  // [images, more channels, height, width], behind the sample's; likewise
};

// From the request's prompts or embeddings. The request has passed checked_request.
Conditioning make_conditioning(const Model& model, const Request& request, std::vector<std::string>& warnings);

}  // namespace fjord::pipeline
