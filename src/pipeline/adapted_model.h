// The model as one request sees it: with its adapters.
#pragma once

#include "pipeline/adapter_set.h"
#include "pipeline/model.h"

#include <fjord/adapters.h>

#include <memory>
#include <vector>

namespace fjord::pipeline {

// `model` itself if nothing changes, else a model with networks and tokenizers of its own over the same weights.
// Throws Error: kInvalidArgument for an adapter of another pipeline and for strengths out of range; kBadFile if the
// model's files, which merging reads again, are gone or changed; kNonFinite if the merged weights overflow.
std::shared_ptr<const Model> adapted_model(const std::shared_ptr<const Model>& model,
                                           const std::vector<AdapterUse>& uses);

// Merges adapters into the weights of a model that is being loaded, for good.
void fuse_adapters(Model& model, const std::shared_ptr<AdapterHome>& home, const std::vector<FusedAdapter>& fused);

// Which of a model's text encoders adapter files mean by "text_encoder" and "text_encoder_2".
adapters::Part text_part(const Model& model, size_t encoder);

// Throws Error(kInvalidArgument) for empty adapters, too many of them and strengths out of range.
void check_adapters(const std::vector<AdapterUse>& uses);

}  // namespace fjord::pipeline
