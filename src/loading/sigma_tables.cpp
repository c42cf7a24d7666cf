#include "loading/sigma_tables.h"

#include "core/check.h"

namespace fjord::loading {

std::vector<double> sigma_table(const std::string& name) {
  if (name == "ays_sd1") return {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};
  if (name == "ays_sdxl") return {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};
  fail(ErrorCode::kInvalidArgument, "sigma_table ", fjord::quoted(name),
       " is unknown; expected ays_sd1, ays_sdxl or a list of falling numbers such as [14.6, 1.5, 0.03]");
}

}  // namespace fjord::loading
