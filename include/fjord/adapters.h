// Adapters: LoRA and its kin, and textual inversions. They change what a model computes for the requests that ask for
// them and leave the model itself as it is.
#pragma once

#include <fjord/export.h>

#include <memory>
#include <string>
#include <vector>

namespace fjord {

struct AdapterInfo {
  std::string path;                 // as it was given
  int unet_layers = 0;              // layers that it changes
  int text_layers = 0;              // of all text encoders together
  bool merges = false;              // some of its changes need weights of their own (LoHa, LoKr, DoRA, differences)
  std::vector<std::string> tokens;  // of a textual inversion; empty for others
};

// An adapter in memory, for the pipeline that loaded it. Immutable and cheap to copy (copies share the memory); may be
// used by several requests at once. An empty one cannot be used.
class FJORD_API Adapter {
 public:
  Adapter() = default;
  const AdapterInfo& info() const;

 private:
  friend class Pipeline;
  friend struct AdapterAccess;
  struct FJORD_LOCAL Impl;
  std::shared_ptr<const Impl> impl_;
};

// An adapter within one request. The order counts for textual inversions only.
struct AdapterUse {
  Adapter adapter;
  double unet = 1.0;  // strength in the U-Net, -100 to 100; 0 leaves the U-Net as it is, bit for bit
  double text = 1.0;  // strength in the text encoders, likewise; both are 1 for a textual inversion
};

// An adapter that becomes part of a model while it is loaded.
struct FusedAdapter {
  std::string path;   // as Pipeline::load_adapter takes it; no textual inversion
  double unet = 1.0;  // strengths, -100 to 100
  double text = 1.0;
};

}  // namespace fjord
