// A folder that appears whole or not at all.
#pragma once

#include <filesystem>

namespace fjord::loading {

// A new folder beside its place that is removed with all in it, unless it is put into its place.
class NewFolder {
 public:
  // Throws Error(kCannotWrite) if `place` exists or the folder cannot be made.
  explicit NewFolder(const std::filesystem::path& place);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Throws Error(kCannotWrite).
  void put_into_place();

 private:
  std::filesystem::path place_, path_;
};

// Makes a folder and those above it. Throws Error(kCannotWrite).
void make_folders(const std::filesystem::path& path);

// Throws Error(kCannotWrite) if `destination` lies in the folder `source`, which would then hold itself.
void check_not_below(const std::filesystem::path& destination, const std::filesystem::path& source);

}  // namespace fjord::loading
