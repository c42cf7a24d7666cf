// What the prompt makes of a U-Net: text states, pooled text and sizes, and for distilled U-Nets the embedded guidance
// scale.
#pragma once

#include "models/common/picture_keys.h"
#include "pipeline/text_states.h"

#include <fjord/request.h>

#include <string>
#include <vector>

namespace fjord::pipeline {

// What is fed to the U-Net at every step. Batch: images, times the branches when guided.
struct Conditioning {
  bool guided = false;  // two branches in one batch: first without, then with the prompt
  // `channels` are a picture to be changed, and three branches guide: without anything, with the picture, with both.
  bool sees_picture = false;
  at::Tensor text;                        // [batch, tokens, features]
  at::Tensor pooled;                      // [batch, features]; undefined where the model does not take it
  at::Tensor time_ids;                    // float32 [batch, sizes]; likewise
  at::Tensor guidance;                    // [images, time_cond_proj_dim]; undefined for most U-Nets
  at::Tensor channels;                    // [images, more channels, height, width], behind the sample's; likewise
  models::PicturesByLayer pictures = {};  // attended to beside the text

  // Branches before the one with the prompt, in an evaluation that guides.
  int negatives() const { return !guided ? 0 : sees_picture ? 2 : 1; }
};

// From the request's prompts or embeddings. The request has passed checked_request.
Conditioning make_conditioning(const Model& model, const Request& request, std::vector<std::string>& warnings);

// Makes `conditioning` say the size of `request`, which is that of another pass; nothing where the model is not told.
void tell_sizes(const Model& model, const Request& request, Conditioning& conditioning);

// Both prompts of a request, [1, tokens, features] and [1, features] each.
PromptEmbeddings encode_prompts(const Model& model, const Request& request, std::vector<std::string>& warnings);

}  // namespace fjord::pipeline
