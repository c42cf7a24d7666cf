#include "pipeline/adapter_set.h"

#include "adapters/read_file.h"
#include "core/check.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace fjord {

const AdapterInfo& Adapter::info() const {
  static const AdapterInfo empty;
  return impl_ ? impl_->info : empty;
}

Adapter AdapterAccess::make(Impl impl) {
  Adapter out;
  out.impl_ = std::make_shared<const Impl>(std::move(impl));
  return out;
}

namespace pipeline {
namespace {

using adapters::Merge;
using adapters::Part;

size_t index_of(Part part) { return static_cast<size_t>(part); }

void count_layers(const adapters::NetworkChanges& changes, Part part, AdapterInfo& info) {
  (part == Part::kUnet ? info.unet_layers : info.text_layers) += static_cast<int>(changes.changes().size());
  info.merges = info.merges || changes.must_merge();
}

}  // namespace

MergedNetworks::Network MergedNetworks::get(Part part, const Uses& uses, const std::function<Network()>& make) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& each) { return each->part == part && each->uses == uses; });
    if (found != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, found);
    } else {
      entries_.push_front(std::make_shared<Entry>());
      entries_.front()->part = part;
      entries_.front()->uses = uses;
    }
    entry = entries_.front();
    if (entries_.size() > kKept) entries_.pop_back();
  }
  const std::lock_guard lock(entry->making);
  if (!entry->network) entry->network = make();
  return entry->network;
}

void AdapterHome::add_unet(const config::UNet& config, loading::WeightsPlace place) {
  parts[index_of(Part::kUnet)] = AdaptedPart{adapters::NetworkLayers::of_unet(config), std::move(place)};
}

void AdapterHome::add_text_encoder(Part part, const config::ClipText& config, loading::WeightsPlace place) {
  parts[index_of(part)] = AdaptedPart{adapters::NetworkLayers::of_text_encoder(config), std::move(place)};
  text_configs[part == Part::kText2 ? 1 : 0] = config;
}

adapters::Networks AdapterHome::networks() const {
  adapters::Networks out{};
  for (size_t i = 0; i < parts.size(); ++i) out[i] = parts[i] ? &parts[i]->layers : nullptr;
  return out;
}

adapters::ReadWeight AdapterHome::read_weight(Part part) const {
  const auto& own = *parts[index_of(part)];
  return [weights = std::make_shared<const loading::PlainWeights>(own.place),
          fused = own.fused](const adapters::Layer& layer) {
    const auto weight = weights->read(layer.name + ".weight", layer.weight);
    return fused.empty() ? weight : adapters::merged_weight(layer, weight, fused, Merge::kEverything);
  };
}

Adapter load_adapter(const std::shared_ptr<const AdapterHome>& home, const std::string& path) {
  auto changes = adapters::read_adapter_file(path, home->networks());
  AdapterAccess::Impl impl;
  impl.info.path = path;
  impl.home = home;
  for (const auto part : adapters::kParts) {
    auto& list = changes[index_of(part)];
    if (list.empty()) continue;
    const auto ready = std::make_shared<const adapters::NetworkChanges>(std::move(list), home->options, home->kernels);
    count_layers(*ready, part, impl.info);
    impl.changes[index_of(part)] = ready;
  }
  return AdapterAccess::make(std::move(impl));
}

Adapter load_embedding(const std::shared_ptr<const AdapterHome>& home, const std::string& path,
                       const std::vector<std::string>& tokens) {
  const loading::Safetensors file(loading::open_file(path));
  adapters::TextFeatures features;
  for (size_t i = 0; i < features.size(); ++i) {
    if (home->text_configs[i]) features[i] = home->text_configs[i]->hidden_size;
  }
  AdapterAccess::Impl impl;
  impl.embeddings =
      adapters::read_token_embeddings(file, tokens, std::filesystem::path(path).stem().string(), features);
  impl.info.path = path;
  impl.info.tokens = impl.embeddings->tokens;
  impl.home = home;
  return AdapterAccess::make(std::move(impl));
}

}  // namespace pipeline
}  // namespace fjord
