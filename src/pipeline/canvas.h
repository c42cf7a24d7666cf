// The pictures of a request on their way to the network and back: grown by margins, cut out, resized; and then put back
// into the originals.
#pragma once

#include "image/fitting.h"

#include <fjord/image_input.h>

#include <vector>

namespace fjord::pipeline {

// Whether something is painted into the pictures; else they are only started from.
bool is_inpainting(const ImageInput& input);

// Width and height of the run (both 0: as the model likes).
struct RunSize {
  int width = 0;
  int height = 0;
};

class Canvas {
 public:
  // Grows pictures and mask. Throws Error(kInvalidArgument) if they do not belong together or nothing is painted.
  explicit Canvas(const ImageInput& input);

  // The size that follows from the pictures where `wished` is 0 (and for PaintRegion::kNative anyway). `model`: the
  // model's own; `multiple`: what sizes must be multiples of.
  RunSize run_size(const RunSize& wished, const RunSize& model, int multiple) const;
  // Chooses the region and brings everything to the size of the run, which run_size gave. Once.
  void prepare(const RunSize& size);

  bool inpainting() const { return !mask_.values.empty(); }
  // One for each of the request's pictures, at the run's size.
  const std::vector<Image>& pictures() const { return run_pictures_; }
  // At the run's size; empty without inpainting.
  const Mask& mask() const { return run_mask_; }

  // Another picture on the same way to a run of this size: cut out, where a region is (it must then have the size of
  // the request's pictures with their margins), and fitted as they are.
  Image brought_along(const Image& picture, const RunSize& size) const;
  Mask brought_along(const Mask& picture, const RunSize& size) const;

  // The result for picture `index` from what the network made of it.
  Image finished(const Image& made, size_t index) const;

 private:
  Region region(const RunSize& size) const;
  template <typename Picture>
  Picture brought_to(const Picture& picture, const RunSize& size) const;

  Fit fit_;
  Inpaint inpaint_;  // without its mask
  std::vector<Image> pictures_;
  Mask mask_;
  Region region_;
  std::vector<Image> run_pictures_;
  Mask run_mask_;
};

}  // namespace fjord::pipeline
