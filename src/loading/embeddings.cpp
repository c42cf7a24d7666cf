// write_embeddings and read_embeddings of the public interface.
#include <fjord/embeddings.h>
#include <fjord/inspect.h>

#include "core/check.h"
#include "loading/arrays.h"
#include "loading/source.h"

#include <utility>

namespace fjord {
namespace {

struct Field {
  const char* name;
  Array PromptEmbeddings::*array;
  bool needed;
};
constexpr Field kFields[] = {{"positive", &PromptEmbeddings::positive, true},
                             {"negative", &PromptEmbeddings::negative, false},
                             {"pooled_positive", &PromptEmbeddings::pooled_positive, false},
                             {"pooled_negative", &PromptEmbeddings::pooled_negative, false}};

PromptEmbeddings from_arrays(std::map<std::string, Array> arrays, const std::string& where) {
  PromptEmbeddings out;
  for (const auto& field : kFields) {
    const auto found = arrays.find(field.name);
    check(found != arrays.end() || !field.needed, ErrorCode::kBadFile, where, ": expected a tensor named \"",
          field.name, "\" in a file of embeddings");
    if (found == arrays.end()) continue;
    out.*field.array = std::move(found->second);
    arrays.erase(found);
  }
  check(arrays.empty(), ErrorCode::kBadFile, where, ": tensor ", arrays.empty() ? "" : quoted(arrays.begin()->first),
        " is none of prompt embeddings");
  return out;
}

}  // namespace

void write_embeddings(const std::string& path, const PromptEmbeddings& embeddings) {
  std::map<std::string, Array> arrays;
  for (const auto& field : kFields) {
    const auto& array = embeddings.*field.array;
    if (field.needed || !array.values.empty()) arrays.emplace(field.name, array);
  }
  write_arrays(path, arrays);
}

PromptEmbeddings read_embeddings(const std::string& path) { return from_arrays(read_arrays(path), quoted(path, 300)); }

PromptEmbeddings read_embeddings(std::span<const std::byte> bytes) {
  const auto memory = loading::open_memory({{"embeddings", bytes}});
  return from_arrays(loading::read_arrays(memory->open("embeddings")), "embeddings");
}

}  // namespace fjord
