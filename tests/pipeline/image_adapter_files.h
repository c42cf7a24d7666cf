// The files of IP-Adapters of tests/reference/image_prompts.py: "whole", "plus", "full", "xl_whole", "xl_plus".
#pragma once

#include <string>

namespace fjord::testing {

// Written once per process, gone at its end.
std::string image_adapter_path(const std::string& name);
// The image encoder beside them.
std::string image_encoder_folder();

}  // namespace fjord::testing
