#include "loading/load_into.h"

#include "config/int4.h"
#include "core/check.h"
#include "core/cuda_plugin.h"
#include "core/memory_pool.h"
#include "core/parallel.h"
#include "core/tensors.h"

#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <map>

namespace fjord::loading {
namespace {

constexpr size_t kListed = 20;

// Keys that do not fit, by kind.
struct Problems {
  std::vector<std::string> missing, unexpected, misshaped;

  bool empty() const { return missing.empty() && unexpected.empty() && misshaped.empty(); }
};

std::string listing(const char* kind, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string out = concat("; ", names.size(), " ", kind, ": ");
  for (size_t i = 0; i < std::min(names.size(), kListed); ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kListed ? out + ", ..." : out;
}

using kernels::WeightKind;

// What a tensor of the file holds: uint8 is int4, two numbers a byte.
WeightKind kind_of(const TensorEntry& entry) {
  if (entry.type == at::kByte) return WeightKind::kInt4;
  return entry.type == at::kChar ? WeightKind::kInt8 : WeightKind::kPlain;
}

struct Names {
  const Checkpoint& checkpoint;
  const std::map<std::string, std::string>& by_name;
};

std::int64_t row_length(at::IntArrayRef shape) { return c10::multiply_integers(shape.slice(1)); }

std::vector<std::int64_t> int4_shape(at::IntArrayRef shape) { return {shape.front(), (row_length(shape) + 1) / 2}; }

std::vector<std::int64_t> scale_shape(WeightKind kind, at::IntArrayRef shape) {
  if (kind == WeightKind::kInt8) return {shape.front()};
  return {shape.front(), config::int4_groups(row_length(shape))};
}

// int8 and int4 numbers need factors.
void match_scale(const nn::NamedParameter& parameter, WeightKind kind, const Names& names,
                 std::map<std::string, std::string>& unused, Problems& problems) {
  const auto name = scale_name(parameter.name);
  const auto shape = parameter.tensor->sizes();
  if (shape.size() < 2) {
    return problems.misshaped.push_back(parameter.name + ": int8 and int4 are for matrices and kernels");
  }
  const auto found = names.by_name.find(name);
  if (found == names.by_name.end()) return problems.missing.push_back(name);
  unused.erase(name);
  const auto& in_file = names.checkpoint.find(found->second)->shape;
  const auto wanted = scale_shape(kind, shape);
  if (in_file == wanted) return;
  problems.misshaped.push_back(concat(name, ": file ", at::IntArrayRef(in_file), ", expected ", at::IntArrayRef(wanted),
                                      " for a weight ", shape));
}

void match_parameter(const nn::NamedParameter& parameter, const TensorEntry& entry, const Names& names,
                     std::map<std::string, std::string>& unused, Problems& problems) {
  const auto kind = kind_of(entry);
  const auto shape = parameter.tensor->sizes();
  const auto wanted = kind == WeightKind::kInt4 && shape.size() > 1 ? int4_shape(shape) : shape.vec();
  if (!shape_fits(entry.shape, wanted)) {
    problems.misshaped.push_back(
        concat(parameter.name, ": file ", at::IntArrayRef(entry.shape), ", model ", at::IntArrayRef(wanted)));
  }
  if (kind != WeightKind::kPlain) match_scale(parameter, kind, names, unused, problems);
}

// File names by the module name that they map to; names that nothing needs go to `problems`.
std::map<std::string, std::string> match(const std::vector<nn::NamedParameter>& parameters,
                                         const Checkpoint& checkpoint, const KeyRules& rules, Problems& problems) {
  std::map<std::string, std::string> by_name;
  for (const auto& file_name : checkpoint.names()) {
    const auto [first, is_new] = by_name.emplace(module_name(file_name, rules), file_name);
    if (!is_new) problems.unexpected.push_back(concat(fjord::quoted(file_name), " (the same as ", first->second, ")"));
  }
  auto unused = by_name;
  for (const auto& parameter : parameters) {
    const auto found = by_name.find(parameter.name);
    if (found == by_name.end()) {
      problems.missing.push_back(parameter.name);
      continue;
    }
    unused.erase(parameter.name);
    match_parameter(parameter, *checkpoint.find(found->second), {checkpoint, by_name}, unused, problems);
  }
  for (const auto& [name, file_name] : unused) {
    const bool ignored = std::find(rules.ignored.begin(), rules.ignored.end(), name) != rules.ignored.end();
    if (!ignored) problems.unexpected.push_back(fjord::quoted(file_name));
  }
  return by_name;
}

void check_finite(const at::Tensor& tensor, const std::string& name) {
  check(is_finite(tensor), ErrorCode::kBadFile, "expected finite weights, got NaN or infinity in the tensor ",
        fjord::quoted(name));
}

// Where the tensors of a layer are read to: those that are about to be packed into a pool of their own, whose memory
// serves one layer after another; others to where they stay.
class Reader {
 public:
  Reader(const Names& names, const Keeping& keeping) : names_(names), keeping_(keeping) {
    if (keeping.kernels != nullptr) staging_ = MemoryPool::create(MemoryPool::Pages::kSmall);
  }

  void read(const nn::NamedModule& layer) const {
    const auto parameters = layer.module->own_parameters();
    for (const auto& [name, tensor] : parameters) read_parameter(layer, name, *tensor);
    if (!staging_) return lay_out(*layer.module);
    layer.module->pack(*keeping_.kernels);
    if (!layer.module->packs_weight()) return;
    for (const auto& [name, tensor] : parameters) {
      if (tensor->defined()) *tensor = tensor->clone();  // what stayed plain leaves the pool
    }
  }

 private:
  // Without packing.
  void lay_out(nn::Module& module) const {
    module.make_plain();
    if (keeping_.rests_from) module.rest(*cuda_ops(*keeping_.rests_from), *keeping_.rests_from);
  }

  void read_parameter(const nn::NamedModule& layer, const std::string& name, at::Tensor& tensor) const {
    const auto& [checkpoint, by_name] = names_;
    const auto key = layer.key(name);
    const auto& file_name = by_name.at(key);
    const auto kind = kind_of(*checkpoint.find(file_name));
    if (kind != WeightKind::kPlain) read_scale(*layer.module, key, kind, tensor.sizes());
    const auto dtype = kind == WeightKind::kPlain  ? tensor.scalar_type()
                       : kind == WeightKind::kInt4 ? at::kByte
                                                   : at::kChar;
    const auto sizes = kind == WeightKind::kInt4 ? int4_shape(tensor.sizes()) : tensor.sizes().vec();
    if (!tensor.is_cpu()) {
      auto host = at::empty(sizes, dtype);
      checkpoint.read_into(file_name, host);
      tensor = host.to(tensor.device());
      return;
    }
    if (staging_ && layer.module->packs_weight()) {
      tensor = staging_->empty(sizes, dtype);
    } else if (dtype != tensor.scalar_type()) {
      tensor = at::empty(sizes, dtype);
    }
    checkpoint.read_into(file_name, tensor);
    check_finite(tensor, file_name);
  }

  void read_scale(nn::Module& module, const std::string& key, WeightKind kind, at::IntArrayRef shape) const {
    const bool int8 = kind == WeightKind::kInt8;
    auto factors = at::empty(scale_shape(kind, shape), int8 ? at::kFloat : at::kBFloat16);
    const auto& file_name = names_.by_name.at(scale_name(key));
    names_.checkpoint.read_into(file_name, factors);
    check_finite(factors, file_name);
    module.set_few_bits({int8 && keeping_.round_inputs ? WeightKind::kInt8Product : kind, factors, shape.vec()});
  }

  const Names& names_;
  const Keeping& keeping_;
  std::shared_ptr<MemoryPool> staging_;
};

// Names of the file by names of the module.
std::map<std::string, std::string> matched(nn::Module& module, const Checkpoint& checkpoint, const KeyRules& rules,
                                           const std::string& what) {
  Problems problems;
  auto file_names = match(module.named_parameters(), checkpoint, rules, problems);
  check(problems.empty(), ErrorCode::kBadFile, what, ": the weights do not fit the configuration",
        listing("missing", problems.missing), listing("unexpected", problems.unexpected),
        listing("misshaped", problems.misshaped));
  return file_names;
}

}  // namespace

std::string module_name(const std::string& file_name, const KeyRules& rules) {
  auto name = file_name.starts_with(rules.optional_prefix) ? file_name.substr(rules.optional_prefix.size()) : file_name;
  for (const auto& [from, to] : rules.renames) {
    if (const auto at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

bool shape_fits(std::vector<std::int64_t> in_file, at::IntArrayRef wanted) {
  while (in_file.size() > wanted.size() && in_file.back() == 1) in_file.pop_back();
  return wanted == at::IntArrayRef(in_file);
}

std::string scale_name(const std::string& parameter) { return parameter + "_scale"; }

const KeyRules& clip_text_rules() {
  static const KeyRules rules{"text_model.", {"embeddings.position_ids"}, {}};
  return rules;
}

const KeyRules& clip_vision_rules() {
  static const KeyRules rules{"vision_model.", {"embeddings.position_ids"}, {}};
  return rules;
}

const KeyRules& unet_rules() {
  static const KeyRules rules{};
  return rules;
}

// Files from before diffusers 0.15 name the attention of the VAE's middle differently.
const KeyRules& vae_rules() {
  static const KeyRules rules{"",
                              {},
                              {{"mid_block.attentions.0.query.", "mid_block.attentions.0.to_q."},
                               {"mid_block.attentions.0.key.", "mid_block.attentions.0.to_k."},
                               {"mid_block.attentions.0.value.", "mid_block.attentions.0.to_v."},
                               {"mid_block.attentions.0.proj_attn.", "mid_block.attentions.0.to_out.0."}}};
  return rules;
}

const KeyRules& tiny_vae_rules() {
  static const KeyRules rules{};
  return rules;
}

void load_into(nn::Module& module, const Checkpoint& checkpoint, const KeyRules& rules, const std::string& what,
               const Keeping& keeping) {
  const auto file_names = matched(module, checkpoint, rules, what);
  const auto modules = module.modules();
  const Names names{checkpoint, file_names};
  const Reader reader(names, keeping);
  parallel_for_each(static_cast<std::int64_t>(modules.size()),
                    [&](std::int64_t i, int) { reader.read(modules[static_cast<size_t>(i)]); });
}

void check_keys(nn::Module& module, const Checkpoint& checkpoint, const KeyRules& rules, const std::string& what) {
  matched(module, checkpoint, rules, what);
}

}  // namespace fjord::loading
