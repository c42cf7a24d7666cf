// Control pictures: networks beside the U-Net that see a picture (edges, depth, a pose, scribbles) and steer by it
// where things go. ControlNet, arXiv:2302.05543; T2I-Adapter, arXiv:2302.08453.
#pragma once

#include <fjord/export.h>
#include <fjord/image.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fjord {

enum class ControlKind {
  kControlNet,  // runs beside the U-Net at every step
  kT2IAdapter,  // runs once a request
};

struct ControlInfo {
  std::string path;  // as it was given; "the storage" for one that came from the host's own
  ControlKind kind = ControlKind::kControlNet;
  std::string type;                // of T2I-Adapters: full_adapter, full_adapter_xl or light_adapter; empty for others
  int picture_channels = 3;        // 1: it sees how bright the picture is (Pillow's convert("L"))
  std::uint64_t parameters = 0;    // numbers in it
  std::vector<std::string> notes;  // what its files do not say and was assumed, a sentence each
};

// A control network in memory, for the pipeline that loaded it. Immutable and cheap to copy (copies share the memory);
// may be used by several requests at once. An empty one cannot be used.
class FJORD_API Control {
 public:
  Control() = default;
  const ControlInfo& info() const;

 private:
  friend class Pipeline;
  friend struct ControlAccess;
  struct FJORD_LOCAL Impl;
  std::shared_ptr<const Impl> impl_;
};

// A control network within one request.
struct ControlUse {
  Control control;
  // What it sees, brought to the size of the run as Pillow does it: Lanczos for ControlNets, for T2I-Adapters too.
  // Where PaintRegion cuts a region out, the same part of it is cut out; it must then have the size of the request's
  // picture.
  Image image;
  double scale = 1.0;  // what it says is multiplied by this: 0 to 100
  // The part of the steps in which it is heard, 0 to 1. Of n steps that run, a ControlNet is heard at step i (from 0)
  // unless i / n < begin or (i + 1) / n > end (control_guidance_start and _end); a T2I-Adapter also unless
  // i < floor(n * end) (adapter_conditioning_factor).
  double begin = 0.0;
  double end = 1.0;
  // For ControlNets that were trained to inpaint: the picture is -1 in every channel wherever the request's mask
  // paints. An empty `image` then means the request's own picture.
  bool hide_painted = false;
};

}  // namespace fjord
