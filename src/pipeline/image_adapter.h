// IP-Adapters in memory, with the image encoder that each was trained with.
#pragma once

#include "models/clip/clip_vision_model.h"
#include "models/image_prompt/ip_adapter.h"
#include "pipeline/model.h"

#include <fjord/image_prompt.h>

#include <memory>
#include <string>

namespace fjord {

// What an image adapter is made of.
struct ImageAdapter::Impl {
  ImageAdapterInfo info;
  std::weak_ptr<const void> home;  // of the model that it was loaded for
  std::shared_ptr<const models::IpAdapter> network;
  std::shared_ptr<const models::ClipVisionModel> encoder;
};

// The way in for fjord's own code.
struct ImageAdapterAccess {
  using Impl = ImageAdapter::Impl;
  static const Impl* get(const ImageAdapter& adapter) { return adapter.impl_.get(); }
  static ImageAdapter make(Impl impl);
};

namespace pipeline {

// Throws as Pipeline::load_image_adapter.
ImageAdapter load_image_adapter(const Model& model, const std::string& path, const std::string& encoder);

}  // namespace pipeline
}  // namespace fjord
