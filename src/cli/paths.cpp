// Paths are bytes, as the system has them.
#include "cli/paths.h"

#include "cli/output.h"

#include <fjord/error.h>

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace fjord::cli {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, const std::string& reason) {
  throw Error(ErrorCode::kCannotWrite, "cannot write " + in_quotes(path) + ": " + reason);
}

bool exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

}  // namespace

std::string with_suffix(const std::string& path, const std::string& suffix) {
  const size_t slash = path.rfind('/');
  const size_t name = slash == std::string::npos ? 0 : slash + 1;
  const size_t dot = path.rfind('.');
  const size_t at = dot == std::string::npos || dot <= name ? path.size() : dot;
  return path.substr(0, at) + suffix + path.substr(at);
}

std::string numbered_path(const std::string& path, int index, int count) {
  return count == 1 ? path : with_suffix(path, "-" + std::to_string(index + 1));
}

void check_writable(const std::string& path) {
  if (path.empty()) fail_to_write(path, "the file's name is empty");
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) fail_to_write(path, "it is a folder");
    if (!S_ISREG(status.st_mode)) fail_to_write(path, "it is not a regular file");
  }
  // The same first step as the writing itself: a file of another name beside the target.
  std::string probe = path + ".XXXXXX";
  const int fd = mkstemp(probe.data());
  if (fd < 0) fail_to_write(path, std::strerror(errno));
  close(fd);
  unlink(probe.c_str());
}

std::string find_model(const std::string& model) {
  if (model != kDefaultModel || exists(model)) return model;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  // build/<preset>/bin/fjord in the source tree, <prefix>/bin/fjord where it is installed.
  for (const char* way : {"../../../weights/tiny", "../share/fjord/weights/tiny"}) {
    const auto candidate = (program.parent_path() / way).lexically_normal().string();
    if (!error && exists(candidate)) return candidate;
  }
  throw Error(ErrorCode::kNotFound,
              "the model weights/tiny is neither in the present folder nor beside the program; give --model FOLDER");
}

}  // namespace fjord::cli
