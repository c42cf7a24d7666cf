// nlohmann's parser keeps its own stack, so deep nesting cannot overflow ours; the limit guards what walks the result.
#include "loading/json_text.h"

#include "core/check.h"

#include <unordered_set>
#include <vector>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

Json parse_watched(std::string_view text, const std::string& where, const JsonLimits& limits) {
  std::vector<std::unordered_set<std::string>> open_objects;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    check(depth <= limits.depth, ErrorCode::kBadFile, where, ": nested more than ", limits.depth, " levels deep");
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      check(open_objects.back().insert(key).second, ErrorCode::kBadFile, where, ": expected every key once, got ",
            fjord::quoted(key), " twice");
    }
    return true;
  };
  return Json::parse(text, watch);
}

}  // namespace

Json parse_json_object(std::string_view text, const std::string& where, const JsonLimits& limits) {
  check(text.size() <= limits.size, ErrorCode::kBadFile, where, ": expected at most ", limits.size, " bytes, got ",
        text.size());
  Json json;
  try {
    json = parse_watched(text, where, limits);
  } catch (const Json::exception& error) {
    fail(ErrorCode::kBadFile, where, ": not valid JSON: ", fjord::quoted(error.what(), 200));
  }
  check(json.is_object(), ErrorCode::kBadFile, where, ": expected a JSON object, got ", json.type_name());
  return json;
}

}  // namespace fjord::loading
