#include "loading/variant_source.h"

#include "core/check.h"

#include <optional>
#include <string_view>
#include <utility>

namespace fjord::loading {
namespace {

constexpr std::string_view kWeights = ".safetensors";
constexpr std::string_view kIndex = ".safetensors.index.json";

class VariantSource : public Source {
 public:
  VariantSource(std::shared_ptr<const Source> source, std::string variant)
      : source_(std::move(source)), variant_(std::move(variant)) {}

  bool exists(const std::string& name) const override {
    const auto real = real_name(name);
    return real && source_->exists(*real);
  }
  std::unique_ptr<File> open(const std::string& name) const override {
    return source_->open(real_name(name).value_or(name));
  }
  std::string describe(const std::string& name) const override {
    return source_->describe(real_name(name).value_or(name));
  }

 private:
  // None: the variant's weights are of the other kind (one file or shards), so this name stands for nothing.
  std::optional<std::string> real_name(const std::string& name) const {
    const bool is_index = name.ends_with(kIndex);
    if (!is_index && !name.ends_with(kWeights)) return name;
    const auto stem = name.substr(0, name.size() - (is_index ? kIndex : kWeights).size());
    const auto file = stem + "." + variant_ + ".safetensors";
    const auto index = stem + ".safetensors.index." + variant_ + ".json";
    if (source_->exists(is_index ? index : file)) return is_index ? index : file;
    if (source_->exists(is_index ? file : index)) return std::nullopt;
    return name;
  }

  std::shared_ptr<const Source> source_;
  std::string variant_;
};

}  // namespace

std::unique_ptr<Source> prefer_variant(std::shared_ptr<const Source> source, const std::string& variant) {
  const bool good =
      !variant.empty() && variant.find_first_of("/\\") == std::string::npos && variant.find('\0') == std::string::npos;
  check(good, ErrorCode::kInvalidArgument, "variant must be a part of a file name such as fp16, got ",
        fjord::quoted(variant));
  return std::make_unique<VariantSource>(std::move(source), variant);
}

}  // namespace fjord::loading
