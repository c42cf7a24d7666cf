// What a model keeps for adapters: the names of its layers, where its plain weights lie, and the networks that were
// merged lately.
#pragma once

#include "adapters/adapted_tree.h"
#include "adapters/token_embeddings.h"
#include "loading/plain_weights.h"

#include <fjord/adapters.h>

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fjord {

// What an adapter is made of.
struct Adapter::Impl {
  AdapterInfo info;
  std::weak_ptr<const void> home;  // of the model that it was loaded for
  std::array<std::shared_ptr<const adapters::NetworkChanges>, adapters::kParts.size()> changes;
  std::optional<adapters::TokenEmbeddings> embeddings;  // of a textual inversion
};

// The way in for fjord's own code.
struct AdapterAccess {
  using Impl = Adapter::Impl;
  static const Impl* get(const Adapter& adapter) { return adapter.impl_.get(); }
  static Adapter make(Impl impl);
};

namespace pipeline {

// The networks with merged weights that were asked for last: kept so that switching back and forth is free, and few,
// because each holds the memory of its merged layers. Any thread may ask.
class MergedNetworks {
 public:
  using Uses = std::vector<adapters::Use>;
  using Network = std::shared_ptr<const nn::Module>;

  // The network for these uses, made by `make` if it is not there. Others who ask for the same wait for it.
  Network get(adapters::Part part, const Uses& uses, const std::function<Network()>& make);

  static constexpr size_t kKept = 4;

 private:
  struct Entry {
    adapters::Part part;
    Uses uses;  // hold the adapters, so that no other takes their place in memory
    std::mutex making;
    Network network;
  };

  std::mutex mutex_;
  std::list<std::shared_ptr<Entry>> entries_;  // the latest first
};

// One network of a model, as adapters see it.
struct AdaptedPart {
  adapters::NetworkLayers layers;
  loading::WeightsPlace place;
  std::vector<adapters::Use> fused = {};  // merged into the weights when the model was loaded
};

struct AdapterHome {
  void add_unet(const config::UNet& config, loading::WeightsPlace place);
  // `part`: kText or kText2.
  void add_text_encoder(adapters::Part part, const config::ClipText& config, loading::WeightsPlace place);

  std::array<std::optional<AdaptedPart>, adapters::kParts.size()> parts;
  std::array<std::optional<config::ClipText>, 2> text_configs;  // of the text encoders
  at::TensorOptions options;                                    // of the networks
  const kernels::CpuKernels* kernels = nullptr;
  std::string attention = "auto";  // LoadOptions::attention
  bool keep_text = true;           // whether text encoders stay in memory between requests
  mutable MergedNetworks merged;

  adapters::Networks networks() const;
  // The weight of a layer of the model as it was loaded, float32.
  adapters::ReadWeight read_weight(adapters::Part part) const;
};

// Reads an adapter for the model that `home` belongs to. Throws as Pipeline::load_adapter.
Adapter load_adapter(const std::shared_ptr<const AdapterHome>& home, const std::string& path);
// Likewise a textual inversion.
Adapter load_embedding(const std::shared_ptr<const AdapterHome>& home, const std::string& path,
                       const std::vector<std::string>& tokens);

}  // namespace pipeline
}  // namespace fjord
