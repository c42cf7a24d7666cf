// Where a model's parts come from, for everything that reads a model: Pipeline::load, inspect, convert.
#pragma once

#include <optional>
#include <string>

namespace fjord {

// A model is a folder in diffusers' layout, or a single safetensors file in the original layout of Stable
// Diffusion 1.x, 2.x or XL; docs/checkpoints.md says how files are recognised.
struct ModelFiles {
  // Folders: weights named "<name>.<variant>.safetensors" come first, e.g. "fp16"; parts without them are read as ever.
  // Empty: weights without a variant, or else "fp16". Reference: DiffusionPipeline.from_pretrained(variant=...).
  std::string variant;
  // The VAE comes from here instead: a VAE's folder, a model folder, or a safetensors file in either layout. A file has
  // no configuration: scaling factor and size stay those of the model.
  std::string vae;
  // CLIP's vocabulary, which single files lack: a model folder, a tokenizer's folder, or the list of merges that
  // OpenCLIP's Python package has (bpe_simple_vocab_16e6.txt.gz). In a folder's stead if the model is a folder.
  std::string tokenizer;
  // What the U-Net predicts: "epsilon", "v_prediction" or "sample". Empty: what the model says, or is found out.
  std::string prediction_type;
  // Whether the last training step was pure noise: the schedule is then rescaled and its steps end there.
  // Unset: what the model says. Reference: rescale_betas_zero_snr with timestep_spacing "trailing".
  std::optional<bool> zero_terminal_snr;
  // Tensors of a single file that belong to no part fjord knows are left out. False: such a file is refused.
  bool skip_unknown = false;
};

}  // namespace fjord
