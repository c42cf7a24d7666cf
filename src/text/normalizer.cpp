// utf8proc decomposes and composes; the reordering between the two is ours, because utf8proc's takes quadratic time
// on long runs of combining marks.
#include "text/normalizer.h"

#include "core/check.h"
#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace fjord::text {
namespace {

using Buffer = std::vector<utf8proc_int32_t>;

// Longest canonical decomposition of one character is four characters.
constexpr utf8proc_ssize_t kMaxDecomposition = 4;

utf8proc_propval_t combining_class(utf8proc_int32_t code) { return utf8proc_get_property(code)->combining_class; }

Buffer decompose(std::u32string_view text) {
  Buffer out;
  out.reserve(text.size());
  for (const char32_t character : text) {
    utf8proc_int32_t parts[kMaxDecomposition];
    const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(character), parts,
                                                           kMaxDecomposition, UTF8PROC_DECOMPOSE, nullptr);
    check(count > 0 && count <= kMaxDecomposition, ErrorCode::kInternal, "character ", std::uint32_t{character},
          " could not be decomposed");
    out.insert(out.end(), parts, parts + count);
  }
  return out;
}

// Sorts every run of combining marks by combining class; marks of the same class keep their order.
void reorder(Buffer& codes) {
  std::vector<std::pair<utf8proc_propval_t, utf8proc_int32_t>> run;
  for (size_t begin = 0; begin < codes.size(); ++begin) {
    run.clear();
    for (size_t at = begin; at < codes.size() && combining_class(codes[at]) != 0; ++at) {
      run.emplace_back(combining_class(codes[at]), codes[at]);
    }
    std::stable_sort(run.begin(), run.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [unused, code] : run) codes[begin++] = code;
  }
}

void append_composed(std::u32string_view text, std::u32string& out) {
  Buffer codes = decompose(text);
  reorder(codes);
  const auto size = static_cast<utf8proc_ssize_t>(codes.size());
  const utf8proc_ssize_t count =
      utf8proc_normalize_utf32(codes.data(), size, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  check(count >= 0 && count <= size, ErrorCode::kInternal, "text could not be composed");
  out.insert(out.end(), codes.begin(), codes.begin() + count);
}

}  // namespace

std::u32string compose(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    // An inert character neither moves nor combines, so the pieces between inert ones are independent.
    const auto stop = std::find_if(text.begin(), text.end(), is_inert);
    const auto length = static_cast<size_t>(stop - text.begin());
    append_composed(text.substr(0, length), out);
    text.remove_prefix(length);
    const auto next = std::find_if_not(text.begin(), text.end(), is_inert);
    out.append(text.begin(), next);
    text.remove_prefix(static_cast<size_t>(next - text.begin()));
  }
  return out;
}

std::u32string normalize(std::u32string_view text) {
  std::u32string out;
  bool after_space = false;
  for (const char32_t character : compose(text)) {
    const bool space = is_space(character);
    if (!space) append_lower(character, out);
    if (space && !after_space) out += U' ';
    after_space = space;
  }
  return out;
}

}  // namespace fjord::text
