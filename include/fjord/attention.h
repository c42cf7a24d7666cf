// Which kernel computes each attention layer of a model on a GPU, and why the others do not.
#pragma once

#include <fjord/export.h>
#include <fjord/pipeline.h>

#include <string>
#include <utility>
#include <vector>

namespace fjord {

struct AttentionQuery {
  std::string model;     // folder in diffusers' layout
  std::string gpu = {};  // "sm_80", "sm_90", ...; empty: the best one of this machine
  int width = 0;         // pixels; 0: the model's size
  int height = 0;        //
  int images = 1;        // with guidance the U-Net sees twice as many
  Precision precision = Precision::kAuto;
  std::string attention = "auto";  // as LoadOptions::attention, for the U-Net
};

struct AttentionLayer {
  std::string name;  // as in the checkpoint, e.g. "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1"
  int batch = 0;
  int heads = 0;
  int head_dim = 0;
  int queries = 0;
  int keys = 0;
  std::string kernel;                                        // "own", "cudnn", ...
  std::string reason;                                        // one phrase
  std::vector<std::pair<std::string, std::string>> refused;  // every other kernel and why it was not taken
};

// Reads the model's configurations; needs neither weights nor a GPU.
// Throws Error: kNotFound, kBadFile; kInvalidArgument for a bad query; kDeviceUnavailable without `gpu` where this
// machine has none; kUnsupported where query.attention cannot serve a layer.
FJORD_API std::vector<AttentionLayer> attention_layers(const AttentionQuery& query);

}  // namespace fjord
