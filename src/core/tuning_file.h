// What was found fastest on this machine, kept on disk: words by words, for one stamp (a GPU and a library's version).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace fjord {

class TuningFile {
 public:
  // Reads `path` (empty: nothing is kept). A file of another stamp, or one that is damaged, counts as empty, and note()
  // says so. Stamp, keys and values are single lines without tabs.
  TuningFile(std::string path, std::string stamp);

  std::optional<std::string> find(const std::string& key) const;
  void put(const std::string& key, const std::string& value);
  // Writes the file whole or not at all, if there is something new; what keeps it from that becomes the note.
  void save();
  // Why what was found is not kept; a sentence, empty if all is well.
  std::string note() const;

 private:
  void read();

  const std::string path_;
  const std::string stamp_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> entries_;
  bool changed_ = false;
  std::string note_;
};

// Where fjord keeps such a file: in the folder $FJORD_CUDA_CACHE, else in fjord/ of $XDG_CACHE_HOME or ~/.cache; empty
// where there is none of these, or FJORD_CUDA_CACHE is "off".
std::string tuning_path(const std::string& name);

}  // namespace fjord
