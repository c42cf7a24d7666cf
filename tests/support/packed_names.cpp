#include "support/packed_names.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace fjord::testing {

Shapes unpack_names(const std::string& text) {
  Shapes out;
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    size_t common = 0;
    std::string rest, sizes;
    words >> common >> rest >> sizes;
    last = last.substr(0, common) + rest;
    std::istringstream numbers(sizes);
    auto& shape = out[last];
    for (std::string number; std::getline(numbers, number, ',');) shape.push_back(std::stoll(number));
  }
  return out;
}

Shapes read_packed_names(const std::string& path, const std::string& prefix) {
  std::ifstream file(path);
  Shapes out;
  for (auto& [name, shape] : unpack_names({std::istreambuf_iterator<char>(file), {}})) {
    out.emplace(name.starts_with(prefix) ? name.substr(prefix.size()) : name, shape);
  }
  return out;
}

}  // namespace fjord::testing
