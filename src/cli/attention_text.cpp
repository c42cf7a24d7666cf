#include "cli/attention_text.h"

#include "cli/output.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

bool alike(const AttentionLayer& a, const AttentionLayer& b) {
  return a.batch == b.batch && a.heads == b.heads && a.head_dim == b.head_dim && a.queries == b.queries &&
         a.keys == b.keys && a.kernel == b.kernel;
}

std::string group_text(const std::vector<AttentionLayer>& group) {
  const AttentionLayer& first = group.front();
  const auto number = [](int x) { return std::to_string(x); };
  std::string text = first.kernel + ": " + first.reason + "\n  batch " + number(first.batch) + ", heads " +
                     number(first.heads) + " of size " + number(first.head_dim) + ", queries " + number(first.queries) +
                     ", keys " + number(first.keys) + "\n";
  for (const auto& [kernel, reason] : first.refused) text += "  not " + kernel + ": " + reason + "\n";
  for (const AttentionLayer& layer : group) text += "    " + printable(layer.name) + "\n";
  return text;
}

}  // namespace

std::string attention_text(const std::vector<AttentionLayer>& layers) {
  std::vector<std::vector<AttentionLayer>> groups;
  for (const AttentionLayer& layer : layers) {
    const auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return alike(group.front(), layer); });
    if (found == groups.end()) {
      groups.push_back({layer});
    } else {
      found->push_back(layer);
    }
  }
  std::string text;
  for (const auto& group : groups) text += (text.empty() ? "" : "\n") + group_text(group);
  return text;
}

std::string attention_json(const std::vector<AttentionLayer>& layers) {
  Json json = Json::array();
  for (const AttentionLayer& layer : layers) {
    Json refused = Json::object();
    for (const auto& [kernel, reason] : layer.refused) refused[kernel] = reason;
    json.push_back({{"name", layer.name},
                    {"batch", layer.batch},
                    {"heads", layer.heads},
                    {"head_dim", layer.head_dim},
                    {"queries", layer.queries},
                    {"keys", layer.keys},
                    {"kernel", layer.kernel},
                    {"reason", layer.reason},
                    {"refused", refused}});
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fjord::cli
