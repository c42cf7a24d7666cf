#include "loading/composed_source.h"

#include "core/check.h"

#include <cstring>
#include <utility>

namespace fjord::loading {
namespace {

class TextFile : public File {
 public:
  TextFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}

  std::uint64_t size() const override { return text_.size(); }
  const std::string& name() const override { return name_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check(offset <= text_.size() && out.size() <= text_.size() - offset, ErrorCode::kBadFile, fjord::quoted(name_),
          " has ", text_.size(), " bytes, expected ", out.size(), " more from byte ", offset);
    std::memcpy(out.data(), text_.data() + offset, out.size());
  }

 private:
  std::string name_;
  std::string text_;
};

}  // namespace

ComposedSource::ComposedSource(std::string origin, std::shared_ptr<const Source> base)
    : origin_(std::move(origin)), base_(std::move(base)) {}

void ComposedSource::put_text(const std::string& name, std::string text) { texts_[name] = std::move(text); }

void ComposedSource::put_weights(const std::string& name, AssembledTensors tensors,
                                 std::map<std::string, std::string> metadata) {
  weights_[name] = {std::move(tensors), std::move(metadata)};
}

void ComposedSource::mount(const std::string& prefix, std::shared_ptr<const Source> source, const std::string& other) {
  mounts_.push_back({prefix, std::move(source), other});
}

std::pair<const Source*, std::string> ComposedSource::elsewhere(const std::string& name) const {
  for (const auto& [prefix, source, other] : mounts_) {
    if (name.starts_with(prefix)) return {source.get(), other + name.substr(prefix.size())};
  }
  return {base_.get(), name};
}

bool ComposedSource::exists(const std::string& name) const {
  if (texts_.contains(name) || weights_.contains(name)) return true;
  const auto [source, other] = elsewhere(name);
  return source != nullptr && source->exists(other);
}

std::unique_ptr<File> ComposedSource::open(const std::string& name) const {
  if (const auto text = texts_.find(name); text != texts_.end()) {
    return std::make_unique<TextFile>(describe(name), text->second);
  }
  if (const auto found = weights_.find(name); found != weights_.end()) {
    return assemble(describe(name), found->second.tensors, found->second.metadata);
  }
  const auto [source, other] = elsewhere(name);
  check(source != nullptr, ErrorCode::kNotFound, describe(name), " is not there");
  return source->open(other);
}

std::string ComposedSource::describe(const std::string& name) const {
  if (!texts_.contains(name) && !weights_.contains(name)) {
    const auto [source, other] = elsewhere(name);
    if (source != nullptr) return source->describe(other);
  }
  return origin_ + " as " + name;
}

}  // namespace fjord::loading
