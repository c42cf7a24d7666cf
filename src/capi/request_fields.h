// Request's fields by name, for fjord_request_set.
#pragma once

#include <fjord/request.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fjord::capi {

// Throws FJORD_NOT_FOUND for an unknown name, FJORD_INVALID_ARGUMENT for a value of another kind.
void set_field(Request& request, const std::string& name, const std::string& value);

// Throws likewise.
void set_array(Request& request, const std::string& name, Array array);

// Pixels as they lie in memory; null empties the field. Throws likewise.
struct Pixels {
  const std::uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  int channels = 0;
};
// The bytes of a picture called `name` in messages, which must have so many channels.
std::vector<std::uint8_t> copy_of(const Pixels& pixels, const std::string& name, int channels);
void set_image(Request& request, const std::string& name, const Pixels& pixels);

// One line a field: its name and kind.
const std::string& field_list();

}  // namespace fjord::capi
