// Published tables of noise levels, by name.
#pragma once

#include <string>
#include <vector>

namespace fjord::loading {

// "ays_sd1" and "ays_sdxl": the levels that "Align Your Steps", Sabour, Fidler, Kreis 2024, arXiv:2404.14507, found for
// ten steps with Stable Diffusion 1.5 and SDXL, to be interpolated for other numbers of steps; the last is the lowest
// of the training. Throws kInvalidArgument, listing the names, for another name.
std::vector<double> sigma_table(const std::string& name);

}  // namespace fjord::loading
