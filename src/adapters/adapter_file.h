// An adapter's file as changes of the layers of a model: read strictly, whole or not at all.
#pragma once

#include "adapters/factors.h"
#include "adapters/key_names.h"
#include "adapters/network_layers.h"
#include "loading/adapter_config.h"
#include "loading/safetensors.h"

#include <array>
#include <string>
#include <vector>

namespace fjord::adapters {

struct LayerChange {
  const Layer* layer = nullptr;  // of the NetworkLayers that it was read for
  Factors factors;
};

// Of every part, in the order of kParts.
using Changes = std::array<std::vector<LayerChange>, kParts.size()>;

// The networks of a model; null where it has no such part.
using Networks = std::array<const NetworkLayers*, kParts.size()>;

// Reads every tensor. Throws Error: kBadFile listing keys that name no layer of these networks and layers whose factors
// do not fit (the first few of each); kUnsupported saying what the file seems to be instead; kNonFinite.
Changes read_adapter(const loading::Safetensors& file, const loading::AdapterConfigs& configs,
                     const Networks& networks);

}  // namespace fjord::adapters
