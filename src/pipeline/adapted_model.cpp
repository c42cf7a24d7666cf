#include "pipeline/adapted_model.h"

#include "core/check.h"
#include "core/memory_pool.h"
#include "pipeline/adapter_set.h"
#include "pipeline/step_graphs.h"

#include <ATen/ops/cat.h>

#include <cmath>
#include <utility>

namespace fjord::pipeline {
namespace {

using adapters::Merge;
using adapters::Part;
using adapters::Use;
using Uses = std::vector<Use>;

constexpr size_t kMaxAdapters = 64;
constexpr double kMaxStrength = 100;

void check_strength(const char* name, double value) {
  check(std::isfinite(value) && std::abs(value) <= kMaxStrength, ErrorCode::kInvalidArgument,
        "the strength of an adapter in the ", name, " must be from ", -kMaxStrength, " to ", kMaxStrength, ", got ",
        value);
}

// What the uses do to one network.
Uses uses_of(Part part, const std::vector<AdapterUse>& uses) {
  Uses out;
  for (const auto& use : uses) {
    const auto& changes = AdapterAccess::get(use.adapter)->changes[static_cast<size_t>(part)];
    const auto strength = part == Part::kUnet ? use.unet : use.text;
    if (changes && strength != 0) out.push_back({changes, strength});
  }
  return out;
}

// A tree of its own over the tensors of `base`.
template <typename Network>
std::shared_ptr<Network> shell_of(const Network& base) {
  auto tree = std::make_shared<Network>(base.config(), at::TensorOptions().device(at::kMeta));
  tree->share_all(base);
  return tree;
}

template <typename Network>
std::shared_ptr<const Network> with_merged(const std::shared_ptr<const Network>& base, const Uses& uses,
                                           const adapters::ReadWeight& read, Merge what) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);  // lives as long as the tensors in it
  const PoolScope scope(pool.get());
  auto tree = shell_of(*base);
  adapters::merge_into(*tree, uses, read, what);
  return tree;
}

// `base` with the weights that must be merged; networks that stay in memory are kept for the next request.
template <typename Network>
std::shared_ptr<const Network> merged(const std::shared_ptr<const Network>& base, Part part, const Uses& uses,
                                      const AdapterHome& home) {
  Uses merging;
  for (const auto& use : uses) {
    if (use.changes->must_merge()) merging.push_back(use);
  }
  if (merging.empty()) return base;
  const auto make = [&] { return with_merged(base, merging, home.read_weight(part), Merge::kWhatMust); };
  if (part != Part::kUnet && !home.keep_text) return make();
  return std::static_pointer_cast<const Network>(home.merged.get(part, merging, make));
}

template <typename Network>
std::shared_ptr<Network> adapted(const std::shared_ptr<const Network>& base, Part part, const Uses& uses,
                                 const AdapterHome& home) {
  auto tree = shell_of(*merged(base, part, uses, home));
  for (const auto& use : uses) use.changes->add_to(*tree, use.strength, Merge::kWhatMust);
  return tree;
}

// The textual inversions of a request for one text encoder.
struct Learned {
  std::vector<text::LearnedToken> tokens;
  at::Tensor rows;  // [vectors, features]; undefined: none
};

Learned learned_tokens(const std::vector<AdapterUse>& uses, size_t encoder, std::int64_t first_id) {
  Learned out;
  std::vector<at::Tensor> rows;
  auto id = first_id;
  for (const auto& use : uses) {
    const auto& embeddings = AdapterAccess::get(use.adapter)->embeddings;
    if (!embeddings || !embeddings->vectors[encoder].defined()) continue;
    rows.push_back(embeddings->vectors[encoder]);
    const auto count = rows.back().size(0), each = embeddings->tokens.size() == 1 ? count : 1;
    for (const auto& token : embeddings->tokens) {
      out.tokens.push_back({token, id, each});
      id += each;
    }
  }
  if (!rows.empty()) out.rows = at::cat(rows);
  return out;
}

TextEncoder adapted_encoder(const TextEncoder& encoder, Part part, const std::vector<AdapterUse>& all,
                            const std::shared_ptr<const AdapterHome>& home) {
  const auto uses = uses_of(part, all);
  const auto learned = learned_tokens(all, part == Part::kText2 ? 1 : 0, encoder.config.vocab_size);
  auto out = encoder;
  if (!learned.tokens.empty()) {
    out.tokenizer = std::make_shared<const text::ClipTokenizer>(encoder.tokenizer->with_tokens(learned.tokens));
  }
  if (uses.empty() && learned.tokens.empty()) return out;
  out.network = [base = encoder.network, part, uses, rows = learned.rows,
                 home]() -> std::shared_ptr<const models::ClipTextModel> {
    auto tree = adapted(base(), part, uses, *home);
    if (rows.defined()) tree->token_embedding.added_rows = rows.to(tree->options());
    return tree;
  };
  return out;
}

template <typename Network>
std::shared_ptr<const Network> fused(std::shared_ptr<const Network> base, const Uses& uses,
                                     const loading::WeightsPlace& place) {
  if (uses.empty()) return base;
  const auto weights = std::make_shared<const loading::PlainWeights>(place);
  const auto read = [weights](const adapters::Layer& layer) {
    return weights->read(layer.name + ".weight", layer.weight);
  };
  auto tree = shell_of(*base);
  base.reset();  // so that merged weights take the place of the old ones
  adapters::merge_into(*tree, uses, read, Merge::kEverything);
  for (const auto& use : uses) use.changes->add_to(*tree, use.strength, Merge::kEverything);
  return tree;
}

}  // namespace

Part text_part(const Model& model, size_t encoder) {
  return model.family.text_encoders.at(encoder) == adapters::part_name(Part::kText2) ? Part::kText2 : Part::kText;
}

void check_adapters(const std::vector<AdapterUse>& uses) {
  check(uses.size() <= kMaxAdapters, ErrorCode::kInvalidArgument, "a request takes at most ", kMaxAdapters,
        " adapters, got ", uses.size());
  for (const auto& use : uses) {
    const auto* impl = AdapterAccess::get(use.adapter);
    check(impl != nullptr, ErrorCode::kInvalidArgument, "an adapter of the request is empty; load it first");
    check_strength("U-Net", use.unet);
    check_strength("text encoders", use.text);
    check(!impl->embeddings || (use.unet == 1 && use.text == 1), ErrorCode::kInvalidArgument,
          "a textual inversion has no strength: both must be 1, got ", use.unet, " and ", use.text);
  }
}

std::shared_ptr<const Model> adapted_model(const std::shared_ptr<const Model>& model,
                                           const std::vector<AdapterUse>& uses) {
  if (uses.empty()) return model;
  check_adapters(uses);
  for (const auto& use : uses) {
    check(AdapterAccess::get(use.adapter)->home.lock() == model->adapters, ErrorCode::kInvalidArgument, "the adapter ",
          quoted(use.adapter.info().path, 300), " was loaded for another pipeline");
  }
  auto out = std::make_shared<Model>(*model);
  const auto unet_uses = uses_of(Part::kUnet, uses);
  if (!unet_uses.empty()) {
    out->unet = adapted(model->unet, Part::kUnet, unet_uses, *model->adapters);
    if (model->graphs != nullptr) out->graphs = std::make_shared<StepGraphs>(/*lasting=*/false);
  }
  for (size_t i = 0; i < out->text_encoders.size(); ++i) {
    out->text_encoders[i] = adapted_encoder(model->text_encoders[i], text_part(*model, i), uses, model->adapters);
  }
  return out;
}

void fuse_adapters(Model& model, const std::shared_ptr<AdapterHome>& home, const std::vector<FusedAdapter>& list) {
  std::vector<AdapterUse> uses;
  for (const auto& [path, unet, text] : list) uses.push_back({load_adapter(home, path), unet, text});
  check_adapters(uses);
  for (const auto part : adapters::kParts) {
    if (auto& own = home->parts[static_cast<size_t>(part)]) own->fused = uses_of(part, uses);
  }
  const auto& unet = *home->parts[static_cast<size_t>(Part::kUnet)];
  model.unet = fused(std::move(model.unet), unet.fused, unet.place);
  for (size_t i = 0; i < model.text_encoders.size(); ++i) {
    const auto& own = *home->parts[static_cast<size_t>(text_part(model, i))];
    auto& network = model.text_encoders[i].network;
    if (own.fused.empty()) continue;
    const auto load = [base = network, uses = own.fused, place = own.place] { return fused(base(), uses, place); };
    network = load;
    if (auto loaded = load(); home->keep_text) network = [loaded = std::move(loaded)] { return loaded; };
  }
}

}  // namespace fjord::pipeline
