// fjord::quantize without the translation of foreign exceptions.
#pragma once

#include <fjord/quantize.h>

namespace fjord::loading {

QuantizeReport quantize_folder(const std::string& source, const std::string& destination,
                               const QuantizeOptions& options);

}  // namespace fjord::loading
