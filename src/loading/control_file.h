// A control network as it lies in a folder or a single file: its configuration, and its weights in diffusers' names.
#pragma once

#include "config/control.h"
#include "loading/checkpoint.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace fjord::loading {

struct ControlFile {
  std::variant<config::ControlNet, config::T2IAdapter> config;
  std::shared_ptr<const Checkpoint> weights;
  std::string where;               // for messages
  std::vector<std::string> notes;  // what is assumed, a sentence each
};

// `path`: a folder with config.json and weights, or a safetensors file in diffusers' names or the original ones. What a
// file's tensors do not show is taken from `unet`, that of the model; from the config.json beside a file
// "diffusion_pytorch_model...", if there is one. Throws Error: kNotFound, kBadFile; kUnsupported for files of another
// kind, saying which.
ControlFile open_control(const std::string& path, const config::UNet& unet);

// The same for a folder that lies elsewhere.
ControlFile open_control_folder(const Source& folder);

}  // namespace fjord::loading
