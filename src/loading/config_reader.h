// One component's config.json: typed fields with ranges, and at the end a complaint about every field nobody asked for.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fjord::loading {

struct Range {
  double low;
  double high;
};

inline constexpr Range kAnyNumber{-1e9, 1e9};
inline constexpr Range kSize{1, 1 << 20};   // channels, features, rows
inline constexpr Range kCount{1, 1 << 10};  // layers, heads

// Fields whose value is null count as absent, as they do for the reference's defaults.
// Every method throws Error(kBadFile), naming the file and the field, for a value of another type or out of range.
class ConfigReader {
 public:
  // `where` names the file in messages.
  ConfigReader(std::string_view text, std::string where);

  void integer(const char* key, std::int64_t& out, Range range);
  void integer(const char* key, std::optional<std::int64_t>& out, Range range);
  void number(const char* key, double& out, Range range);
  void number(const char* key, std::optional<double>& out, Range range);
  void flag(const char* key, bool& out);
  void text(const char* key, std::string& out);
  void text(const char* key, std::optional<std::string>& out);
  void texts(const char* key, std::vector<std::string>& out);
  void integers(const char* key, std::vector<std::int64_t>& out, Range range);  // a list, or one number
  void numbers(const char* key, std::vector<double>& out, Range range);
  void flags(const char* key, std::vector<bool>& out);  // a list, or one value
  // An object of texts.
  void texts_by_name(const char* key, std::map<std::string, std::string>& out);
  // A number, a list of numbers, or a list of lists: one inner list per level.
  void nested_integers(const char* key, std::vector<std::vector<std::int64_t>>& out, Range range);

  // Whether the field is written as null, which for some fields differs from being absent.
  bool is_null(const char* key) const;
  // The field is known and its value changes nothing of what fjord computes.
  void ignore(const char* key) { seen_.insert(key); }
  // The field must be absent, null or `neutral`; throws Error(kUnsupported) naming key and value otherwise.
  void only(const char* key, const nlohmann::json& neutral);
  // Throws Error(kUnsupported) for fields that nobody asked for, except those that begin with "_".
  void refuse_others() const;

  const std::string& where() const { return where_; }

 private:
  const nlohmann::json* find(const char* key);
  [[noreturn]] void complain(const char* key, const std::string& expected, const nlohmann::json& value) const;
  std::int64_t to_integer(const char* key, const nlohmann::json& value, Range range) const;
  double to_number(const char* key, const nlohmann::json& value, Range range) const;

  nlohmann::json json_;
  std::string where_;
  std::set<std::string> seen_;
};

}  // namespace fjord::loading
