#include "loading/load_into.h"

#include "core/check.h"
#include "core/parallel.h"

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

std::string module_name(const std::string& file_name, const KeyRules& rules) {
  auto name = file_name.starts_with(rules.optional_prefix) ? file_name.substr(rules.optional_prefix.size()) : file_name;
  for (const auto& [from, to] : rules.renames) {
    if (const auto at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

// Equal, but for sizes of 1 at the end of the file's shape.
bool shape_fits(std::vector<std::int64_t> in_file, at::IntArrayRef wanted) {
  while (in_file.size() > wanted.size() && in_file.back() == 1) in_file.pop_back();
  return wanted == at::IntArrayRef(in_file);
}

std::string listing(const char* kind, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string out = concat("; ", names.size(), " ", kind, ": ");
  for (size_t i = 0; i < std::min(names.size(), kListed); ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kListed ? out + ", ..." : out;
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
  for (const auto& [name, tensor] : parameters) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      problems.missing.push_back(name);
      continue;
    }
    unused.erase(name);
    const auto& shape = checkpoint.find(found->second)->shape;
    if (!shape_fits(shape, tensor->sizes())) {
      problems.misshaped.push_back(concat(name, ": file ", at::IntArrayRef(shape), ", model ", tensor->sizes()));
    }
  }
  for (const auto& [name, file_name] : unused) {
    const bool ignored = std::find(rules.ignored.begin(), rules.ignored.end(), name) != rules.ignored.end();
    if (!ignored) problems.unexpected.push_back(fjord::quoted(file_name));
  }
  return by_name;
}

}  // namespace

const KeyRules& clip_text_rules() {
  static const KeyRules rules{"text_model.", {"embeddings.position_ids"}, {}};
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

void load_into(nn::Module& module, const Checkpoint& checkpoint, const KeyRules& rules, const std::string& what,
               const kernels::CpuKernels* kernels) {
  const auto parameters = module.named_parameters();
  Problems problems;
  const auto file_names = match(parameters, checkpoint, rules, problems);
  check(problems.empty(), ErrorCode::kBadFile, what, ": the weights do not fit the configuration",
        listing("missing", problems.missing), listing("unexpected", problems.unexpected),
        listing("misshaped", problems.misshaped));
  const auto modules = module.modules();
  parallel_for_each(static_cast<std::int64_t>(modules.size()), [&](std::int64_t i, int) {
    const auto& named = modules[static_cast<size_t>(i)];
    for (const auto& [name, tensor] : named.module->own_parameters()) {
      checkpoint.read_into(file_names.at(named.key(name)), *tensor);
    }
    if (kernels != nullptr) named.module->pack(*kernels);
  });
}

}  // namespace fjord::loading
