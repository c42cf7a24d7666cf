// One line a field, in the order of the structs.
#include "capi/request_fields.h"

#include "capi/status.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

namespace fjord::capi {
namespace {

constexpr char kSchedulerOption[] = "scheduler_options.";

struct Field {
  std::string name;
  std::string kind;
  std::function<void(Request&, const std::string& value)> set;
};

[[noreturn]] void refuse_value(const std::string& name, const std::string& kind, const std::string& value) {
  refuse("\"" + name + "\" must be " + kind + ", got \"" + value.substr(0, 60) + "\"");
}

template <typename Number>
std::optional<Number> parse_number(const std::string& text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(out) : std::nullopt;
}

std::optional<bool> parse_bool(const std::string& text) {
  if (text == "true") return true;
  return text == "false" ? std::optional(false) : std::nullopt;
}

std::optional<std::vector<double>> parse_list(const std::string& text) {
  std::vector<double> out;
  for (size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto number = parse_number<double>(text.substr(begin, end - begin));
    if (!number || end + 1 == text.size()) return std::nullopt;
    out.push_back(*number);
    begin = end + 1;
  }
  return out;
}

template <typename Value>
constexpr const char* kind_name() {
  if constexpr (std::is_same_v<Value, bool>) return "boolean";
  if constexpr (std::is_same_v<Value, std::string>) return "text";
  if constexpr (std::is_same_v<Value, std::vector<double>>) return "numbers";
  return std::is_integral_v<Value> ? "integer" : "number";
}

template <typename Value>
std::optional<Value> parse(const std::string& text) {
  if constexpr (std::is_same_v<Value, bool>) {
    return parse_bool(text);
  } else if constexpr (std::is_same_v<Value, std::string>) {
    return text;
  } else if constexpr (std::is_same_v<Value, std::vector<double>>) {
    return parse_list(text);
  } else {
    return parse_number<Value>(text);
  }
}

template <typename Value>
struct Plain {
  using Type = Value;
};
template <typename Value>
struct Plain<std::optional<Value>> {
  using Type = Value;
};

// `place` gives the field of a request.
template <typename Place>
Field field(const std::string& name, Place place) {
  using Value = typename Plain<std::remove_reference_t<decltype(place(std::declval<Request&>()))>>::Type;
  const std::string kind = kind_name<Value>();
  return {name, kind, [name, kind, place](Request& request, const std::string& text) {
            auto value = parse<Value>(text);
            if (!value) refuse_value(name, kind, text);
            place(request) = std::move(*value);
          }};
}

#define FJORD_FIELD(path) \
  field(                  \
      #path, [](Request & request) -> auto& { return request.path; })

const std::vector<Field>& fields() {
  static const std::vector<Field> all = {
      FJORD_FIELD(prompt),
      FJORD_FIELD(negative_prompt),
      FJORD_FIELD(width),
      FJORD_FIELD(height),
      FJORD_FIELD(steps),
      FJORD_FIELD(guidance),
      FJORD_FIELD(guidance_rescale),
      FJORD_FIELD(seed),
      FJORD_FIELD(per_image_seeds),
      FJORD_FIELD(images),
      FJORD_FIELD(scheduler),
      FJORD_FIELD(timesteps),
      FJORD_FIELD(vae_tiling),
      FJORD_FIELD(decode),
      FJORD_FIELD(approximation.guidance_begin),
      FJORD_FIELD(approximation.guidance_end),
      FJORD_FIELD(approximation.guidance_every),
      FJORD_FIELD(approximation.cache_interval),
      FJORD_FIELD(approximation.cache_branch),
      FJORD_FIELD(approximation.text_gate),
      FJORD_FIELD(approximation.merge_ratio),
  };
  return all;
}

[[noreturn]] void refuse_name(const std::string& name, const char* what) {
  throw StatusError{FJORD_NOT_FOUND, std::string("a request has no ") + what + " \"" + name.substr(0, 60) + "\""};
}

}  // namespace

void set_field(Request& request, const std::string& name, const std::string& value) {
  if (name.starts_with(kSchedulerOption)) {
    request.scheduler_options[name.substr(sizeof kSchedulerOption - 1)] = value;
    return;
  }
  const auto found = std::find_if(fields().begin(), fields().end(), [&](const Field& f) { return f.name == name; });
  if (found == fields().end()) refuse_name(name, "field");
  found->set(request, value);
}

void set_array(Request& request, const std::string& name, Array array) {
  if (name != "latents") refuse_name(name, "array");
  request.latents = std::move(array);
}

const std::string& field_list() {
  static const std::string list = [] {
    std::string out;
    for (const auto& field : fields()) out += field.name + " " + field.kind + "\n";
    return out + kSchedulerOption + "* text\nlatents array\n";
  }();
  return list;
}

}  // namespace fjord::capi
