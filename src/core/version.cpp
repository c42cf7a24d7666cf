// Version of the loaded library.
#include <fjord/version.h>

namespace fjord {

const char* version() { return FJORD_VERSION; }

}  // namespace fjord
