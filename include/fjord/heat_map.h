// Which part of a picture listens to which word of its prompt.
#pragma once

#include <fjord/export.h>
#include <fjord/image.h>
#include <fjord/request.h>

#include <string>

namespace fjord {

// DAAM, "What the DAAM: Interpreting Stable Diffusion Using Cross Attention", arXiv:2210.04885: the attention that the
// pixels pay to a word, averaged over the heads, layers and evaluations that looked at the prompt, and added over the
// word's tokens.
struct HeatMap {
  std::string word;  // as it stands in the prompt, between two spaces
  int position = 0;  // of the word in the prompt, from 0
  Array values;  // [images, height/8, width/8] of the picture; 0 to 1, all words, the begin and the padding add up to 1
};

// A picture with its brightness scaled by the map of image `index`: full where the word is heard most, 15 % where it is
// not heard at all. Throws Error(kInvalidArgument) if the map has no such image.
FJORD_API Image highlight(const Image& picture, const HeatMap& map, int index);

}  // namespace fjord
