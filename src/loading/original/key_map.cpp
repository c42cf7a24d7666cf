#include "loading/original/key_map.h"

#include "core/check.h"

#include <unordered_map>
#include <utility>

namespace fjord::loading {
namespace {

using Index = std::unordered_map<std::string, const KeyPair*>;

struct Match {
  const KeyPair* pair = nullptr;
  std::string rest;  // of the name, after the pair's part
};

// The pair with the longest part that `name` is or begins with, up to a dot.
Match find(const Index& index, const std::string& name) {
  for (auto end = name.size();; end = name.rfind('.', end - 1)) {
    if (end == std::string::npos) return {};
    if (const auto found = index.find(name.substr(0, end)); found != index.end()) {
      return {found->second, name.substr(end)};
    }
    if (end == 0) return {};
  }
}

std::string with_letter(std::string name, char letter) { return name.replace(name.find('*'), 1, 1, letter); }

void check_rank(const AssembledTensor& tensor, const std::string& name, bool good, const char* expected) {
  check(good, ErrorCode::kBadFile, "tensor ", fjord::quoted(name), ": expected ", expected, ", got ",
        at::IntArrayRef(tensor.shape));
}

AssembledTensor as_matrix(AssembledTensor tensor) {
  while (tensor.shape.size() > 2 && tensor.shape.back() == 1) tensor.shape.pop_back();
  return tensor;
}

AssembledTensor as_kernel(AssembledTensor tensor) {
  if (tensor.shape.size() == 2) tensor.shape.insert(tensor.shape.end(), {1, 1});
  return tensor;
}

AssembledTensor transposed(AssembledTensor tensor, const std::string& name) {
  check_rank(tensor, name, tensor.shape.size() == 2 && tensor.pieces.size() == 1, "a matrix");
  std::swap(tensor.shape[0], tensor.shape[1]);
  tensor.transposed = !tensor.transposed;
  return tensor;
}

void put(AssembledTensors& out, const std::string& name, AssembledTensor tensor) {
  const bool is_new = out.emplace(name, std::move(tensor)).second;
  check(is_new, ErrorCode::kBadFile, "two tensors stand for ", fjord::quoted(name));
}

// The rows of q, k and v.
void split(const AssembledTensor& tensor, const std::string& name, const std::string& target, AssembledTensors& out) {
  check_rank(tensor, name, !tensor.shape.empty() && tensor.shape[0] > 0 && tensor.shape[0] % 3 == 0,
             "a number of rows that three divides");
  const auto rows = tensor.shape[0] / 3;
  for (std::int64_t i = 0; i < 3; ++i) {
    auto part = tensor;
    part.shape[0] = rows;
    part.pieces = {rows_of(tensor.pieces.front(), i * rows, (i + 1) * rows)};
    put(out, with_letter(target, "qkv"[i]), std::move(part));
  }
}

// q, k and v of a whole name with '*', one below another.
AssembledTensor joined(const AssembledTensors& tensors, const std::string& name) {
  AssembledTensor out;
  for (const char letter : {'q', 'k', 'v'}) {
    const auto found = tensors.find(with_letter(name, letter));
    check(found != tensors.end(), ErrorCode::kBadFile, "expected the tensor ", fjord::quoted(with_letter(name, letter)),
          ", which is missing");
    const auto& part = found->second;
    if (out.pieces.empty()) {
      out = part;
      continue;
    }
    check_rank(part, found->first, part.shape.size() == out.shape.size() && part.dtype == out.dtype,
               "the shape and dtype of q, k and v to be equal");
    out.shape[0] += part.shape[0];
    out.pieces.insert(out.pieces.end(), part.pieces.begin(), part.pieces.end());
  }
  return out;
}

}  // namespace

bool has_prefix(const AssembledTensors& tensors, const std::string& prefix) {
  const auto next = tensors.lower_bound(prefix);
  return next != tensors.end() && next->first.starts_with(prefix);
}

AssembledTensors below(const AssembledTensors& tensors, const std::string& prefix) {
  AssembledTensors out;
  for (auto next = tensors.lower_bound(prefix); next != tensors.end() && next->first.starts_with(prefix); ++next) {
    out.emplace(next->first.substr(prefix.size()), next->second);
  }
  return out;
}

AssembledTensors to_diffusers(const AssembledTensors& original, const KeyMap& map) {
  Index index;
  for (const auto& pair : map) index.emplace(pair.original, &pair);
  AssembledTensors out;
  for (const auto& [name, tensor] : original) {
    const auto [pair, rest] = find(index, name);
    const auto form = pair == nullptr ? Form::kSame : pair->form;
    const auto target = pair == nullptr ? name : pair->diffusers + rest;
    if (form == Form::kFused) split(tensor, name, target, out);
    if (form == Form::kSame) put(out, target, tensor);
    if (form == Form::kMatrix) put(out, target, as_matrix(tensor));
    if (form == Form::kTransposed) put(out, target, transposed(tensor, name));
  }
  return out;
}

AssembledTensors to_original(const AssembledTensors& diffusers, const KeyMap& map) {
  Index index;
  AssembledTensors out;
  auto rest_of_them = diffusers;
  for (const auto& pair : map) {
    index.emplace(pair.diffusers, &pair);
    const bool fused = pair.form == Form::kFused && diffusers.contains(with_letter(pair.diffusers, 'q'));
    if (!fused) continue;
    put(out, pair.original, joined(diffusers, pair.diffusers));
    for (const char letter : {'q', 'k', 'v'}) rest_of_them.erase(with_letter(pair.diffusers, letter));
  }
  for (const auto& [name, tensor] : rest_of_them) {
    const auto [pair, rest] = find(index, name);
    const auto form = pair == nullptr ? Form::kSame : pair->form;
    const auto target = pair == nullptr ? name : pair->original + rest;
    if (form == Form::kMatrix) put(out, target, as_kernel(tensor));
    if (form == Form::kTransposed) put(out, target, transposed(tensor, name));
    if (form == Form::kSame || form == Form::kFused) put(out, target, tensor);
  }
  return out;
}

}  // namespace fjord::loading
