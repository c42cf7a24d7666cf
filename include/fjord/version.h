// Version of the library. The macros are what the headers say, version() what the loaded library says.
#pragma once

#include <fjord/export.h>

#define FJORD_VERSION_MAJOR 0
#define FJORD_VERSION_MINOR 1
#define FJORD_VERSION_PATCH 0
#define FJORD_VERSION "0.1.0"

namespace fjord {

// Version of the library that was loaded at run time, "major.minor.patch".
FJORD_API const char* version();

}  // namespace fjord
