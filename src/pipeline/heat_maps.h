// The maps of the tokens as maps of the prompt's words.
#pragma once

#include "pipeline/model.h"

#include <fjord/heat_map.h>
#include <fjord/request.h>

#include <string>
#include <vector>

namespace fjord::pipeline {

// `maps`: [images, tokens, height, width] of the text encoder's window, or undefined. Words that the window cut off
// have no map. Leaves a sentence in `warnings` and gives nothing where the tokens are not those of request.prompt, word
// by word: with embeddings of the caller.
std::vector<HeatMap> word_maps(const Model& model, const Request& request, const at::Tensor& maps,
                               std::vector<std::string>& warnings);

}  // namespace fjord::pipeline
