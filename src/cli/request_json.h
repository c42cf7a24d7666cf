// Request <-> JSON, with the field names of include/fjord/request.h. Seeds stay exact 64-bit integers.
// Arrays (latents, embeddings) and a custom scheduler are not part of it.
#pragma once

#include <fjord/request.h>

#include <nlohmann/json_fwd.hpp>

namespace fjord::cli {

nlohmann::ordered_json request_to_json(const Request& request);

// Fields that are absent keep their default. Throws Error: kBadFile for a value of the wrong type or range,
// kUnsupported for a field of another name (a newer version of fjord may have written it).
Request request_from_json(const nlohmann::ordered_json& json);

// Throws Error(kInvalidArgument), naming `what`, unless `text` is UTF-8: JSON can hold nothing else.
void check_utf8(const std::string& what, const std::string& text);

}  // namespace fjord::cli
