#include "adapters/adapter_file.h"

#include "core/check.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace fjord::adapters {
namespace {

using loading::Safetensors;

constexpr size_t kListed = 5;
constexpr size_t kMaxKey = 512;  // characters; longer keys name nothing

size_t index_of(Part part) { return static_cast<size_t>(part); }

std::string listing(const std::vector<std::string>& texts, const char* separator) {
  std::string out;
  for (size_t i = 0; i < std::min(texts.size(), kListed); ++i) out += (i == 0 ? "" : separator) + texts[i];
  return texts.size() > kListed ? out + separator + "..." : out;
}

struct Place {
  Part part = Part::kUnet;
  const Layer* layer = nullptr;

  bool operator<(const Place& other) const {
    return part != other.part ? part < other.part : layer->module < other.layer->module;
  }
};

// The layer that a key speaks of. A file that does not name the network speaks of the first that has such a layer.
std::optional<Place> find_place(const KeyName& name, const Networks& networks) {
  for (const auto part : kParts) {
    const auto* network = networks[index_of(part)];
    if (network == nullptr || (name.part && *name.part != part)) continue;
    if (const auto* layer = network->find(name.layer)) return Place{part, layer};
  }
  return std::nullopt;
}

// The tensors of every layer, by role, as keys of the file.
using Sorted = std::map<Place, std::map<std::string, std::string>>;

[[noreturn]] void refuse_keys(const Safetensors& file, const std::vector<std::string>& unknown) {
  const char* kind = nullptr;
  for (const auto& [key, entry] : file.tensors()) {
    if (kind == nullptr) kind = other_kind(key);
  }
  const auto total = file.tensors().size();
  std::vector<std::string> keys;
  for (const auto& key : unknown) keys.push_back(fjord::quoted(key));
  const auto tail =
      concat(unknown.size(), " of its ", total, " keys name no layer of this model: ", listing(keys, ", "));
  if (kind != nullptr) {
    fail(ErrorCode::kUnsupported, fjord::quoted(file.name(), 300), " seems to be ", kind, ", not an adapter for this ",
         "model; ", tail);
  }
  fail(ErrorCode::kBadFile, fjord::quoted(file.name(), 300), ": ", tail,
       unknown.size() == total ? " (is it for another family of models?)" : "");
}

Sorted sort_keys(const Safetensors& file, const Networks& networks) {
  Sorted out;
  std::vector<std::string> unknown;
  for (const auto& [key, entry] : file.tensors()) {
    const auto name = key.size() <= kMaxKey ? parse_key(key) : std::nullopt;
    const auto place = name ? find_place(*name, networks) : std::nullopt;
    if (!place) {
      unknown.push_back(key);
      continue;
    }
    const auto [first, is_new] = out[*place].emplace(name->role, key);
    check(is_new, ErrorCode::kBadFile, fjord::quoted(file.name(), 300), ": ", fjord::quoted(first->second), " and ",
          fjord::quoted(key), " are the same factor of the same layer");
  }
  if (!unknown.empty()) refuse_keys(file, unknown);
  check(!out.empty(), ErrorCode::kBadFile, fjord::quoted(file.name(), 300), ": expected an adapter, got no tensors");
  return out;
}

at::Tensor read(const Safetensors& file, const std::string& key) {
  const auto& entry = file.tensors().at(key);
  auto out = at::empty(entry.shape, at::kFloat);
  if (out.numel() > 0) file.read_into(entry, key, out);
  return out;
}

Scaling scaling_of(const Layer& layer, Part part, const loading::AdapterConfigs& configs) {
  auto found = configs.find(part_name(part));
  if (found == configs.end()) found = configs.find("");
  if (found == configs.end()) return {};
  const auto& config = found->second;
  return {config.alpha_for(layer.name), config.rank_for(layer.name), config.rank_stabilized};
}

LayerChange read_change(const Safetensors& file, const Place& place, std::map<std::string, std::string> keys,
                        const loading::AdapterConfigs& configs) {
  auto scaling = scaling_of(*place.layer, place.part, configs);
  if (const auto alpha = keys.find("alpha"); alpha != keys.end()) {
    const auto value = read(file, alpha->second);
    check(value.numel() == 1, ErrorCode::kBadFile, fjord::quoted(alpha->second), " must be one number, got ",
          value.sizes());
    scaling.alpha = value.item<double>();
    keys.erase(alpha);
  }
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [role, key] : keys) tensors.emplace(role, read(file, key));
  return {place.layer, make_factors(std::move(tensors), *place.layer, scaling)};
}

}  // namespace

Changes read_adapter(const Safetensors& file, const loading::AdapterConfigs& configs, const Networks& networks) {
  Changes out;
  std::vector<std::string> problems;
  auto code = ErrorCode::kBadFile;
  for (const auto& [place, keys] : sort_keys(file, networks)) {
    try {
      out[index_of(place.part)].push_back(read_change(file, place, keys, configs));
    } catch (const Error& error) {
      code = error.code();
      problems.push_back(std::string(part_name(place.part)) + "." + error.what());
    }
  }
  check(problems.empty(), code, fjord::quoted(file.name(), 300), " does not fit this model, in ", problems.size(),
        problems.size() == 1 ? " layer: " : " layers: ", listing(problems, "; "));
  return out;
}

}  // namespace fjord::adapters
