#include "text/prompt_weights.h"

#include "core/check.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace fjord::text {
namespace {

constexpr double kBracketWeight = 1.1;
constexpr int kMaxDepth = 100;
constexpr std::string_view kSpaces = " \t\n\r\f\v";
constexpr std::string_view kBreak = "BREAK";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
}

// A finite number that is the whole text, or none.
std::optional<double> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

bool is_word_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Where BREAK stands as a word of its own, from `begin` on; npos if nowhere.
size_t find_break(std::string_view text, size_t begin) {
  for (auto at = text.find(kBreak, begin); at != std::string_view::npos; at = text.find(kBreak, at + 1)) {
    const auto end = at + kBreak.size();
    const bool starts = at == 0 || !is_word_character(text[at - 1]);
    if (starts && (end == text.size() || !is_word_character(text[end]))) return at;
  }
  return std::string_view::npos;
}

// What A1111's syntax makes of a text, from left to right.
class A1111Parser {
 public:
  explicit A1111Parser(std::string_view text) : rest_(text) {}

  std::vector<WeightedText> parse() {
    while (!rest_.empty()) take();
    for (const auto begin : round_) multiply(begin, kBracketWeight);
    for (const auto begin : square_) multiply(begin, 1 / kBracketWeight);
    if (parts_.empty()) parts_.push_back({"", 1, false});
    return joined();
  }

 private:
  void take() {
    switch (rest_.front()) {
      case '\\': return take_escape();
      case '(': return open(round_);
      case '[': return open(square_);
      case ')': return close(round_, kBracketWeight);
      case ']': return close(square_, 1 / kBracketWeight);
      case ':': return take_colon();
      default: return take_text();
    }
  }

  void open(std::vector<size_t>& brackets) {
    brackets.push_back(parts_.size());
    rest_.remove_prefix(1);
  }

  void close(std::vector<size_t>& brackets, double weight) {
    if (brackets.empty()) return add_literal(1);
    multiply(brackets.back(), weight);
    brackets.pop_back();
    rest_.remove_prefix(1);
  }

  // A backslash gives the bracket or backslash after it; before anything else it vanishes.
  void take_escape() {
    rest_.remove_prefix(1);
    const bool special = !rest_.empty() && std::string_view("()[]\\").find(rest_.front()) != std::string_view::npos;
    parts_.push_back({std::string(rest_.substr(0, special ? 1 : 0)), 1, false});
    rest_.remove_prefix(special ? 1 : 0);
  }

  // ":1.2)" is a weight where a round bracket is open, else text.
  void take_colon() {
    const auto end = rest_.find_first_not_of("+-.0123456789 \t\n\r\f\v", 1);
    const bool closes = end != std::string_view::npos && rest_[end] == ')';
    const auto weight = closes ? whole_number(trimmed(rest_.substr(1, end - 1))) : std::nullopt;
    if (!weight) return add_literal(1);
    if (round_.empty()) return add_literal(end + 1);
    multiply(round_.back(), *weight);
    round_.pop_back();
    rest_.remove_prefix(end + 1);
  }

  void take_text() {
    const auto end = std::min(rest_.size(), rest_.find_first_of("\\()[]:"));
    const auto text = rest_.substr(0, end);
    size_t begin = 0;
    for (auto at = find_break(text, 0); at != std::string_view::npos; at = find_break(text, begin)) {
      const auto before = text.substr(begin, at - begin);
      parts_.push_back({std::string(before.substr(0, before.find_last_not_of(kSpaces) + 1)), 1, false});
      parts_.push_back({std::string(kBreak), 1, true});
      begin = std::min(text.size(), text.find_first_not_of(kSpaces, at + kBreak.size()));
    }
    parts_.push_back({std::string(text.substr(begin)), 1, false});
    rest_.remove_prefix(end);
  }

  void add_literal(size_t length) {
    parts_.push_back({std::string(rest_.substr(0, length)), 1, false});
    rest_.remove_prefix(length);
  }

  // As in the reference, BREAK within brackets is a word: its mark is a weight that the brackets change, unless that is
  // by a factor of 1.
  void multiply(size_t begin, double weight) {
    for (size_t i = begin; i < parts_.size(); ++i) {
      parts_[i].weight *= weight;
      if (!parts_[i].is_break || weight == 1) continue;
      parts_[i].is_break = false;
      parts_[i].weight = -weight;
    }
  }

  std::vector<WeightedText> joined() const {
    std::vector<WeightedText> out;
    for (const auto& part : parts_) {
      const bool same = !out.empty() && !part.is_break && !out.back().is_break && out.back().weight == part.weight;
      if (same) out.back().text += part.text;
      if (!same) out.push_back(part);
    }
    return out;
  }

  std::string_view rest_;
  std::vector<WeightedText> parts_;
  std::vector<size_t> round_, square_;  // where open brackets begin, in parts_
};

// Length of an escaped bracket at `at`, or 0.
size_t escape_length(std::string_view text, size_t at) {
  return text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '(' || text[at + 1] == ')') ? 2 : 0;
}

// Cuts where brackets of the outermost level begin and end; escaped brackets do not count.
std::vector<std::string_view> outermost_parts(std::string_view text) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  int depth = 0;
  const auto cut = [&](size_t end) {
    if (end > begin) out.push_back(text.substr(begin, end - begin));
    begin = end;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (escape_length(text, at) > 0) {
      ++at;
    } else if (text[at] == '(') {
      if (depth++ == 0) cut(at);
    } else if (text[at] == ')') {
      if (--depth == 0) cut(at + 1);
    }
  }
  cut(text.size());
  return out;
}

std::string without_escapes(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (escape_length(text, at) > 0) ++at;
    out += text[at];
  }
  return out;
}

bool is_bracketed(std::string_view text) {
  const bool closed = text.size() >= 2 && text.front() == '(' && text.back() == ')';
  return closed && text[text.size() - 2] != '\\';
}

void parse_comfyui_level(std::string_view text, double weight, int depth, std::vector<WeightedText>& out) {
  check(depth <= kMaxDepth, ErrorCode::kInvalidArgument, "the prompt's brackets must be at most ", kMaxDepth, " deep");
  for (const auto part : outermost_parts(text)) {
    if (!is_bracketed(part)) {
      out.push_back({without_escapes(part), weight, false});
      continue;
    }
    auto inner = part.substr(1, part.size() - 2);
    const auto colon = inner.rfind(':');
    std::optional<double> set;
    if (colon != std::string_view::npos && colon > 0) set = whole_number(trimmed(inner.substr(colon + 1)));
    if (set) inner = inner.substr(0, colon);
    parse_comfyui_level(inner, set.value_or(weight * kBracketWeight), depth + 1, out);
  }
}

}  // namespace

std::vector<WeightedText> parse_a1111(std::string_view prompt) { return A1111Parser(prompt).parse(); }

std::vector<WeightedText> parse_comfyui(std::string_view prompt) {
  std::vector<WeightedText> out;
  parse_comfyui_level(prompt, 1, 0, out);
  return out;
}

}  // namespace fjord::text
