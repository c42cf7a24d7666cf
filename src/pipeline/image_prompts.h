// A request's image prompts on their way to the U-Net: pictures to what the image encoder saw, to tokens, to keys and
// values of every layer. Reference: prepare_ip_adapter_image_embeds, IPAdapterAttnProcessor2_0.
#pragma once

#include "models/common/picture_keys.h"
#include "pipeline/model.h"

#include <fjord/request.h>

#include <vector>

namespace fjord::pipeline {

// Throws Error(kInvalidArgument) for an empty adapter and for pictures, masks and scales out of range.
void check_image_prompts(const Request& request);

// Pictures as an image encoder takes them, [pictures, 3, side, side], float32 on the CPU: the middle square, less the
// mean, in standard deviations. Reference: CLIPImageProcessor.
at::Tensor encoder_pixels(const std::vector<Image>& pictures, int side);

// What the U-Net's layers attend to; empty where nothing counts. Rows: `negatives` times the images that see no
// picture (a vector of zeros, or for adapters that see patches a gray picture), then the images that do. The request
// has passed checked_request. Throws Error(kInvalidArgument) for an adapter of another pipeline and for layers that the
// U-Net does not have.
models::PicturesByLayer picture_keys(const Model& model, const Request& request, int negatives);

// The rows of the last `images` images once more, for a branch that perturbs them.
void repeat_last(models::PicturesByLayer& pictures, std::int64_t images);

}  // namespace fjord::pipeline
