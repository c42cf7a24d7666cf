#include "core/cuda_paths.h"

#include "core/check.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace fjord {
namespace {

constexpr std::array kNames = {std::pair{"graph", &CudaPaths::graph},
                               std::pair{"update", &CudaPaths::update},
                               std::pair{"sums", &CudaPaths::sums},
                               std::pair{"projections", &CudaPaths::projections},
                               std::pair{"upsampling", &CudaPaths::upsampling},
                               std::pair{"products", &CudaPaths::products},
                               std::pair{"convolutions", &CudaPaths::convolutions}};

}  // namespace

CudaPaths parse_cuda_paths(const std::string& names) {
  if (names == "auto") return {};
  auto paths = CudaPaths::none();
  if (names == "none") return paths;
  std::istringstream list(names);
  std::string name;
  bool any = false;
  while (std::getline(list, name, ',')) {
    const auto found = std::find_if(kNames.begin(), kNames.end(), [&](const auto& each) { return name == each.first; });
    check(found != kNames.end(), ErrorCode::kInvalidArgument,
          "cuda_paths must be auto, none, or names among graph, update, sums, projections, upsampling, products and "
          "convolutions, separated by commas; got ",
          quoted(names));
    paths.*found->second = true;
    any = true;
  }
  check(any, ErrorCode::kInvalidArgument, "cuda_paths must not be empty; none switches all of them off");
  return paths;
}

}  // namespace fjord
