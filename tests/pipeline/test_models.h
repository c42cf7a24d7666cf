// The models that the pipeline tests run: the one that ships, and random ones made for the test run.
#pragma once

#include <fjord/pipeline.h>

#include <string>

namespace fjord::testing {

std::string tiny_model();

// Folders with the configurations of tests/data/pipelines/random and tests/data/families/<name>, weights drawn from
// seeds as tests/reference/pipelines.py and families.py do, and the tokenizer of weights/tiny with the special tokens
// of the configurations. Made once per process, gone at its end.
const std::string& random_model();
const std::string& family_model(const std::string& name);
// The same, loaded once with the default options.
const Pipeline& family_pipeline(const std::string& name);

// Any other folder of tests/data with such configurations, by the seeds of families.py.
const std::string& seeded_model(const std::string& configurations);

// The same with a U-Net of 9 channels (tests/data/tasks/inpaint_unet.json).
const std::string& inpainting_model();

}  // namespace fjord::testing
