// What some U-Nets are told about the picture besides the text: arXiv:2307.01952, section 2.2.
#pragma once

#include <optional>

namespace fjord {

// All in pixels; a width or height of 0 is that of the request. Sizes up to 65536, crops from 0 to 65536.
struct PictureSizes {
  int original_width = 0;  // of the photograph that the picture was scaled from; small numbers give blurred pictures
  int original_height = 0;
  int crop_left = 0;  // where the picture was cut from it; 0 gives centred objects
  int crop_top = 0;
  int target_width = 0;  // of the picture
  int target_height = 0;
};

// Only for models that know them (PipelineInfo::size_conditions); others refuse anything but the defaults.
// Reference: the arguments original_size, crops_coords_top_left, target_size, aesthetic_score and their negatives.
struct MicroConditions {
  PictureSizes sizes;
  // For the branch without the prompt. None: as `sizes`; where the model knows aesthetic scores, without the crop.
  std::optional<PictureSizes> negative_sizes;
  // How much people liked the picture, 0 to 10; for models that know it (a refiner).
  double aesthetic_score = 6.0;
  double negative_aesthetic_score = 2.5;
};

}  // namespace fjord
