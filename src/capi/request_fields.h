// Request's fields by name, for fjord_request_set.
#pragma once

#include <fjord/request.h>

#include <string>

namespace fjord::capi {

// Throws FJORD_NOT_FOUND for an unknown name, FJORD_INVALID_ARGUMENT for a value of another kind.
void set_field(Request& request, const std::string& name, const std::string& value);

// Throws likewise.
void set_array(Request& request, const std::string& name, Array array);

// One line a field: its name and kind.
const std::string& field_list();

}  // namespace fjord::capi
