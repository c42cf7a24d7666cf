#include "models/common/resample.h"

#include "ops/wrap.h"

namespace fjord::models {

Downsample2D::Downsample2D(const nn::Place& place, std::int64_t channels, std::int64_t padding)
    : Module(place),
      conv(child("conv"), channels, channels, {.kernel = 3, .stride = 2, .padding = padding}),
      padding_(padding) {}

at::Tensor Downsample2D::forward(const at::Tensor& x) const {
  return conv.forward(padding_ == 0 ? ops::padded(x, {.right = 1, .bottom = 1}) : x);
}

Upsample2D::Upsample2D(const nn::Place& place, std::int64_t channels)
    : Module(place), conv(child("conv"), channels, channels, {.kernel = 3, .padding = 1}) {}

at::Tensor Upsample2D::forward(const at::Tensor& x, const std::optional<ImageSize>& size) const {
  return conv.forward(x, {.enlarge_to = size.value_or(ImageSize{2 * x.size(2), 2 * x.size(3)})});
}

}  // namespace fjord::models
