// Unicode as the reference tokenizer knows it. Its parts follow different Unicode versions (letters and numbers 16,
// lower case 17, NFC about 9), so no single library version gives the same answers; unicode_tables.cpp holds them.
#pragma once

#include <span>

namespace fjord::text {

struct CodeRange {
  char32_t first = 0;
  char32_t last = 0;
};

// Every step-th character of first..last has the lower case `character + distance`.
struct LowerRun {
  char32_t first = 0;
  char32_t last = 0;
  int step = 1;
  int distance = 0;
};

// Ascending and disjoint. Letters are \p{L}, numbers \p{N}.
std::span<const CodeRange> letters();
std::span<const CodeRange> numbers();
// Characters that Unicode versions after the reference's reorder or compose, and the reference leaves alone.
std::span<const CodeRange> inert();
// Runs may interleave only in the order of their first characters; U+0130 (two characters in lower case) is not listed.
std::span<const LowerRun> lower_runs();

}  // namespace fjord::text
