// The families of models that have an original layout, and which of them a file belongs to.
#pragma once

#include "loading/original/key_map.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fjord::loading {

// A text encoder's place in the file and in the folder.
struct EncoderPlace {
  std::string folder;            // in diffusers' layout; its tokenizer's is the same with "tokenizer"
  std::string prefix;            // of its names in the original layout
  bool openclip = false;         // OpenCLIP's layout, else transformers'
  bool with_projection = false;  // CLIPTextModelWithProjection
};

// What a model is for, by what its U-Net is given besides the latents. Both empty: the family has no such models.
struct Task {
  std::string pipeline;  // class names
  std::string scheduler;
};

// What is the same for all files of a family. Reference: the configurations that from_single_file takes for each.
struct Family {
  std::string name;
  std::vector<EncoderPlace> encoders;
  Task from_text = {};   // nothing besides: 4 channels
  Task inpainting = {};  // mask and masked picture: 9 channels
  Task editing = {};     // a picture to edit: 8 channels
  double vae_scaling = 0.18215;
  std::int64_t size = 512;         // pixels
  std::int64_t size_ids = 0;       // numbers of size and crop that the U-Net is told; 0: no such condition
  bool aesthetic_score = false;    // one of them is the score
  bool linear_projection = true;   // of the U-Net's transformers: matrices, and heads of 64; else kernels and 8 heads
  bool predicts_velocity = false;  // if the file does not tell
};

inline constexpr char kUNetPrefix[] = "model.diffusion_model.";
inline constexpr char kVaePrefix[] = "first_stage_model.";

const std::vector<Family>& families();

// The family whose text encoders `tensors` (names as in the file) has, and no others.
// Throws Error, naming the file: kUnsupported for files of another kind (LoRA, ControlNet, ...) or another family;
// kBadFile for parts that are missing or of different families.
const Family& family_of(const AssembledTensors& tensors, const std::string& file);

// The tensors that belong to no part and mean nothing for making pictures are taken out of `tensors`: averages over the
// training, its schedule, losses, markers. What remains beyond the parts of `family` is refused with kBadFile, or taken
// out as well.
void drop_others(AssembledTensors& tensors, const Family& family, bool skip_unknown, const std::string& file);

}  // namespace fjord::loading
