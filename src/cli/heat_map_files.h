// The pictures of `--heat-maps`: one for each word of the prompt.
#pragma once

#include <fjord/pipeline.h>

#include <string>
#include <vector>

namespace fjord::cli {

// Writes for each image and word the image where the word is heard, FILE-01-word.png and so on, for several images
// FILE-01-word-1.png. Returns the paths. Throws Error(kCannotWrite).
std::vector<std::string> write_heat_maps(const std::string& path, const Result& result);

}  // namespace fjord::cli
