// Reads single weights of a network again: a packed layer has given its plain ones back.
#pragma once

#include "loading/load_into.h"

#include <map>
#include <memory>
#include <string>

namespace fjord::loading {

// Where the weights of a network lie.
struct WeightsPlace {
  std::shared_ptr<const Source> source;
  std::string folder;               // in the source
  std::string stem;                 // of the file's name, see Checkpoint
  const KeyRules* rules = nullptr;  // of the names in it
};

class PlainWeights {
 public:
  // Opens the files. Throws as Checkpoint does.
  explicit PlainWeights(const WeightsPlace& place);

  // A parameter by its name in the module tree, float32, in this shape; int8 numbers are multiplied out. Throws
  // Error(kBadFile) if there is none of this shape (the files have changed since the network was loaded).
  at::Tensor read(const std::string& name, at::IntArrayRef shape) const;

 private:
  Checkpoint checkpoint_;
  std::map<std::string, std::string> file_names_;  // by name in the module tree
};

}  // namespace fjord::loading
