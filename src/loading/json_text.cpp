// Two passes: one that only watches depth and keys, then nlohmann's plain parser. Its parser with a callback would do
// both in one, but looks through the whole parent at every closing bracket, which is quadratic in the number of
// tensors.
#include "loading/json_text.h"

#include "core/check.h"

#include <unordered_set>
#include <vector>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

// Refuses deep nesting (what walks the result recurses) and keys that stand twice in an object.
class Watcher : public nlohmann::json_sax<Json> {
 public:
  Watcher(const std::string& where, int max_depth) : where_(where), max_depth_(max_depth) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    check(keys_.back().insert(key).second, ErrorCode::kBadFile, where_, ": expected every key once, got ",
          fjord::quoted(key), " twice");
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    fail(ErrorCode::kBadFile, where_, ": not valid JSON: ", fjord::quoted(error.what(), 200));
  }

 private:
  bool open() {
    check(keys_.size() < static_cast<size_t>(max_depth_), ErrorCode::kBadFile, where_, ": nested more than ",
          max_depth_, " levels deep");
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  const std::string& where_;
  int max_depth_;
  std::vector<std::unordered_set<std::string>> keys_;  // of every open object; an array has an empty one
};

}  // namespace

Json parse_json_object(std::string_view text, const std::string& where, const JsonLimits& limits) {
  check(text.size() <= limits.size, ErrorCode::kBadFile, where, ": expected at most ", limits.size, " bytes, got ",
        text.size());
  Json json;
  try {
    Watcher watcher(where, limits.depth);
    Json::sax_parse(text, &watcher);
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    fail(ErrorCode::kBadFile, where, ": not valid JSON: ", fjord::quoted(error.what(), 200));
  }
  check(json.is_object(), ErrorCode::kBadFile, where, ": expected a JSON object, got ", json.type_name());
  return json;
}

}  // namespace fjord::loading
