// The parts of a model folder one by one, each with the inputs of one picture at the model's own size.
#pragma once

#include <fjord/pipeline.h>

#include <functional>
#include <string>

namespace fjord::bench {

// Loads "unet", "vae" or "text" and nothing else of the folder, and gives its forward on random inputs: the U-Net a
// guided step (a batch of two), the VAE the decoding of one picture, the text encoder a prompt and its negative.
// Throws Error. Call it and the forward within one pipeline::RunScope.
std::function<void()> load_part(const std::string& folder, const std::string& name, const LoadOptions& options);

}  // namespace fjord::bench
