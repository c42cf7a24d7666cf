#include "pipeline/image_adapter_files.h"

#include "models/seeded_image_adapter.h"
#include "support/temp_folder.h"

namespace fjord::testing {
namespace {

constexpr char kEncoder[] = "image_encoder";

const TempFolder& files() {
  static const TempFolder folder;
  static const bool written = [] {
    for (const char* name : {"whole", "plus", "full", "xl_whole", "xl_plus"}) {
      write_image_adapter(name, folder.file(name) + ".safetensors");
    }
    write_image_encoder("encoder", folder.file(kEncoder));
    return true;
  }();
  static_cast<void>(written);
  return folder;
}

}  // namespace

std::string image_adapter_path(const std::string& name) { return files().file(name) + ".safetensors"; }

std::string image_encoder_folder() { return files().file(kEncoder); }

}  // namespace fjord::testing
