// Small requests that control networks steer.
#pragma once

#include "pipeline/control_networks.h"

#include <fjord/pipeline.h>

namespace fjord::testing {

// "tiny", "random", "inpaint" (9 channels), "sd2" or "sdxl", loaded once.
const Pipeline& control_model(const std::string& name);
// A network of tests/reference/control.py.
Control load_control(const Pipeline& pipeline, const std::string& name);

// One network of the tiny model, or for it.
Request request_with(const Control& control);
Request request_with(const std::string& network);
std::vector<std::uint8_t> pixels(const Request& request, const std::string& model = "tiny");

}  // namespace fjord::testing
