#include <fjord/quantize.h>

#include "loading/quantize_folder.h"
#include "pipeline/error_translation.h"

#include <c10/core/InferenceMode.h>

namespace fjord {

QuantizeReport quantize(const std::string& source, const std::string& destination, const QuantizeOptions& options) {
  return pipeline::translated([&] {
    const c10::InferenceMode mode;
    return loading::quantize_folder(source, destination, options);
  });
}

}  // namespace fjord
