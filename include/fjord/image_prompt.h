// Pictures as prompts: IP-Adapter, arXiv:2308.06721. An image encoder looks at the pictures, and the U-Net's layers
// attend to what it saw beside the text. docs/image-prompts.md says how to use it.
#pragma once

#include <fjord/export.h>
#include <fjord/image.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fjord {

struct ImageAdapterInfo {
  std::string path;     // as it was given
  std::string encoder;  // folder of the image encoder
  int layers = 0;       // of the U-Net that attend to pictures
  int tokens = 0;       // that the layers see of one picture
  int image_size = 0;   // pixels a side that the image encoder sees
  bool fine = false;    // looks at every patch of a picture ("plus"), not at one vector for the whole
};

// An adapter for pictures with its image encoder, in memory, for the pipeline that loaded it. Immutable and cheap to
// copy (copies share the memory); may be used by several requests at once. An empty one cannot be used.
class FJORD_API ImageAdapter {
 public:
  ImageAdapter() = default;
  const ImageAdapterInfo& info() const;

 private:
  friend class Pipeline;
  friend struct ImageAdapterAccess;
  struct FJORD_LOCAL Impl;
  std::shared_ptr<const Impl> impl_;
};

// Pictures that a request is to resemble. What several image prompts say is added up; the pictures within one are
// looked at together, as if they were one larger picture.
struct ImagePrompt {
  ImageAdapter adapter;
  std::vector<Image> images;  // 1 to 16 of any size; each is cut to its middle square
  // How much they count beside the text: 0 leaves the picture as it is, bit for bit; -100 to 100.
  double scale = 1.0;
  // Other scales for some of the U-Net's attention layers, by a part of their names in the checkpoint; the longest name
  // that fits counts. {"up_blocks.0.attentions.1": 1.0} with scale 0 takes over the style alone (SDXL, InstantStyle).
  std::map<std::string, double> layer_scales = {};
  // Where each of the pictures counts: one mask for each, of any one size, stretched to width x height and taken as
  // whole or nothing at half of 255; the pictures are then looked at one by one. Empty: everywhere.
  std::vector<Mask> masks = {};
};

}  // namespace fjord
