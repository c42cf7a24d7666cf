// One line a field, in the order of the structs.
#include "capi/request_fields.h"

#include "capi/status.h"

#include <fjord/choices.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
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

// A field that is one of several words.
template <typename Place, typename Choice, size_t kCount>
Field choice(const std::string& name, Place place, const ChoiceNames<Choice, kCount>& names) {
  std::string kind;
  for (const auto& [word, value] : names) kind.append(kind.empty() ? "" : "|").append(word);
  return {name, kind, [name, kind, place, &names](Request& request, const std::string& text) {
            const auto value = choice_named(names, text);
            if (!value) refuse_value(name, "one of " + kind, text);
            place(request) = *value;
          }};
}

#define FJORD_PLACE(path) \
  [](Request & request) -> auto& { return request.path; }
#define FJORD_FIELD(path) field(#path, FJORD_PLACE(path))
#define FJORD_CHOICE(path, names) choice(#path, FJORD_PLACE(path), names)

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
      FJORD_FIELD(sigmas),
      FJORD_FIELD(vae_tiling),
      FJORD_FIELD(memory_budget),
      FJORD_FIELD(decode),
      FJORD_FIELD(image_input.strength),
      FJORD_CHOICE(image_input.fit, kFitNames),
      FJORD_FIELD(image_input.inpaint.extend.left),
      FJORD_FIELD(image_input.inpaint.extend.top),
      FJORD_FIELD(image_input.inpaint.extend.right),
      FJORD_FIELD(image_input.inpaint.extend.bottom),
      FJORD_FIELD(image_input.inpaint.grow),
      FJORD_FIELD(image_input.inpaint.blur),
      FJORD_CHOICE(image_input.inpaint.region, kPaintRegionNames),
      FJORD_FIELD(image_input.inpaint.padding),
      FJORD_FIELD(image_input.inpaint.soft),
      FJORD_FIELD(image_input.inpaint.keep_outside),
      FJORD_FIELD(image_input.inpaint.match_colors),
      FJORD_FIELD(variation.seed),
      FJORD_FIELD(variation.strength),
      FJORD_FIELD(hires.scale),
      FJORD_CHOICE(hires.upscaler, kUpscalerNames),
      FJORD_FIELD(hires.strength),
      FJORD_FIELD(hires.steps),
      FJORD_FIELD(seamless.x),
      FJORD_FIELD(seamless.y),
      FJORD_CHOICE(reproduction.noise, kNoiseSourceNames),
      FJORD_CHOICE(reproduction.sigmas, kSigmaGridNames),
      FJORD_CHOICE(reproduction.rounding, kRoundingNames),
      FJORD_FIELD(guidance_options.schedule),
      FJORD_FIELD(guidance_options.mimic_scale),
      FJORD_FIELD(guidance_options.mimic_percentile),
      FJORD_FIELD(guidance_options.perturbed_scale),
      FJORD_FIELD(guidance_options.perturbed_adaptive_scale),
      FJORD_FIELD(guidance_options.free_u.s1),
      FJORD_FIELD(guidance_options.free_u.s2),
      FJORD_FIELD(guidance_options.free_u.b1),
      FJORD_FIELD(guidance_options.free_u.b2),
      FJORD_FIELD(guidance_options.image_scale),
      FJORD_FIELD(approximation.guidance_begin),
      FJORD_FIELD(approximation.guidance_end),
      FJORD_FIELD(approximation.guidance_every),
      FJORD_FIELD(approximation.cache_interval),
      FJORD_FIELD(approximation.cache_branch),
      FJORD_FIELD(approximation.text_gate),
      FJORD_FIELD(approximation.merge_ratio),
      FJORD_CHOICE(prompting.syntax, kPromptSyntaxNames),
      FJORD_FIELD(prompting.prompt_2),
      FJORD_FIELD(prompting.negative_prompt_2),
      FJORD_FIELD(prompting.clip_skip),
      FJORD_CHOICE(prompting.empty_negative, kEmptyNegativeNames),
      FJORD_FIELD(micro.sizes.original_width),
      FJORD_FIELD(micro.sizes.original_height),
      FJORD_FIELD(micro.sizes.crop_left),
      FJORD_FIELD(micro.sizes.crop_top),
      FJORD_FIELD(micro.sizes.target_width),
      FJORD_FIELD(micro.sizes.target_height),
      FJORD_FIELD(micro.aesthetic_score),
      FJORD_FIELD(micro.negative_aesthetic_score),
      FJORD_FIELD(range.begin),
      FJORD_FIELD(range.end),
      FJORD_FIELD(guess_mode),
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

std::vector<std::uint8_t> copy_of(const Pixels& pixels, const std::string& name, int channels) {
  constexpr int kMostSide = 8192;
  if (pixels.width < 1 || pixels.height < 1 || pixels.width > kMostSide || pixels.height > kMostSide) {
    refuse("a picture must have from 1 to 8192 pixels a side, got " + std::to_string(pixels.width) + "x" +
           std::to_string(pixels.height));
  }
  if (pixels.channels != channels) {
    refuse("\"" + name + "\" must have " + std::to_string(channels) + " channels, got " +
           std::to_string(pixels.channels));
  }
  const auto size =
      static_cast<size_t>(pixels.width) * static_cast<size_t>(pixels.height) * static_cast<size_t>(channels);
  return {pixels.data, pixels.data + size};
}

void set_image(Request& request, const std::string& name, const Pixels& pixels) {
  const bool is_mask = name == "image_input.inpaint.mask";
  if (!is_mask && name != "image_input.images") refuse_name(name, "picture");
  auto& input = request.image_input;
  if (pixels.data == nullptr) return is_mask ? void(input.inpaint.mask = {}) : input.images.clear();
  auto values = copy_of(pixels, name, is_mask ? 1 : 3);
  if (is_mask) {
    input.inpaint.mask = {pixels.width, pixels.height, std::move(values)};
  } else {
    input.images.push_back({pixels.width, pixels.height, std::move(values)});
  }
}

const std::string& field_list() {
  static const std::string list = [] {
    std::string out;
    for (const auto& field : fields()) out += field.name + " " + field.kind + "\n";
    return out + kSchedulerOption +
           "* text\nlatents array\nimage_input.images picture\nimage_input.inpaint.mask picture\n";
  }();
  return list;
}

}  // namespace fjord::capi
