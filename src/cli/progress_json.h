// Progress as lines of JSON, each with its line break.
#pragma once

#include "cli/progress_bar.h"

#include <fjord/pipeline.h>

#include <string>
#include <vector>

namespace fjord::cli {

// {"phase":"load","model":"weights/tiny"}
std::string loading_line(const std::string& model);

// {"phase":"denoise","step":3,"steps":20,"seconds":1.412,"eta_seconds":8.001}; the last is null while unknown.
std::string progress_line(const Progress& progress, const Pace& pace);

// {"phase":"done","files":["out.png"],"seed":1,"seconds":9.731,"latents":"l.safetensors","warnings":[]}; "latents"
// only if a file of them was written.
std::string done_line(const Result& result, const std::vector<std::string>& files, const std::string& latents);

}  // namespace fjord::cli
