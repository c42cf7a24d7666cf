// JSON text into a value, with limits: size, depth, every key once, nothing beyond the standard.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fjord::loading {

struct JsonLimits {
  size_t size = size_t{1} << 20;
  int depth = 64;
};

// Parses a JSON object. Throws Error(kBadFile), naming `where`, for anything else.
nlohmann::json parse_json_object(std::string_view text, const std::string& where, const JsonLimits& limits = {});

}  // namespace fjord::loading
