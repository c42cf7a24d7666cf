// Whether a single file means the same model as the folder that it was made of.
#pragma once

#include "config/clip_text.h"
#include "loading/original/family.h"
#include "loading/source.h"

#include <string>

namespace fjord::loading {

// The configuration of the text encoder in `folder`.
config::ClipText encoder_config(const Source& source, const std::string& folder);

// Compares what names and shapes do not tell: whoever reads a single file takes that for granted.
// Throws Error(kUnsupported), naming the configuration's file and the fields that differ.
void check_same_model(const Source& folder, const Source& single, const Family& family);

}  // namespace fjord::loading
