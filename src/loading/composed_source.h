// A source that is put together: texts and weights that lie nowhere, and folders of other sources under other names.
#pragma once

#include "loading/assembled_file.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fjord::loading {

class ComposedSource : public Source {
 public:
  // `origin` stands before the names in messages. `base` (may be null) has what nothing here stands for.
  explicit ComposedSource(std::string origin, std::shared_ptr<const Source> base = nullptr);

  void put_text(const std::string& name, std::string text);
  void put_weights(const std::string& name, AssembledTensors tensors, std::map<std::string, std::string> metadata = {});
  // Names that begin with `prefix` are those of `source` that begin with `other`; those of the base are hidden.
  void mount(const std::string& prefix, std::shared_ptr<const Source> source, const std::string& other);

  bool exists(const std::string& name) const override;
  std::unique_ptr<File> open(const std::string& name) const override;
  std::string describe(const std::string& name) const override;

 private:
  struct Weights {
    AssembledTensors tensors;
    std::map<std::string, std::string> metadata;
  };
  struct Mount {
    std::string prefix;
    std::shared_ptr<const Source> source;
    std::string other;
  };
  // The source and the name there that stand for `name`; no source: nowhere.
  std::pair<const Source*, std::string> elsewhere(const std::string& name) const;

  std::string origin_;
  std::shared_ptr<const Source> base_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, Weights> weights_;
  std::vector<Mount> mounts_;
};

}  // namespace fjord::loading
