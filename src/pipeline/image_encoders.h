// The image encoders of a model's image adapters: large, and often the same for several.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fjord {
namespace models {
class ClipVisionModel;
}

namespace pipeline {

// Those that are in use, by their folders. Any thread may ask.
class ImageEncoders {
 public:
  using Encoder = std::shared_ptr<const models::ClipVisionModel>;

  // The encoder of this folder, made by `make` if nobody has it. Others who ask meanwhile wait.
  Encoder get(const std::string& folder, const std::function<Encoder()>& make);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const models::ClipVisionModel>> encoders_;
};

}  // namespace pipeline
}  // namespace fjord
