// What convolutions see beyond the border of a map: zeros, or along a wrapped axis the other border.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::ops {

struct Wrap {
  bool x = false;  // left and right belong together
  bool y = false;  // top and bottom
  bool any() const { return x || y; }
  bool operator==(const Wrap&) const = default;
};

// The wrap of all convolutions on this thread while the scope lives.
class WrapScope {
 public:
  explicit WrapScope(const Wrap& wrap);
  ~WrapScope();
  WrapScope(const WrapScope&) = delete;
  WrapScope& operator=(const WrapScope&) = delete;

  static const Wrap& active();

 private:
  Wrap previous_;
};

struct Padding {
  std::int64_t left = 0;
  std::int64_t right = 0;
  std::int64_t top = 0;
  std::int64_t bottom = 0;
};

// x [batch, channels, height, width] with so many columns and rows around it, by the active wrap. Along a wrapped axis
// at most as many as x has.
at::Tensor padded(const at::Tensor& x, const Padding& padding);

}  // namespace fjord::ops
