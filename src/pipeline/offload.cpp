#include "pipeline/offload.h"

#include "core/check.h"

#include <algorithm>

namespace fjord::pipeline {
namespace {

std::uint64_t peak_with(Offload offload, const ModelBytes& model, const RequestBytes& request) {
  return model.kept(offload) + std::max(request.denoising + model.brought_to_denoise(offload),
                                        request.decoding + model.brought_to_decode(offload));
}

}  // namespace

Offload choose_offload(std::uint64_t budget, const ModelBytes& model, const RequestBytes& request) {
  if (budget == 0) return Offload::kNone;
  for (const auto offload : {Offload::kNone, Offload::kParts, Offload::kLayers}) {
    if (peak_with(offload, model, request) <= budget) return offload;
  }
  fail(ErrorCode::kOutOfMemory, "LoadOptions::memory_budget allows ", budget >> 20, " MiB; with all weights in main ",
       "memory the model and a request of its own size need about ", peak_with(Offload::kLayers, model, request) >> 20,
       " MiB");
}

}  // namespace fjord::pipeline
