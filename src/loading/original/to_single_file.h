// A folder in diffusers' layout as the tensors of a single file.
#pragma once

#include "loading/original/family.h"

#include <map>
#include <string>

namespace fjord::loading {

struct SingleFileTensors {
  const Family* family = nullptr;
  AssembledTensors tensors;
  std::map<std::string, std::string> metadata;
};

// Every part under the names of the original layout, and markers for what its U-Net predicts.
// Throws Error: kUnsupported, saying what the layout cannot hold, for models that would be another model when read
// back (by shapes alone); kBadFile; kNotFound.
SingleFileTensors to_single_file(const Source& folder);

}  // namespace fjord::loading
