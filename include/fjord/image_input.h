// Pictures to start from: image to image, painting into a part of a picture, and beyond its borders.
#pragma once

#include <fjord/image.h>

#include <optional>
#include <vector>

namespace fjord {

// How a picture of another shape is brought to the size of the run. Reference: VaeImageProcessor's resize_mode.
enum class Fit {
  kStretch,  // to width x height, whatever its shape
  kCrop,     // its middle; what sticks out is cut off
  kFill,     // the whole of it in the middle; the rest is filled with its border, smeared
};

// Pixels to add on each side, 0 to 8192.
struct Margins {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;
};

// Which part of the picture the network works on.
enum class PaintRegion {
  kWhole,   // all of it, brought to width x height; the result has that size
  kFitted,  // around the mask, as wide and high as width : height says, resized to width x height and back into the
            // picture, which keeps its size. Reference: padding_mask_crop
  kNative,  // around the mask, pixel for pixel: nothing is resized. At least width x height, and multiples of
            // PipelineInfo::size_multiple; Request::width and height become the region's
};

// What is painted anew, and how it goes over into what stays. With a mask or margins the task is inpainting: latents
// outside of the mask are set back to the noised original after every step (with a U-Net of 9 channels, which sees mask
// and masked picture itself, they are left alone). Reference: StableDiffusionInpaintPipeline.
struct Inpaint {
  Mask mask;       // of the pictures' size; 255: painted anew, 0: stays. Empty: only the margins, if any, are painted
  Margins extend;  // outpainting: the picture grows by so much and the new part is painted
  int grow = 0;    // the painted part reaches so many pixels further, 0 to 256
  double blur = 0.0;  // standard deviation in pixels by which the mask's border is softened after that, 0 to 256
  PaintRegion region = PaintRegion::kWhole;
  int padding = 32;  // pixels around the mask that kFitted and kNative let the network see, 0 to 8192
  // False: a pixel is painted where the mask is 128 or more. True: the mask is a strength for every pixel, 255 that of
  // the request; less changes the original less. Differential diffusion, arXiv:2306.00950. Latents take the mean of the
  // mask over their pixels.
  bool soft = false;
  // True: the original is laid over the result with the mask (a soft one eightfold), so that pixels where it is 0 stay
  // to the bit.
  bool keep_outside = true;
  // True: before that, the result's colours are brought to the mean and spread that the original has in the 32 pixels
  // around the mask, against visible seams.
  bool match_colors = false;
};

// Reference: StableDiffusionImg2ImgPipeline, unless `inpaint` has a mask or margins, or the model is told to change the
// pictures (PipelineInfo::needs_image; StableDiffusionInstructPix2PixPipeline): those start from noise and see them.
struct ImageInput {
  // Empty: from the prompt alone. Request::images must be a multiple of their number, or 1, which then means one of
  // each; image i starts from picture i modulo their number. Inpainting wants all of one size.
  std::vector<Image> images;
  // How much is changed: of n steps the last floor(n * strength) run, which must be one at least. Above 0, to 1.
  // Unset: 0.8, or 1 for inpainting and for models that are told to change the pictures, which take nothing else.
  std::optional<double> strength;
  Fit fit = Fit::kStretch;  // not for PaintRegion kFitted and kNative
  Inpaint inpaint;
};

}  // namespace fjord
