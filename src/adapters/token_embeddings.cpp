#include "adapters/token_embeddings.h"

#include "core/check.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <utility>

namespace fjord::adapters {
namespace {

using loading::Safetensors;

constexpr std::int64_t kMaxVectors = 75;  // what a prompt can hold

// Names of vectors that say nothing but which text encoder they are for.
const std::map<std::string, size_t>& encoder_names() {
  static const std::map<std::string, size_t> names{
      {"clip_l", 0}, {"clip_g", 1}, {"text_encoders_0", 0}, {"text_encoders_1", 1}};
  return names;
}

bool is_anonymous(const std::string& name) { return name == "emb_params" || name == "*"; }

at::Tensor read_vectors(const Safetensors& file, const std::string& name) {
  const auto& entry = file.tensors().at(name);
  const auto rank = entry.shape.size();
  const bool counts = rank == 1 || (rank == 2 && entry.shape[0] >= 1 && entry.shape[0] <= kMaxVectors);
  check(counts && entry.shape.back() >= 1, ErrorCode::kBadFile, fjord::quoted(file.name(), 300), ": ",
        fjord::quoted(name), " must be 1 to ", kMaxVectors, " vectors, got ", at::IntArrayRef(entry.shape));
  auto out = at::empty(entry.shape, at::kFloat);
  file.read_into(entry, name, out);
  check(out.isfinite().all().item<bool>(), ErrorCode::kNonFinite, fjord::quoted(file.name(), 300), ": ",
        fjord::quoted(name), " has NaN or infinity");
  return out.view({-1, entry.shape.back()});
}

std::string described(const TextFeatures& features) {
  std::string out;
  for (const auto& width : features) {
    if (width) out += (out.empty() ? "" : " or ") + std::to_string(*width);
  }
  return out;
}

void place(const Safetensors& file, const at::Tensor& vectors, std::optional<size_t> encoder,
           const TextFeatures& features, TokenEmbeddings& out) {
  for (size_t i = 0; i < features.size(); ++i) {
    if (features[i] != vectors.size(1) || (encoder && *encoder != i)) continue;
    out.vectors[i] = vectors;
    return;
  }
  fail(ErrorCode::kBadFile, fjord::quoted(file.name(), 300), ": the model's text encoder takes vectors of ",
       described(features), " numbers, got ", vectors.size(1), " (is it for another family of models?)");
}

}  // namespace

TokenEmbeddings read_token_embeddings(const Safetensors& file, std::vector<std::string> tokens, const std::string& stem,
                                      const TextFeatures& features) {
  TokenEmbeddings out;
  std::string name = stem;
  const bool single = file.tensors().size() == 1;
  std::int64_t count = 0;
  for (const auto& [key, entry] : file.tensors()) {
    const auto encoder = encoder_names().find(key);
    check(single || encoder != encoder_names().end(), ErrorCode::kBadFile, fjord::quoted(file.name(), 300),
          ": expected the vectors of one token, or clip_l and clip_g, got ", fjord::quoted(key), " among ",
          file.tensors().size(), " tensors");
    const auto vectors = read_vectors(file, key);
    check(count == 0 || count == vectors.size(0), ErrorCode::kBadFile, fjord::quoted(file.name(), 300),
          ": expected as many vectors for both text encoders, got ", count, " and ", vectors.size(0));
    count = vectors.size(0);
    const bool for_encoder = encoder != encoder_names().end();
    place(file, vectors, for_encoder ? std::optional(encoder->second) : std::nullopt, features, out);
    if (!for_encoder && !is_anonymous(key)) name = key;
  }
  check(count > 0, ErrorCode::kBadFile, fjord::quoted(file.name(), 300), ": expected vectors, got no tensors");
  if (tokens.empty()) tokens.push_back(name);
  check(tokens.size() == 1 || static_cast<std::int64_t>(tokens.size()) == count, ErrorCode::kInvalidArgument,
        fjord::quoted(file.name(), 300), ": expected one token or ", count, ", one for each vector, got ",
        tokens.size());
  out.tokens = std::move(tokens);
  return out;
}

}  // namespace fjord::adapters
