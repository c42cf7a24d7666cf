#include "cli/heat_map_files.h"

#include "cli/paths.h"

#include <cctype>

namespace fjord::cli {
namespace {

// What a word may add to a file name: letters, digits and bytes beyond ASCII; at most 32 bytes.
std::string file_part(const std::string& word) {
  std::string part;
  for (const char c : word.substr(0, 32)) {
    const auto byte = static_cast<unsigned char>(c);
    part += byte > 127 || std::isalnum(byte) != 0 ? c : '_';
  }
  return part;
}

std::string two_digits(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

}  // namespace

std::vector<std::string> write_heat_maps(const std::string& path, const Result& result) {
  std::vector<std::string> paths;
  const int images = static_cast<int>(result.images.size());
  for (const HeatMap& map : result.heat_maps) {
    const std::string named = with_suffix(path, "-" + two_digits(map.position + 1) + "-" + file_part(map.word));
    for (int i = 0; i < images; ++i) {
      paths.push_back(numbered_path(named, i, images));
      write_png(paths.back(), highlight(result.images[static_cast<size_t>(i)], map, i));
    }
  }
  return paths;
}

}  // namespace fjord::cli
