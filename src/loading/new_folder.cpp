#include "loading/new_folder.h"

#include "core/check.h"

#include <unistd.h>
#include <string>
#include <system_error>

namespace fjord::loading {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_write(const fs::path& path, const std::error_code& error) {
  fail(ErrorCode::kCannotWrite, fjord::quoted(path.string()), ": ", error.message());
}

}  // namespace

NewFolder::NewFolder(const fs::path& place)
    : place_(place), path_(place.string() + ".partial-" + std::to_string(::getpid())) {
  std::error_code error;
  check(!fs::exists(fs::symlink_status(place, error)), ErrorCode::kCannotWrite, fjord::quoted(place.string()),
        " exists already");
  if (!fs::create_directory(path_, error)) cannot_write(path_, error);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

void NewFolder::put_into_place() {
  std::error_code error;
  fs::rename(path_, place_, error);
  if (error) cannot_write(place_, error);
  path_.clear();
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) cannot_write(path, error);
}

void check_not_below(const fs::path& destination, const fs::path& source) {
  const auto way = fs::weakly_canonical(destination).lexically_relative(fs::weakly_canonical(source));
  check(way.empty() || *way.begin() == "..", ErrorCode::kCannotWrite, fjord::quoted(destination.string()),
        " lies in the model folder that is to be copied");
}

}  // namespace fjord::loading
