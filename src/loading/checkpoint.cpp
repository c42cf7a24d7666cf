#include "loading/checkpoint.h"

#include "core/check.h"
#include "loading/json_text.h"

#include <optional>
#include <set>
#include <utility>

namespace fjord::loading {
namespace {

constexpr size_t kMaxIndexSize = size_t{64} << 20;
constexpr size_t kMaxShards = 1000;

// tensor name -> shard file name
std::map<std::string, std::string> read_weight_map(const Source& source, const std::string& index_name) {
  const auto where = source.describe(index_name);
  const auto json = parse_json_object(read_text(source, index_name, kMaxIndexSize), where, {kMaxIndexSize, 8});
  const auto map = json.find("weight_map");
  check(map != json.end() && map->is_object(), ErrorCode::kBadFile, where, ": expected an object weight_map");
  std::map<std::string, std::string> out;
  for (auto item = map->begin(); item != map->end(); ++item) {
    check(item->is_string(), ErrorCode::kBadFile, where, ": expected a file name for ", fjord::quoted(item.key()));
    auto shard = item->get<std::string>();
    check(shard.find('/') == std::string::npos, ErrorCode::kBadFile, where,
          ": expected a file name without folders, got ", fjord::quoted(shard));
    out.emplace(item.key(), std::move(shard));
  }
  return out;
}

std::string folder_prefix(const std::string& folder) { return folder.empty() ? folder : folder + "/"; }

// The weights, or the index of their shards. The reference's _add_variant puts the variant before the last extension.
std::optional<std::string> find_weights(const Source& source, const std::string& stem) {
  for (const char* ending :
       {".safetensors", ".safetensors.index.json", ".fp16.safetensors", ".safetensors.index.fp16.json"}) {
    if (source.exists(stem + ending)) return stem + ending;
  }
  return std::nullopt;
}

void refuse_pickles(const Source& source, const std::string& prefix) {
  for (const char* name : {"diffusion_pytorch_model.bin", "pytorch_model.bin", "diffusion_pytorch_model.fp16.bin",
                           "model.fp16.bin", "diffusion_pytorch_model.ckpt"}) {
    check(!source.exists(prefix + name), ErrorCode::kUnsupported, source.describe(prefix + name),
          " is a Python pickle, which fjord never opens; save the model with diffusers' save_pretrained "
          "(safe_serialization=True) to get safetensors");
  }
}

}  // namespace

Checkpoint::Checkpoint(Safetensors file) { add(std::move(file)); }

Checkpoint::Checkpoint(const Source& source, const std::string& folder, const std::string& stem) {
  const auto prefix = folder_prefix(folder);
  const auto found = find_weights(source, prefix + stem);
  if (!found) refuse_pickles(source, prefix);
  check(found.has_value(), ErrorCode::kNotFound, "there are no weights: expected ",
        source.describe(prefix + stem + ".safetensors"), " (or .safetensors.index.json, or .fp16.safetensors)");
  if (found->ends_with(".json")) {
    add_shards(source, prefix, *found);
  } else {
    add(Safetensors(source.open(*found)));
  }
}

bool Checkpoint::exists(const Source& source, const std::string& folder, const std::string& stem) {
  return find_weights(source, folder_prefix(folder) + stem).has_value();
}

void Checkpoint::add(Safetensors file) {
  files_.push_back(std::make_shared<const Safetensors>(std::move(file)));
  for (const auto& [name, entry] : files_.back()->tensors()) {
    const bool is_new = tensors_.emplace(name, Location{files_.size() - 1, &entry}).second;
    check(is_new, ErrorCode::kBadFile, "tensor ", fjord::quoted(name), " is in two files, the second is ",
          fjord::quoted(files_.back()->name(), 300));
  }
}

void Checkpoint::add_shards(const Source& source, const std::string& prefix, const std::string& index_name) {
  const auto weight_map = read_weight_map(source, index_name);
  std::set<std::string> shards;
  for (const auto& [name, shard] : weight_map) shards.insert(shard);
  check(!shards.empty() && shards.size() <= kMaxShards, ErrorCode::kBadFile, source.describe(index_name),
        ": expected 1 to ", kMaxShards, " files, got ", shards.size());
  files_.reserve(shards.size());
  for (const auto& shard : shards) add(Safetensors(source.open(prefix + shard)));
  for (const auto& [name, shard] : weight_map) {
    check(tensors_.contains(name), ErrorCode::kBadFile, source.describe(index_name), " places ", fjord::quoted(name),
          " in ", fjord::quoted(shard), ", which does not have it");
  }
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> out;
  for (const auto& [name, location] : tensors_) out.push_back(name);
  return out;
}

const TensorEntry* Checkpoint::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : found->second.entry;
}

void Checkpoint::read_into(const std::string& name, at::Tensor& destination) const {
  const auto& location = tensors_.at(name);
  files_[location.file]->read_into(*location.entry, name, destination);
}

}  // namespace fjord::loading
