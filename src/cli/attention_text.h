// The answer of attention_layers() as a table and as JSON.
#pragma once

#include <fjord/attention.h>

#include <string>
#include <vector>

namespace fjord::cli {

// Layers of one shape and kernel together, with the reasons against the other kernels.
std::string attention_text(const std::vector<AttentionLayer>& layers);
std::string attention_json(const std::vector<AttentionLayer>& layers);

}  // namespace fjord::cli
