// IP-Adapters as their authors write them: one safetensors file with "image_proj." and "ip_adapter." in it. Read
// strictly, whole or not at all. Reference: IPAdapterMixin.load_ip_adapter.
#pragma once

#include "loading/safetensors.h"
#include "models/image_prompt/ip_adapter.h"
#include "models/unet/unet_2d_condition.h"

namespace fjord::adapters {

// What the file holds, by its keys and shapes, for the layers of `unet`. Throws Error: kUnsupported for a kind that
// fjord does not have, saying which; kBadFile for a file without one of its halves, with tensors that contradict each
// other, or for a U-Net with other text features.
models::IpAdapterConfig image_adapter_config(const loading::Safetensors& file,
                                             const models::UNet2DConditionModel& unet);

}  // namespace fjord::adapters
