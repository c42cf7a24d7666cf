// The two models that the pipeline tests run: the one that ships, and a random one made for the test run.
#pragma once

#include <string>

namespace fjord::testing {

std::string tiny_model();

// A folder with the configurations of tests/data/pipelines/random, weights drawn from seeds as
// tests/reference/pipelines.py does, and the tokenizer of weights/tiny. Made once per process, gone at its end.
const std::string& random_model();

// The same with a U-Net of 9 channels (tests/data/tasks/inpaint_unet.json).
const std::string& inpainting_model();

}  // namespace fjord::testing
