// Reads the fields of a JSON object into variables, strictly: no conversion between types, no number out of range.
#pragma once

#include <fjord/choices.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fjord::cli {

class JsonFields {
 public:
  using Json = nlohmann::ordered_json;

  // `where` names the object in messages. Throws Error(kBadFile) if `json` is no object.
  JsonFields(const Json& json, std::string where);

  // Each sets `out` if the field is there and throws Error(kBadFile) if its value does not fit.
  void read(const char* name, std::string& out);
  void read(const char* name, int& out);
  void read(const char* name, std::uint64_t& out);
  void read(const char* name, bool& out);
  void read(const char* name, double& out);
  void read(const char* name, std::optional<double>& out);  // null: no value
  void read(const char* name, std::vector<double>& out);
  void read(const char* name, std::map<std::string, std::string>& out);
  // One of the names; Error(kUnsupported) for another.
  template <typename Choice, size_t kCount>
  void read(const char* name, Choice& out, const ChoiceNames<Choice, kCount>& names) {
    auto text = name_of(names, out);
    read(name, text);
    const auto choice = choice_named(names, text);
    if (!choice) refuse_choice(name, text);
    out = *choice;
  }
  // The value of a field that is a list; an empty one if it is not there.
  Json array(const char* name);
  // The value of a field that is an object, or null.
  const Json* object(const char* name);

  // Throws Error(kUnsupported) naming a field that none of the calls above asked for.
  void refuse_others() const;

 private:
  const Json* find(const char* name);
  [[noreturn]] void fail(const char* name, const char* expected) const;
  [[noreturn]] void refuse_choice(const char* name, const std::string& text) const;

  const Json& json_;
  std::string where_;
  std::set<std::string> known_;
};

}  // namespace fjord::cli
