// fjord::convert without the translation of foreign exceptions.
#pragma once

#include "loading/source.h"

#include <fjord/convert.h>

#include <functional>
#include <string>

namespace fjord::loading {

// `check_parts` gets the model in diffusers' layout and throws if its weights would not load.
ConvertReport convert_model(const std::string& source, const std::string& destination, const ConvertOptions& options,
                            const std::function<void(const Source&)>& check_parts);

}  // namespace fjord::loading
