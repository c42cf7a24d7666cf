// Request::prompting, micro, range and reproduction <-> JSON, with the field names of their headers.
#pragma once

#include <fjord/request.h>

#include <nlohmann/json_fwd.hpp>

namespace fjord::cli {

class JsonFields;

// Adds "prompting", "micro", "range" and "reproduction".
void write_prompting(const Request& request, nlohmann::ordered_json& json);
// Reads them where they are there. Throws as request_from_json.
void read_prompting(JsonFields& fields, Request& request);

}  // namespace fjord::cli
